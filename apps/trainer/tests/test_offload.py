"""The device is handed over while requests wait and runs are being opened: nothing computes with what is away."""

from __future__ import annotations

import asyncio
import threading

import pytest
import torch

from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.offload import offload
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.decode import Chunk
from gradus_trainer.sampler.queue import GenerationQueue
from gradus_trainer.wire.run_body import read_run_body
from tests import tiny
from tests.conftest import Service
from tests.test_generation_queue import until

CHUNK = Chunk([[5, 6]], 2, 4, 1.0, [1], ())
CPU = torch.device("cpu")


async def test_a_round_that_waits_when_memory_is_handed_over_is_refused_and_leaves_no_copy_behind(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    await service.open()
    run = service.engine_run("r")
    run.decoder.compute = torch.bfloat16  # as on a GPU: what generates is a copy
    queue = service.generation_queue
    queue.continuous = True
    began, go_on, run_round = threading.Event(), threading.Event(), Generator.run

    def slow(self, jobs, arriving):
        began.set()
        go_on.wait(10)
        run_round(self, jobs)  # takes nobody in: who arrives meanwhile has the next round

    monkeypatch.setattr(Generator, "run", slow)
    first = queue.ask(run, CHUNK)
    await until(began.is_set)
    offloading = asyncio.ensure_future(service.call("POST", "/v1/engine/offload"))
    second = queue.ask(run, CHUNK)
    gone = queue.ask(run, CHUNK)
    gone.abandon()
    await until(lambda: service.engine._thread._work_queue.qsize() == 1)
    go_on.set()
    assert (await offloading)[1]["offloaded"]
    assert len(first.answer.result(timeout=0).token_ids) == 2
    with pytest.raises(Problem) as raised:
        second.answer.result(timeout=0)
    assert raised.value.code == "engine_offloaded"
    await until(lambda: not queue._waiting)
    assert run._sampler is None
    assert (await service.call("POST", "/v1/engine/onload"))[0] == 200
    again = queue.ask(run, CHUNK)
    assert (await asyncio.wrap_future(again.answer)).token_ids == first.answer.result().token_ids


@pytest.mark.parametrize("continuous", [False, True])
async def test_what_reaches_the_engine_while_weights_are_away_is_refused_there_too(service: Service, continuous: bool):
    await service.open()
    run = service.engine_run("r")
    assert (await service.call("POST", "/v1/engine/offload"))[0] == 200
    job = GenerationQueue(service.engine.submit, continuous).ask(run, CHUNK)
    with pytest.raises(Problem) as raised:
        await asyncio.wrap_future(job.answer)
    assert raised.value.code == "engine_offloaded"
    assert (await service.show())["version"] == 0  # a digest is computed on the host


async def test_a_run_that_was_being_opened_is_moved_too(service: Service, monkeypatch: pytest.MonkeyPatch):
    moved: list[str] = []
    move = LiveRun.move

    def watched(self, device):
        moved.append(self.name)
        move(self, device)

    monkeypatch.setattr(LiveRun, "move", watched)
    release = threading.Event()
    service.engine.submit(release.wait, 10)
    opening = asyncio.ensure_future(service.call("PUT", "/v1/runs/late", tiny.run_body()))
    await until(lambda: service.engine._thread._work_queue.qsize() == 1)
    offloading = asyncio.ensure_future(service.call("POST", "/v1/engine/offload"))
    await until(lambda: service.engine._thread._work_queue.qsize() == 2)
    release.set()
    assert [status for status, _ in await asyncio.gather(opening, offloading)] == [201, 200]
    assert moved == ["late"]
    await service.call("POST", "/v1/engine/onload")
    assert moved == ["late", "late"]


def test_a_copy_that_was_made_elsewhere_is_made_anew():
    run = LiveRun("r", read_run_body(tiny.run_body()), tiny.decoder(), None)
    run.decoder.compute = torch.bfloat16
    kept = run.sampler()
    assert run.sampler() is kept
    run.move(torch.device("meta"))
    assert run.sampler().embedding.device.type == "meta"
    assert run.sampler() is not kept


def test_when_one_run_cannot_be_moved_all_stay_where_they_were(monkeypatch: pytest.MonkeyPatch):
    runs = [LiveRun(name, read_run_body(tiny.run_body()), tiny.decoder(), None) for name in ("one", "two")]
    moves: list[Optimizer] = []

    def fails(self, _device):
        moves.append(self)
        if len(moves) == 2:
            raise MemoryError

    monkeypatch.setattr(Optimizer, "move", fails)
    with pytest.raises(MemoryError):
        offload(runs, CPU)
    assert [run.offloaded for run in runs] == [False, False]
    assert moves == [run.optimizer for run in (*runs, *runs)]
