"""Opening, re-opening, closing; tokens; the guard."""

from __future__ import annotations

import json

import pytest

from tests import tiny
from tests.conftest import Service


async def test_opening_gives_201_then_200_with_higher_leases(service: Service):
    body = tiny.run_body()
    first_status, first = await service.call("PUT", "/v1/runs/r", body)
    second_status, second = await service.call("PUT", "/v1/runs/r", body)
    assert (first_status, second_status) == (201, 200)
    assert second["lease"] > first["lease"]
    assert {name: value for name, value in first.items() if name != "lease"} == {
        "format": 1,
        "run": "r",
        "version": 0,
        "next_update": 1,
        "durable_update": 0,
        "parameters": first["parameters"],
        "vocab_size": tiny.VOCAB,
        "max_positions": 64,
        "end_token_id": 1,
        "policy_digest": second["policy_digest"],
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("policy.seed", 18),
        ("optimizer.beta2", 0.99),
        ("policy.architecture.layers", 3),
        ("policy.tokenizer.tokens[1]", "<x>"),
        ("dtype", "float32"),
    ],
)
async def test_another_body_is_a_conflict_that_names_the_path(service: Service, path, value):
    await service.open()
    body = json.loads(json.dumps(tiny.run_body()))
    target, *rest = path.replace("[1]", ".1").split(".")
    place = body
    for step in rest:
        place, target = place[int(target) if target.isdigit() else target], step
    place[int(target) if isinstance(place, list) else target] = value
    status, problem = await service.call("PUT", "/v1/runs/r", body)
    assert (status, problem["code"], problem["field"]) == (409, "run_conflict", path)


async def test_a_closed_run_is_unknown_until_it_is_opened_again(service: Service):
    opened = await service.open()
    await service.put(1, tiny.update(1))
    digest = (await service.show())["policy_digest"]
    assert digest != opened["policy_digest"]
    assert await service.call("DELETE", "/v1/runs/r") == (200, {"format": 1, "run": "r", "closed": True})
    assert (await service.call("GET", "/v1/runs/r"))[1]["code"] == "run_unknown"
    again = await service.open()
    assert (again["policy_digest"], again["next_update"], again["version"]) == (digest, 2, 1)


async def test_a_checkpoint_opens_as_an_artifact_with_fresh_counters(service: Service):
    await service.open()
    await service.put(1, tiny.update(1))
    status, made = await service.call("POST", "/v1/runs/r/checkpoints", {"format": 1, "name": "after", "policy": True})
    assert status == 200
    assert made["path"].endswith(made["digest"])
    policy = {"kind": "artifact", "digest": made["digest"]}
    opened = await service.open("other", policy=policy)
    assert (opened["policy_digest"], opened["version"], opened["next_update"]) == (made["digest"], 0, 1)
    directory = {"kind": "huggingface", "path": made["path"]}
    assert (await service.open("third", policy=directory))["policy_digest"] == made["digest"]


BAD_POLICY = [
    ({"kind": "artifact", "digest": "ab" * 32}, "policy_unavailable", "policy.digest"),
    ({"kind": "artifact", "digest": "../../etc"}, "field_invalid", "policy.digest"),
    ({"kind": "huggingface", "path": "/nowhere"}, "policy_unavailable", "policy.path"),
    ({"kind": "gguf", "path": "/nowhere.gguf"}, "policy_unavailable", "policy.path"),
    ({"kind": "pickle", "path": "x"}, "field_invalid", "policy.kind"),
    ({"kind": "init", "seed": 1}, "field_missing", "policy.architecture"),
]
HUGE = tiny.run_body()["policy"]["architecture"] | {"hidden_size": 65536, "layers": 200, "intermediate_size": 65536}


@pytest.mark.parametrize(("policy", "code", "field"), BAD_POLICY, ids=lambda value: str(value)[:40])
async def test_a_policy_that_cannot_be_opened_is_a_problem(service: Service, policy, code, field):
    _, problem = await service.call("PUT", "/v1/runs/r", tiny.run_body(policy=policy))
    assert (problem["code"], problem["field"]) == (code, field)
    await service.open()


async def test_a_policy_greater_than_memory_is_refused(service: Service):
    policy = tiny.run_body()["policy"] | {"architecture": HUGE}
    status, problem = await service.call("PUT", "/v1/runs/r", tiny.run_body(policy=policy))
    assert status == 422
    assert problem["code"] in ("policy_unavailable", "field_invalid")


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        (b"{", "json_malformed", "body"),
        (b"[]", "json_malformed", "body"),
        (b'{"format":1,"format":1}', "json_malformed", "body"),
        (b'{"format":NaN}', "json_malformed", "body"),
        (b'{"format":1e999}', "field_type", "format"),
        (b'{"format":true}', "field_type", "format"),
        (b'{"format":2}', "field_invalid", "format"),
        (b"\xff\xfe", "json_malformed", "body"),
        (b'{"a":' * 20 + b"1" + b"}" * 20, "json_malformed", "body"),
        (b'{"format":"\\ud800"}', "json_malformed", "body"),
        (b"[" * 100_000, "json_malformed", "body"),
        (b'{"format":1' + b"0" * 5000 + b"}", "json_malformed", "body"),
        (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00.", "json_malformed", "body"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_json_that_is_not_what_it_should_be_is_a_problem(service: Service, text, code, field):
    _, problem = await service.call("PUT", "/v1/runs/r", data=text, headers={"Content-Type": "application/json"})
    assert (problem["code"], problem["field"]) == (code, field)


async def test_text_comes_back_with_markers_and_without_padding_and_end(service: Service):
    await service.open()
    text = "<on>abc=<think>cba</think>abc"
    _, told = await service.call("POST", "/v1/runs/r/tokenize", {"format": 1, "texts": [text, "", text + "<end>"]})
    assert told["ids"][0] == [4, 6, 7, 8, 32, 2, 8, 7, 6, 3, 6, 7, 8]
    assert told["ids"][1] == []
    assert told["ids"][2] == [*told["ids"][0], 1]
    ids = [*told["ids"][0], 1, 0, 0]
    _, back = await service.call("POST", "/v1/runs/r/detokenize", {"format": 1, "ids": [ids, []]})
    assert back["texts"] == [text, ""]


async def test_a_character_without_a_token_is_a_problem(service: Service):
    await service.open()
    _, problem = await service.call("POST", "/v1/runs/r/tokenize", {"format": 1, "texts": ["ab", "aZ"]})
    assert (problem["code"], problem["field"]) == ("field_invalid", "texts[1]")
    _, problem = await service.call("POST", "/v1/runs/r/detokenize", {"format": 1, "ids": [[1], [2, 33]]})
    assert (problem["code"], problem["field"]) == ("token_out_of_range", "ids[1]")


async def test_everything_but_health_wants_the_token(service: Service):
    for path in ("/v1/info", "/v1/runs/r", "/nowhere", "/v1/runs/r/updates/1"):
        for sent in ("", "Bearer wrong", "Bearer sécret", "Basic secret"):
            status, problem = await service.call("GET", path, headers={"Authorization": sent})
            assert (status, problem["code"]) == (401, "unauthorized")
    assert await service.call("GET", "/healthz", headers={"Authorization": ""}) == (200, {"format": 1, "status": "ok"})


async def test_unknown_routes_and_methods_are_problems(service: Service):
    assert (await service.call("GET", "/v1/nowhere"))[1]["code"] == "route_unknown"
    assert (await service.call("GET", "/v1/runs/-bad"))[1]["code"] == "route_unknown"
    status, problem = await service.call("PATCH", "/v1/info")
    assert (status, problem["code"], problem["format"]) == (405, "method_not_allowed", 1)


async def test_info_says_what_runs_where(service: Service):
    await service.open()
    _, info = await service.call("GET", "/v1/info")
    assert info["determinism"] == "bitwise"
    assert info["losses"] == ["cross_entropy", "clipped", "cispo", "gspo"]
    assert info["runs"] == [{"run": "r", "version": 0, "next_update": 1, "attention": "padded"}]
    assert info["memory"]["peak_bytes"] >= info["memory"]["resident_bytes"] // 2 > 0
