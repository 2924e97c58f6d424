"""The completions route: shapes of answers, seeds, problems."""

from __future__ import annotations

import pytest

from tests import tiny
from tests.conftest import Service


async def test_answers_have_the_shape_of_the_protocol(service: Service):
    await service.open()
    done = await service.complete(prompt=[[4, 6, 7, 8, 32], [4, 8]], n=3, seed=5)
    assert done["object"] == "text_completion"
    assert done["policy_version"] == 0
    assert [choice["index"] for choice in done["choices"]] == list(range(6))
    first = done["choices"][0]
    assert first["prompt_token_ids"] == [4, 6, 7, 8, 32]
    assert done["choices"][3]["prompt_token_ids"] == [4, 8]
    assert done["choices"][1]["prompt_token_ids"] is None
    for choice in done["choices"]:
        ids = choice["token_ids"]
        assert len(choice["logprobs"]["token_logprobs"]) == len(ids)
        assert choice["finish_reason"] == ("stop" if ids[-1] == 1 else "length")
        assert "<end>" not in choice["text"]
    assert done["usage"]["prompt_tokens"] == 7
    assert done["usage"]["completion_tokens"] == sum(len(choice["token_ids"]) for choice in done["choices"])


def rows(document):
    return [(choice["token_ids"], choice["logprobs"]) for choice in document["choices"]]


async def test_equal_seeds_give_equal_rows_also_as_group_seeds(service: Service):
    await service.open()
    prompt = ["<on>abc=", "<off>ab="]
    one = await service.complete(prompt=prompt, n=4, seed=5)
    assert rows(one) == rows(await service.complete(prompt=prompt, n=4, seed=5))
    assert rows(one) == rows(await service.complete(prompt=prompt, n=4, gradus={"group_seeds": [5, 9]}))
    assert rows(one) != rows(await service.complete(prompt=prompt, n=4, seed=6))


async def test_what_is_not_asked_for_is_not_sent(service: Service):
    await service.open()
    done = await service.complete(logprobs=None, return_token_ids=False)
    assert done["choices"][0]["logprobs"] is None
    assert "token_ids" not in done["choices"][0]


async def test_a_stop_token_of_the_request_ends_a_row(service: Service):
    await service.open()
    done = await service.complete(n=40, max_tokens=50, stop_token_ids=[6, 7])
    stopped = [choice for choice in done["choices"] if choice["token_ids"][-1] in (6, 7)]
    assert stopped
    assert all(choice["finish_reason"] == "stop" for choice in stopped)
    assert all(not set(choice["text"]) & set("ab") for choice in stopped)


async def test_generation_uses_the_weights_of_the_last_update(service: Service):
    await service.open()
    before = await service.complete(temperature=0)
    await service.put(1, tiny.update(1, learning_rate=0.5))
    after = await service.complete(temperature=0)
    assert (before["policy_version"], after["policy_version"]) == (0, 1)
    assert before["choices"][0]["logprobs"] != after["choices"][0]["logprobs"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"model": "other"}, "run_unknown", "model"),
        ({"best_of": 2}, "field_unknown", "best_of"),
        ({"gradus": {"group_seeds": [1], "more": 1}}, "field_unknown", "gradus.more"),
        ({"gradus": {"group_seeds": [1, 2]}}, "length_mismatch", "gradus.group_seeds"),
        ({"gradus": {"group_seeds": [-1]}}, "field_invalid", "gradus.group_seeds[0]"),
        ({"gradus": {"group_seeds": [True]}}, "field_type", "gradus.group_seeds[0]"),
        ({"top_p": 0.9}, "field_invalid", "top_p"),
        ({"logprobs": 5}, "field_invalid", "logprobs"),
        ({"temperature": -1}, "field_invalid", "temperature"),
        ({"n": 0}, "field_invalid", "n"),
        ({"n": True}, "field_type", "n"),
        ({"n": 10**6}, "field_invalid", "n"),
        ({"max_tokens": 64}, "field_invalid", "max_tokens"),
        ({"max_tokens": 1.5}, "field_type", "max_tokens"),
        ({"prompt": []}, "field_type", "prompt"),
        ({"prompt": [[]]}, "field_invalid", "prompt[0]"),
        ({"prompt": 7}, "field_type", "prompt"),
        ({"prompt": [[4, "a"]]}, "field_type", "prompt[0]"),
        ({"prompt": [[4], 5]}, "field_type", "prompt[1]"),
        ({"prompt": [[4, 99]]}, "token_out_of_range", "prompt[0]"),
        ({"prompt": "ABC"}, "field_invalid", "prompt[0]"),
        ({"prompt": [[4] * 64]}, "sequence_too_long", "prompt"),
        ({"stop_token_ids": [99]}, "token_out_of_range", "stop_token_ids"),
    ],
)
async def test_a_wrong_request_is_a_problem_that_names_the_field(service: Service, change, code, field):
    await service.open()
    status, problem = await service.call(
        "POST", "/v1/completions", {"model": "r", "prompt": "<on>abc=", "max_tokens": 4} | change
    )
    assert (problem["code"], problem["field"]) == (code, field)
    assert status == problem["status"]


async def test_models_lists_the_open_runs(service: Service):
    await service.open()
    _, listed = await service.call("GET", "/v1/models")
    assert [(model["id"], model["max_model_len"]) for model in listed["data"]] == [("r", 64)]
