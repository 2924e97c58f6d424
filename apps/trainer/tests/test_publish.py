"""Publishing to an engine: the order of the calls, what they carry, and that a failure anywhere taints the engine."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.publish import check, ipc, nccl
from gradus_trainer.publish.publisher import choose_transport
from gradus_trainer.publish.staged import stage
from gradus_trainer.publish.target import Target
from tests import tiny
from tests.conftest import Service
from tests.loopback_engine import ROUTES, LoopbackEngine

BEFORE = ["/openapi.json", "/v1/models", "/pause?mode=keep"]
FORGET = "/reset_prefix_cache?reset_running_requests=true"
AFTER = [FORGET, "/resume", "/v1/completions"]
UPDATE = ["/start_weight_update", "/update_weights", "/finish_weight_update"]
CONNECT = "/init_weight_transfer_engine"


@pytest.fixture
async def engine() -> AsyncIterator[LoopbackEngine]:
    made = LoopbackEngine()
    runner = await made.start()
    yield made
    await runner.cleanup()


async def publish(service: Service, version: int, *targets: dict[str, Any], **changes: Any) -> tuple[int, Any]:
    body = {"format": 1, "version": version, "targets": list(targets)} | changes
    return await service.call("POST", "/v1/runs/r/publish", body)


def shared(engine: LoopbackEngine, directory: Path, **changes: Any) -> dict[str, Any]:
    return {"kind": "vllm", "url": engine.url, "transport": "directory", "directory": str(directory)} | changes


async def held(service: Service) -> list[tuple[int, str]]:
    _, answer = await service.call("GET", "/v1/runs/r/publish")
    return [(row["version"], row["state"]) for row in answer["targets"]]


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


async def test_ipc_sends_names_shapes_and_handles_between_start_and_finish(
    service: Service, engine: LoopbackEngine, monkeypatch
):
    opened = await service.open()
    run = service.engine_run("r")
    engine.decoder = run.decoder
    sent: list[list[tuple[int, ...]]] = []

    def handles(tensors: Any) -> str:
        sent.append([tuple(tensor.shape) for tensor in tensors])
        return "handles"

    monkeypatch.setattr(ipc, "pickled_handles", handles)
    status, answer = await publish(service, 0, {"kind": "vllm", "url": engine.url, "transport": "ipc"})
    assert status == 200, answer
    assert engine.paths == [*BEFORE, CONNECT, *UPDATE, *AFTER]
    payloads = dict(engine.calls)
    info = payloads["/update_weights"]["update_info"]
    views = hugging_face_views(run.decoder)
    assert set(info["names"]) == set(views)
    assert [tuple(shape) for shape in info["shapes"]] == sent[0] == [tuple(views[name].shape) for name in info["names"]]
    assert (info["ipc_handles_pickled"], set(info["dtype_names"])) == ("handles", {"float32"})
    assert payloads[CONNECT] == {"init_info": {}}
    assert answer["targets"][0]["bytes"] == 4 * opened["parameters"]


@pytest.mark.parametrize("path", [CONNECT, "/update_weights", "/finish_weight_update"])
async def test_an_ipc_update_that_breaks_off_taints_the_engine(
    service: Service, engine: LoopbackEngine, monkeypatch, path
):
    await service.open()
    engine.decoder = service.engine_run("r").decoder
    monkeypatch.setattr(ipc, "pickled_handles", lambda _tensors: "handles")
    target = {"kind": "vllm", "url": engine.url, "transport": "ipc"}
    engine.fail[path] = [500]
    assert (await publish(service, 0, target))[0] == 502
    assert (await held(service), engine.paused) == ([(0, "tainted")], True)
    assert "/resume" not in engine.paths
    engine.calls.clear()
    assert (await publish(service, 0, target))[0] == 200
    assert engine.paths == [*BEFORE, CONNECT, *UPDATE, *AFTER]


async def test_an_update_that_was_left_open_is_closed_first(service: Service, engine: LoopbackEngine, monkeypatch):
    await service.open()
    engine.decoder = service.engine_run("r").decoder
    monkeypatch.setattr(ipc, "pickled_handles", lambda _tensors: "handles")
    engine.fail["/start_weight_update"] = [500]
    assert (await publish(service, 0, {"kind": "vllm", "url": engine.url, "transport": "ipc"}))[0] == 200
    opened = ["/start_weight_update", "/finish_weight_update"]
    assert engine.paths == [*BEFORE, CONNECT, *opened, *UPDATE, *AFTER]


async def test_ipc_without_a_gpu_says_so(service: Service, engine: LoopbackEngine):
    await service.open()
    status, problem = await publish(service, 0, {"kind": "vllm", "url": engine.url, "transport": "ipc"})
    assert (status, "CUDA IPC needs the policy on a CUDA device" in problem["detail"]) == (502, True)


async def test_nccl_makes_one_group_and_broadcasts_while_the_engine_receives(
    service: Service, engine: LoopbackEngine, monkeypatch
):
    await service.open()
    engine.decoder = service.engine_run("r").decoder
    joined, sent = [], []
    monkeypatch.setattr(nccl, "importable", lambda: True)
    monkeypatch.setattr(nccl, "_require_cuda", lambda _staged: None)
    monkeypatch.setattr(nccl, "_join", lambda info: joined.append(info) or "group")
    monkeypatch.setattr(nccl, "_broadcast", lambda group, staged: sent.append((group, list(staged.tensors))))
    target = {"kind": "vllm", "url": engine.url, "transport": "nccl"}
    for _ in range(2):
        assert (await publish(service, 0, target))[0] == 200
    assert engine.paths.count(CONNECT) == len(joined) == 1
    payloads = dict(engine.calls)
    assert payloads[CONNECT]["init_info"] == joined[0]
    assert (joined[0]["rank_offset"], joined[0]["world_size"], joined[0]["master_address"]) == (1, 3, "127.0.0.1")
    assert [group for group, _ in sent] == ["group", "group"]
    assert payloads["/update_weights"]["update_info"]["names"] == sent[0][1]
    # a group that failed is not used again
    monkeypatch.setattr(nccl, "_broadcast", lambda _group, _staged: 1 / 0)
    assert (await publish(service, 0, target))[0] == 502
    monkeypatch.setattr(nccl, "_broadcast", lambda _group, _staged: None)
    assert (await publish(service, 0, target))[0] == 200
    assert len(joined) == 2


class Communicator:
    """With the parts of vLLM's that are used to end it."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.over = threading.Event()
        self.nccl, self.comm = SimpleNamespace(ncclCommAbort=self._end, ncclCommDestroy=pytest.fail), "comm"

    def _end(self, comm: str) -> None:
        self.ended.append(comm)
        self.over.set()


@pytest.fixture
async def with_nccl(service: Service, engine: LoopbackEngine, monkeypatch) -> dict[str, Any]:
    """A run whose weights could go to the engine by NCCL; the target to publish to."""
    await service.open()
    engine.decoder = service.engine_run("r").decoder
    monkeypatch.setattr(nccl, "importable", lambda: True)
    monkeypatch.setattr(nccl, "_require_cuda", lambda _staged: None)
    return {"kind": "vllm", "url": engine.url, "transport": "nccl"}


async def test_an_engine_that_refuses_the_group_leaves_no_thread_to_wait_for(
    service: Service, engine: LoopbackEngine, monkeypatch, with_nccl
):
    """The trainer joins alone and waits: a process that ends must not wait for that, and a late group is freed."""
    late, made, threads = threading.Event(), Communicator(), []

    def join(_info: dict[str, Any]) -> Communicator:
        threads.append(threading.current_thread())
        assert late.wait(60)
        return made

    monkeypatch.setattr(nccl, "_join", join)
    engine.fail[CONNECT] = [500]
    status, problem = await publish(service, 0, with_nccl)
    assert (status, "at connect: " in problem["detail"]) == (502, True)
    (thread,) = threads
    assert (thread.is_alive(), thread.daemon, made.ended) == (True, True, [])
    late.set()
    assert await asyncio.to_thread(made.over.wait, 60)
    assert made.ended == ["comm"]


async def test_a_group_whose_engine_breaks_off_is_ended_once_and_frees_the_broadcast(
    service: Service, engine: LoopbackEngine, monkeypatch, with_nccl
):
    made = [Communicator(), Communicator()]
    waiting = iter(made)
    monkeypatch.setattr(nccl, "_join", lambda _info: next(waiting))

    def broadcast(group: Communicator, _staged: Any) -> None:
        # until somebody aborts, as NCCL's does
        assert group.over.wait(60)

    monkeypatch.setattr(nccl, "_broadcast", broadcast)
    engine.fail["/update_weights"] = [500]
    status, problem = await publish(service, 0, with_nccl)
    assert (status, "at update: POST /update_weights answered 500" in problem["detail"]) == (502, True)
    assert made[0].ended == ["comm"]
    # a broadcast that fails ends its group too
    monkeypatch.setattr(nccl, "_broadcast", lambda _group, _staged: 1 / 0)
    assert (await publish(service, 0, with_nccl))[0] == 502
    assert await asyncio.to_thread(made[1].over.wait, 60)
    assert (made[0].ended, made[1].ended) == (["comm"], ["comm"])


def test_a_group_is_ended_by_what_its_class_has(caplog):
    ended: list[str] = []
    whole = SimpleNamespace(destroy=lambda: ended.append("destroy"))
    nccl.free(whole)
    library = SimpleNamespace(ncclCommDestroy=ended.append)
    nccl.free(SimpleNamespace(nccl=library, comm="comm"))
    library.ncclCommAbort = lambda _comm: 1 / 0
    nccl.free(SimpleNamespace(nccl=library, comm="comm"))
    assert ended == ["destroy", "comm"]
    assert "could not be freed by ncclCommAbort" in caplog.text
    nccl.free(SimpleNamespace())
    assert "no way to free" in caplog.text


def target(transport: str, directory: Path | None = None) -> Target:
    return Target("http://127.0.0.1:1", transport, directory, None, None, 0.05)


def test_auto_takes_nccl_where_it_can_be_and_never_ipc(monkeypatch):
    routes = frozenset(ROUTES)
    monkeypatch.setattr(nccl, "importable", lambda: True)
    assert choose_transport(target("auto", Path("/x")), routes, cuda=True) == "nccl"
    assert choose_transport(target("auto", Path("/x")), routes, cuda=False) == "directory"
    assert choose_transport(target("auto", Path("/x")), routes - {"/update_weights"}, cuda=True) == "directory"
    assert choose_transport(target("ipc"), routes, cuda=True) == "ipc"
    monkeypatch.setattr(nccl, "importable", lambda: False)
    assert choose_transport(target("auto", Path("/x")), routes, cuda=True) == "directory"
    with pytest.raises(check.PublishFailed, match="name a directory or ipc"):
        choose_transport(target("auto"), routes, cuda=True)
    with pytest.raises(check.PublishFailed, match="no /collective_rpc; vLLM has them with VLLM_SERVER_DEV_MODE=1"):
        choose_transport(target("directory", Path("/x")), routes - {"/collective_rpc"}, cuda=True)
    with pytest.raises(check.PublishFailed, match="no /pause"):
        choose_transport(target("ipc"), routes - {"/pause"}, cuda=True)


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


async def test_offloaded_weights_come_back_with_the_same_bits_and_nothing_computes_meanwhile(
    service: Service, engine: LoopbackEngine, tmp_path: Path
):
    await service.open()
    await service.put(1, tiny.update(1))
    digest = (await service.show())["policy_digest"]
    for _ in range(2):
        status, answer = await service.call("POST", "/v1/engine/offload")
        assert (status, answer["offloaded"]) == (200, True)
    refused = [
        await service.put(2, tiny.update(2)),
        await service.call("POST", "/v1/completions", {"model": "r", "prompt": "<on>a", "max_tokens": 2}),
        await publish(service, 1, shared(engine, tmp_path)),
        await service.call("PUT", "/v1/runs/other", tiny.run_body()),
    ]
    assert [(status, problem["code"]) for status, problem in refused] == [(409, "engine_offloaded")] * 4
    assert engine.calls == []
    assert (await service.call("GET", "/v1/info"))[1]["offloaded"]
    assert (await service.call("POST", "/v1/engine/onload"))[1]["offloaded"] is False
    assert (await service.show())["policy_digest"] == digest
    status, done = await service.put(2, tiny.update(2))
    assert (status, done["version"], done["applied"]) == (200, 2, True)


async def test_info_names_the_attention_of_each_run(service: Service):
    await service.open()
    _, info = await service.call("GET", "/v1/info")
    assert [(run["run"], run["attention"]) for run in info["runs"]] == [("r", "padded")]
