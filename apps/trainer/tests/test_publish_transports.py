"""How weights reach an engine: CUDA IPC, NCCL, and which way `auto` takes."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.publish import check, ipc, nccl
from gradus_trainer.publish.publisher import choose_transport
from gradus_trainer.publish.target import Target
from tests.conftest import Service
from tests.loopback_engine import ROUTES, LoopbackEngine
from tests.publishing import AFTER, BEFORE, CONNECT, UPDATE, held, publish


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
