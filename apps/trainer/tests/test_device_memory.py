"""Memory of the device: what counts as free, and that a copy of the weights goes before the next one comes."""

from __future__ import annotations

import weakref

import pytest
import torch

from gradus_trainer.engine.inline import Inline
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.problem import Problem
from gradus_trainer.versions import require_memory
from gradus_trainer.wire.run_body import read_run_body
from tests import tiny
from tests.conftest import Service

GIB = 1 << 30
CUDA = torch.device("cuda", 0)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A device of which 10 GiB are free and 30 GiB are in the allocator, 5 of them in use. Counts `empty_cache`."""
    state = {"free": 10 * GIB, "reserved": 30 * GIB, "allocated": 5 * GIB, "emptied": 0}

    def empty() -> None:
        state["emptied"] += 1

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device=None: (state["free"], 80 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device=None: state["reserved"])
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device=None: state["allocated"])
    monkeypatch.setattr(torch.cuda, "empty_cache", empty)
    return state


def test_what_the_allocator_keeps_for_reuse_is_free(gpu: dict[str, int]):
    require_memory(35 * GIB, CUDA)
    with pytest.raises(Problem, match="35840 MiB are free"):
        require_memory(35 * GIB + 1, CUDA)
    gpu["reserved"] = gpu["allocated"]
    with pytest.raises(Problem, match="10240 MiB are free"):
        require_memory(11 * GIB, CUDA)


def test_a_run_that_is_closed_lets_go_of_weights_moments_and_cache(gpu: dict[str, int]):
    run = LiveRun("r", read_run_body(tiny.run_body()), tiny.decoder(), None)
    run.decoder.compute = torch.bfloat16
    held = [weakref.ref(run.decoder), weakref.ref(run.optimizer), weakref.ref(run.sampler())]
    assert all(reference() is not None for reference in held)
    run.device = CUDA
    run.close()
    assert [reference() for reference in held] == [None] * 3
    assert gpu["emptied"] == 1
    run.close()  # what is closed twice is closed


@pytest.mark.parametrize("chained", [False, True])
async def test_the_copy_that_broke_off_is_gone_before_the_restored_one_is_read(
    service: Service, monkeypatch: pytest.MonkeyPatch, chained: bool
):
    await service.open()
    await service.put(1, tiny.update(1))
    before = (await service.show())["policy_digest"]
    run = service.engine_run("r")
    held = [weakref.ref(run.decoder), weakref.ref(run.optimizer), weakref.ref(run.decoder.embedding)]
    seen: list[list[object]] = []
    load = Inline.load

    def watched(self, *arguments):
        seen.append([reference() for reference in held])
        return load(self, *arguments)

    measure = Optimizer.gradient_norm
    failures = iter([True])

    def out_of_memory(self):
        if not next(failures, False):
            return measure(self)  # the replay of update 1
        try:
            raise torch.OutOfMemoryError("full")
        except torch.OutOfMemoryError as error:
            if chained:
                raise RuntimeError("in a kernel") from error
            raise

    del run  # the engine's own is the same object, but the test must hold nothing
    monkeypatch.setattr(Inline, "load", watched)
    with monkeypatch.context() as patch:
        patch.setattr(Optimizer, "gradient_norm", out_of_memory)
        status, problem = await service.put(2, tiny.update(2))
    assert (status, problem["code"]) == (500, "trainer_failed")
    assert seen == [[None] * 3]
    assert (await service.show())["policy_digest"] == before
    assert (await service.put(2, tiny.update(2)))[1]["version"] == 2
