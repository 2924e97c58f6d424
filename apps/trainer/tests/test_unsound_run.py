"""A run whose weights are half written, or gone, is neither read nor trained nor generated with."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import torch

from gradus_trainer.engine.inline import Inline
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.problem import Problem
from gradus_trainer.publish.staged import stage
from gradus_trainer.sampler.decode import Chunk
from gradus_trainer.sampler.queue import GenerationQueue
from tests import tiny
from tests.conftest import ARROW, Service

CHUNK = Chunk([[5, 6]], 2, 4, 1.0, [1], ())
REFUSAL = "could not be restored"


def full(*_arguments: Any) -> Any:
    raise torch.OutOfMemoryError("full")


async def answers(service: Service) -> list[tuple[int, Any]]:
    """What everything that reads the weights says."""
    scored = tiny.columns(2)
    body = tiny.stream(tiny.table({name: scored[name] for name in ("sample_id", "token_ids", "loss_mask")}, None))
    asked = {"model": "r", "prompt": "<on>a", "max_tokens": 2}
    return [
        await service.put(1, tiny.update(1)),
        await service.call("POST", "/v1/runs/r/logprobs", data=body, headers={"Content-Type": ARROW}),
        await service.call("POST", "/v1/completions", asked),
        await service.call("POST", "/v1/runs/r/checkpoints", {"format": 1, "name": "c", "policy": True}),
    ]


async def on_engine(service: Service, work: Any, *arguments: Any) -> Any:
    return await asyncio.wrap_future(service.engine.submit(work, *arguments))


async def test_after_a_restore_that_failed_everything_is_refused_until_the_run_is_opened_anew(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    opened = await service.open()
    with monkeypatch.context() as patch:
        patch.setattr(Optimizer, "gradient_norm", full)
        patch.setattr(Inline, "load", full)
        assert (await service.put(1, tiny.update(1)))[0] == 500
    for status, problem in await answers(service):
        assert (status, problem["code"]) == (500, "trainer_failed")
        assert REFUSAL in problem["detail"]
    assert (await service.call("POST", "/v1/engine/offload"))[0] == 200
    assert (await service.call("POST", "/v1/engine/onload"))[0] == 200
    assert (await service.call("DELETE", "/v1/runs/r"))[0] == 200
    assert (await service.open())["policy_digest"] == opened["policy_digest"]
    assert [status for status, _ in await answers(service)] == [200] * 4


async def test_half_written_weights_are_read_by_nobody(service: Service):
    await service.open()
    run = service.engine_run("r")
    run.tainted = True
    for status, problem in await answers(service):
        assert (status, problem["code"]) == (500, "trainer_failed")
        assert REFUSAL in problem["detail"]
    for work, arguments in ((service.engine.digest, (run,)), (stage, (run, 0))):
        with pytest.raises(Problem, match=REFUSAL):
            await on_engine(service, work, *arguments)
    job = GenerationQueue(service.engine.submit, True).ask(run, CHUNK)
    with pytest.raises(Problem, match=REFUSAL):
        await asyncio.wrap_future(job.answer)


@pytest.mark.parametrize("continuous", [False, True])
async def test_a_request_that_waits_while_its_run_is_closed_is_told_so(service: Service, continuous: bool):
    await service.open()
    run, engine = service.engine_run("r"), service.engine
    works: list[Any] = []
    queue = GenerationQueue(lambda *work: works.append(work) or engine.submit(lambda: None), continuous)
    job = queue.ask(run, CHUNK)
    assert (await service.call("DELETE", "/v1/runs/r"))[0] == 200
    await on_engine(service, *works[0])
    with pytest.raises(Problem, match="was closed") as raised:
        await asyncio.wrap_future(job.answer)
    assert raised.value.code == "run_unknown"
    with pytest.raises(Problem, match="was closed"):
        await on_engine(service, engine.digest, run)
