"""Publishing to an engine: the order of the calls, what they carry, and that a failure anywhere taints the engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.publish import check
from gradus_trainer.publish.staged import stage
from tests import tiny
from tests.conftest import Service
from tests.loopback_engine import LoopbackEngine
from tests.publishing import AFTER, BEFORE, held, publish, shared


async def test_an_engine_reloads_from_the_shared_directory_and_then_has_the_trainers_probabilities(
    service: Service, engine: LoopbackEngine, tmp_path: Path
):
    await service.open()
    await service.put(1, tiny.update(1))
    status, answer = await publish(service, 1, shared(engine, tmp_path / "shared"))
    assert status == 200, answer
    (done,) = answer["targets"]
    assert engine.paths == [*BEFORE, "/collective_rpc", *AFTER]
    assert (done["transport"], done["bytes"]) == ("directory", 4 * (await service.show())["parameters"])
    assert done["gap"]["tokens"] == check.PROMPTS * check.SAMPLED_TOKENS
    assert done["gap"]["max_abs"] < 1e-4
    assert set(done["seconds"]) == {"probe", "pause", "update", "resume", "check", "total"}
    assert await held(service) == [(1, "clean")]
    await service.put(2, tiny.update(2))
    assert (await publish(service, 2, shared(engine, tmp_path / "shared")))[0] == 200
    # the engine has read it: older ones are gone, and so is nothing else
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["r-2"]


async def test_what_lies_in_the_directory_are_the_weights_under_their_hugging_face_names(
    service: Service, engine: LoopbackEngine, tmp_path: Path
):
    await service.open()
    await publish(service, 0, shared(engine, tmp_path))
    live = hugging_face_views(service.engine_run("r").decoder)
    with safe_open(tmp_path / "r-0" / "model.safetensors", framework="pt") as file:
        assert set(file.keys()) == set(live)
        for name, tensor in live.items():
            assert torch.equal(file.get_tensor(name), tensor)
    assert json.loads((tmp_path / "r-0" / "config.json").read_text())["vocab_size"] == tiny.VOCAB


@pytest.mark.parametrize(
    ("path", "phase"),
    [
        ("/pause", "pause"),
        ("/collective_rpc", "update"),
        ("/reset_prefix_cache", "update"),
        ("/resume", "resume"),
        ("/v1/completions", "check"),
    ],
)
async def test_a_failure_at_any_call_after_the_probe_taints_the_engine_until_a_whole_publish_succeeds(
    service: Service, engine: LoopbackEngine, tmp_path: Path, path, phase
):
    await service.open()
    engine.fail[path] = [500]
    status, problem = await publish(service, 0, shared(engine, tmp_path))
    assert (status, problem["code"], problem["retryable"]) == (502, "publish_failed", True)
    assert f"{engine.url} at {phase}: " in problem["detail"]
    assert await held(service) == [(0, "tainted")]
    # whatever happened, the engine is left paused: nothing is generated on it
    assert engine.paused
    assert engine.paths[-1] == "/pause?mode=abort"
    engine.calls.clear()
    assert (await publish(service, 0, shared(engine, tmp_path)))[0] == 200
    assert engine.paths == [*BEFORE, "/collective_rpc", *AFTER]
    assert (await held(service), engine.paused) == ([(0, "clean")], False)


@pytest.mark.parametrize("fault", ["/openapi.json", "/v1/models", "model", "transport"])
async def test_a_failure_before_the_pause_leaves_the_engine_serving_what_it_holds(
    service: Service, engine: LoopbackEngine, tmp_path: Path, fault: str
):
    await service.open()
    typo = {"model": {"model": "sevred"}, "transport": {"transport": "nccl"}}.get(fault, {})
    for before in ([], [(0, "clean")]):
        engine.calls.clear()
        engine.fail[fault] = [500]
        status, problem = await publish(service, 0, shared(engine, tmp_path, **typo))
        assert (status, problem["code"]) == (502, "publish_failed")
        assert f"{engine.url} at probe: " in problem["detail"]
        assert (await held(service), engine.paused) == (before, False)
        assert set(engine.paths) <= {"/openapi.json", "/v1/models"}
        engine.fail.clear()
        assert (await publish(service, 0, shared(engine, tmp_path)))[0] == 200


async def test_a_probe_that_fails_does_not_clean_a_tainted_engine(
    service: Service, engine: LoopbackEngine, tmp_path: Path
):
    await service.open()
    engine.fail["/collective_rpc"] = [500]
    for change in ({}, {"model": "sevred"}):
        assert (await publish(service, 0, shared(engine, tmp_path, **change)))[0] == 502
        assert (await held(service), engine.paused) == ([(0, "tainted")], True)


async def test_prefixes_are_forgotten_as_far_as_the_engine_can(service: Service, tmp_path: Path):
    """By its own document: without the parameter those of paused requests stay, without the route nothing is asked."""
    await service.open()
    for lacks, asked in (("reset_running_requests", ["/reset_prefix_cache"]), ("/reset_prefix_cache", [])):
        engine = LoopbackEngine(lacks=(lacks,))
        runner = await engine.start()
        try:
            assert (await publish(service, 0, shared(engine, tmp_path)))[0] == 200
            assert engine.paths == [*BEFORE, "/collective_rpc", *asked, "/resume", "/v1/completions"]
        finally:
            await runner.cleanup()


async def test_an_engine_that_kept_its_old_weights_is_found_out(
    service: Service, engine: LoopbackEngine, tmp_path: Path
):
    await service.open()
    engine.deaf = True
    status, problem = await publish(service, 0, shared(engine, tmp_path))
    assert (status, problem["code"]) == (502, "publish_failed")
    assert "at check: log-probabilities differ by" in problem["detail"]
    assert (await held(service), engine.paused) == ([(0, "tainted")], True)
    # a tolerance of the caller's own decides
    assert (await publish(service, 0, shared(engine, tmp_path, tolerance=100)))[0] == 200


async def test_one_broken_engine_does_not_spoil_the_others(service: Service, engine: LoopbackEngine, tmp_path: Path):
    await service.open()
    other = LoopbackEngine()
    runner = await other.start()
    try:
        other.fail["/collective_rpc"] = [500]
        status, problem = await publish(service, 0, shared(engine, tmp_path), shared(other, tmp_path))
        assert status == 502
        assert other.url in problem["detail"]
        assert engine.url not in problem["detail"]
        assert sorted(await held(service)) == [(0, "clean"), (0, "tainted")]
    finally:
        await runner.cleanup()


async def test_an_engine_that_is_not_there_is_not_known_to_hold_anything(service: Service, tmp_path: Path):
    await service.open()
    target = {"kind": "vllm", "url": "http://127.0.0.1:9", "transport": "directory", "directory": str(tmp_path)}
    status, problem = await publish(service, 0, target)
    assert (status, "at probe: GET /openapi.json failed" in problem["detail"]) == (502, True)
    assert await held(service) == []


async def test_another_version_than_the_live_one_is_refused_before_any_call(
    service: Service, engine: LoopbackEngine, tmp_path: Path
):
    await service.open()
    status, problem = await publish(service, 1, shared(engine, tmp_path))
    assert (status, problem["code"], problem["field"]) == (409, "version_conflict", "version")
    assert engine.calls == []


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"kind": "sglang"}, "field_invalid", "targets[0].kind"),
        ({"url": "ftp://x"}, "field_invalid", "targets[0].url"),
        ({"url": "http://x/v1"}, "field_invalid", "targets[0].url"),
        ({"url": "http://10.0.0.1:80", "transport": "ipc"}, "field_invalid", "targets[0].transport"),
        ({"directory": None}, "field_missing", "targets[0].directory"),
        ({"directory": "here"}, "field_invalid", "targets[0].directory"),
        ({"tolerance": 0}, "field_invalid", "targets[0].tolerance"),
        ({"more": 1}, "field_unknown", "targets[0].more"),
    ],
)
async def test_a_target_that_makes_no_sense_is_refused(service: Service, change, code, field):
    await service.open()
    target = {"kind": "vllm", "url": "http://127.0.0.1:9", "transport": "directory", "directory": "/tmp/x"}
    status, problem = await publish(service, 0, target | change)
    assert (status, problem["code"], problem["field"]) == (422, code, field)


async def test_publishing_needs_the_newest_lease_and_a_target(service: Service, engine: LoopbackEngine, tmp_path: Path):
    await service.open()
    assert (await publish(service, 0))[1]["field"] == "targets"
    twice = await publish(service, 0, shared(engine, tmp_path), shared(engine, tmp_path))
    assert twice[1]["code"] == "field_invalid"
    service.lease = 0
    assert (await publish(service, 0, shared(engine, tmp_path)))[1]["code"] == "stale_lease"
    assert engine.calls == []


def test_the_gap_by_hand():
    d = np.array([0.1, -0.3])
    found = check.gap(np.array([-1.0, -2.0]) + d, np.array([-1.0, -2.0]))
    assert found["tokens"] == 2
    assert found["mean_abs"] == pytest.approx(0.2)
    assert found["max_abs"] == pytest.approx(0.3)
    assert found["k1"] == pytest.approx(0.1)
    assert found["k3"] == pytest.approx(float((np.exp(d) - d - 1).mean()))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"choices": []},
        {"choices": [{"index": 0, "token_ids": [1], "logprobs": None}]},
        {"choices": [{"index": 0, "token_ids": [1, 2], "logprobs": {"token_logprobs": [-1.0]}}]},
        {"choices": [{"index": 0, "token_ids": [1], "logprobs": {"token_logprobs": [float("nan")]}}]},
        {"choices": [{"index": 0, "token_ids": [1], "logprobs": {"token_logprobs": [None]}}]},
    ],
)
def test_an_answer_that_proves_nothing_is_a_failure(answer):
    with pytest.raises(check.PublishFailed, match="check"):
        check.read_answer([[1]], answer)


async def test_weights_are_staged_in_the_order_of_the_layers_and_stay_when_the_policy_moves(service: Service):
    await service.open()
    run = service.engine_run("r")
    staged = stage(run, 0)
    names = list(staged.tensors)
    assert names[0] == "model.embed_tokens.weight"
    assert names[-1] == "model.norm.weight"
    layers = [int(name.split(".")[2]) for name in names[1:-1]]
    assert layers == sorted(layers)
    kept = staged.tensors["model.norm.weight"].clone()
    await service.put(1, tiny.update(1))
    assert torch.equal(staged.tensors["model.norm.weight"], kept)
    assert not torch.equal(run.decoder.final_norm, kept)
