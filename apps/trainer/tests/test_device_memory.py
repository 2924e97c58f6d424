"""Memory of the device: what counts as free, and that a copy of the weights goes before the next one comes."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

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


class Allocations(TorchDispatchMode):
    """Adds up the bytes of all that is made while it is entered; views and what is written in place are not made."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        made = function(*arguments, **(named or {}))
        given = {one.untyped_storage().data_ptr() for one in arguments if isinstance(one, torch.Tensor)}
        if isinstance(made, torch.Tensor) and made.untyped_storage().data_ptr() not in given:
            self.bytes += made.nbytes
        return made


def test_the_copy_to_generate_with_takes_two_bytes_a_parameter_while_it_is_made():
    run = LiveRun("r", read_run_body(tiny.run_body()), tiny.decoder(), None)
    run.decoder.compute = torch.bfloat16
    with Allocations() as made:
        copy = run.sampler()
    assert made.bytes == sum((2 if live.ndim > 1 else 4) * live.numel() for live in run.decoder.parameters())
    pairs = list(zip(copy.parameters(), run.decoder.parameters(), strict=True))
    assert all(torch.equal(mine, live.to(mine.dtype)) for mine, live in pairs)
    assert not any(mine.requires_grad or mine.data_ptr() == live.data_ptr() for mine, live in pairs)
    assert copy.rope_cosine.data_ptr() == run.decoder.rope_cosine.data_ptr()
    assert copy.untied_head is copy.head
    run.version += 1
    with torch.no_grad():
        run.decoder.final_norm.fill_(2.0)
    with Allocations() as made:
        assert run.sampler() is copy
    assert made.bytes == 0
    assert copy.final_norm.eq(2.0).all()


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
