"""Clients that go away end their work; rounds mix clients, and let an update through."""

from __future__ import annotations

import asyncio
import threading

import pytest
import torch

from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.sampler.decode import Abandoned, Chunk, decode
from gradus_trainer.sampler.job import Job
from gradus_trainer.sampler.queue import GenerationQueue
from gradus_trainer.wire.run_body import read_run_body
from tests import tiny
from tests.conftest import Service


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that the service was asked for."""
    asked: list[Job] = []
    ask = GenerationQueue.ask

    def remember(self, *arguments) -> Job:
        asked.append(ask(self, *arguments))
        return asked[-1]

    monkeypatch.setattr(GenerationQueue, "ask", remember)
    return asked


async def until(condition) -> None:
    """Waits on a state, at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_request_whose_client_has_gone_is_never_decoded(service: Service, jobs: list[Job]):
    await service.open()
    release = threading.Event()
    service.engine.submit(release.wait)
    with pytest.raises(asyncio.TimeoutError):
        await service.complete_within(0.3)
    await until(jobs[0].abandoned.is_set)
    assert jobs[0].answer.cancelled()
    release.set()
    assert len((await service.complete())["choices"]) == 1


def test_a_chunk_that_is_abandoned_while_it_is_decoded_stops_at_the_next_step():
    asked = 0

    def abandoned() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    with pytest.raises(Abandoned):
        decode(tiny.decoder(), Chunk([[5, 6]], 4, 50, 1.0, [1], ()), abandoned)
    assert asked == 6


async def test_in_rounds_clients_share_steps_and_get_what_a_chunk_gives(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    await service.open()
    asked = [{"n": 4, "seed": 5}, {"n": 2, "seed": 77, "temperature": 0.5}, {"n": 3, "temperature": 0}]
    alone = [await service.complete(**request) for request in asked]
    continuous = GenerationQueue(service.engine.submit, True)
    monkeypatch.setattr(GenerationQueue, "ask", lambda _queue, *arguments: _ASK(continuous, *arguments))
    release = threading.Event()
    service.engine.submit(release.wait)
    together = [asyncio.ensure_future(service.complete(**request)) for request in asked]
    await until(lambda: sum(map(len, continuous._waiting.values())) == 3)
    release.set()
    for one, other in zip(alone, await asyncio.gather(*together), strict=True):
        assert [choice["token_ids"] for choice in one["choices"]] == [
            choice["token_ids"] for choice in other["choices"]
        ]
    # the worker looks once more for others before it leaves
    await until(lambda: not continuous._waiting)


_ASK = GenerationQueue.ask


async def test_a_round_follows_an_update_that_came_before_it(service: Service, monkeypatch: pytest.MonkeyPatch):
    await service.open()
    continuous = GenerationQueue(service.engine.submit, True)
    monkeypatch.setattr(GenerationQueue, "ask", lambda _queue, *arguments: _ASK(continuous, *arguments))
    before = await service.complete(temperature=0)
    await service.put(1, tiny.update(1, learning_rate=0.5))
    after = await service.complete(temperature=0)
    assert (before["policy_version"], after["policy_version"]) == (0, 1)
    assert before["choices"][0]["logprobs"] != after["choices"][0]["logprobs"]


def test_a_round_that_breaks_off_is_told_to_its_clients_and_the_next_one_begins_anew(monkeypatch: pytest.MonkeyPatch):
    works = []

    def submit(work, *arguments):
        works.append((work, arguments))
        from concurrent.futures import Future

        return Future()

    queue, run = GenerationQueue(submit, True), LiveRun("r", read_run_body(tiny.run_body()), tiny.decoder(), None)
    run.version = 3
    chunk = Chunk([[5, 6]], 2, 4, 1.0, [1], ())
    job = queue.ask(run, chunk)
    with monkeypatch.context() as broken:
        broken.setattr("gradus_trainer.sampler.queue.Generator.run", _fail)
        works[0][0](*works[0][1])
    with pytest.raises(torch.OutOfMemoryError):
        job.answer.result(timeout=0)
    again = queue.ask(run, chunk)
    works[1][0](*works[1][1])
    assert again.answer.result(timeout=0).token_ids == decode(run.decoder, chunk).token_ids
    assert again.version == 3


def _fail(*_arguments):
    raise torch.OutOfMemoryError


async def test_fp8_is_refused_where_no_gpu_is(service: Service):
    await service.open()
    asked = {"model": "r", "prompt": "<on>abc=", "gradus": {"quantisation": "fp8"}}
    status, problem = await service.call("POST", "/v1/completions", asked)
    assert (status, problem["code"], problem["field"]) == (422, "field_invalid", "gradus.quantisation")


async def test_an_extension_without_seeds_takes_the_seed(service: Service):
    await service.open()
    one = await service.complete(n=3, seed=4, gradus={"quantisation": "none"})
    other = await service.complete(n=3, seed=4)
    assert one["choices"] == other["choices"]
