"""What a supervisor and Prometheus are told."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest
import torch
from prometheus_client.parser import text_string_to_metric_families

from gradus_trainer.engine.inline import Inline
from gradus_trainer.engine.torchrun.workers import Job, Workers
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.versions import device_memory
from tests import tiny
from tests.conftest import Service
from tests.test_device_memory import CUDA, GIB, gpu  # noqa: F401 - a fixture
from tests.test_generation_queue import until

OPEN = {"Authorization": ""}


async def readiness(service: Service) -> tuple[int, str | None]:
    """Status and reason, asked without a token."""
    status, answer = await service.call("GET", "/readyz", headers=OPEN)
    if status == 200:
        assert answer == {"format": 1, "status": "ready"}
        return 200, None
    assert (answer["code"], answer["retryable"]) == ("not_ready", True)
    return status, answer["detail"]


async def test_it_is_ready_but_while_a_run_is_opened_and_while_memory_is_handed_over(service: Service):
    assert await readiness(service) == (200, None)
    release = threading.Event()
    service.engine.submit(release.wait, 10)
    opening = asyncio.ensure_future(service.open())
    await until(lambda: service.engine._thread._work_queue.qsize() == 1)
    assert await readiness(service) == (503, "the run r is being opened")
    release.set()
    await opening
    assert await readiness(service) == (200, None)
    await service.call("POST", "/v1/engine/offload")
    assert await readiness(service) == (503, "the weights are on the host: POST /v1/engine/onload first")
    await service.call("POST", "/v1/engine/onload")
    assert await readiness(service) == (200, None)
    await service.call("PUT", "/v1/runs/bad", tiny.run_body(policy={"kind": "huggingface", "path": "/nowhere"}))
    assert await readiness(service) == (200, None)


async def test_it_is_not_ready_while_a_run_is_restored(service: Service, monkeypatch: pytest.MonkeyPatch):
    await service.open()
    restoring, release, load = threading.Event(), threading.Event(), Inline.load

    def slow(self, *arguments: Any) -> Any:
        restoring.set()
        release.wait(10)
        return load(self, *arguments)

    def breaks(_self: Optimizer) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Inline, "load", slow)
    monkeypatch.setattr(Optimizer, "gradient_norm", breaks)
    update = asyncio.ensure_future(service.put(1, tiny.update(1)))
    await until(restoring.is_set)
    assert await readiness(service) == (503, "the run r is being opened")
    release.set()
    assert (await update)[0] == 500
    assert await readiness(service) == (200, None)


async def test_it_is_not_ready_while_workers_are_awaited(service: Service, monkeypatch: pytest.MonkeyPatch):
    elsewhere, here = Workers(Job(0, 1), "secret"), Workers(Job(2, 1), "secret")
    # those that the first request starts are not waited for: a supervisor that keeps requests off would wait for ever
    assert [elsewhere.missing, here.missing] == [True, False]
    here._launcher = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert here.missing
    here._launcher.communicate(b"\n")
    assert not here.missing
    here._launcher = None
    monkeypatch.setattr(service.engine, "_backend", elsewhere)
    assert await readiness(service) == (503, "workers are missing")
    monkeypatch.setattr(elsewhere, "_link", object())
    assert await readiness(service) == (200, None)
    monkeypatch.undo()
    for workers in (elsewhere, here):
        workers.stop()


async def page(service: Service) -> dict[str, float]:
    """Samples by name and label."""
    status, text = await service.call("GET", "/metrics")
    assert status == 200
    families = text_string_to_metric_families(text.decode())
    return {
        " ".join([sample.name.removeprefix("gradus_trainer_"), *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_metrics_count_what_was_applied_and_want_the_token(service: Service):
    assert (await service.call("GET", "/metrics", headers=OPEN))[0] == 401
    await service.open()
    before = await page(service)
    assert (before["updates_applied_total"], before["tokens_trained_total"]) == (0, 0)
    assert before["resident_memory_bytes"] > 1 << 20
    assert before["device_memory_bytes free"] > 1 << 20
    answers = [(await service.put(number, tiny.update(number)))[1] for number in (1, 2)]
    assert (await service.put(2, tiny.update(2)))[1]["replayed"]
    cells = tiny.columns() | {"sample_weight": [3e38] * 6, "advantage": [-1e3] * 6}
    not_finite = tiny.stream(tiny.table(cells, tiny.metadata(3, 2)))
    assert (await service.put(3, not_finite))[1]["applied"] is False
    after = await page(service)
    assert after["updates_applied_total"] == 2
    assert after["tokens_trained_total"] == sum(answer["usage"]["loss_tokens"] for answer in answers) > 0


async def test_metrics_say_how_many_completions_wait(service: Service):
    await service.open()
    release = threading.Event()
    service.engine.submit(release.wait, 10)
    asked = [asyncio.ensure_future(service.complete()) for _ in range(3)]
    await until(lambda: service.generation_queue.lengths()["waiting"] == 3)
    told = await page(service)
    assert (told["generation_requests waiting"], told["generation_requests running"]) == (3, 0)
    release.set()
    await asyncio.gather(*asked)
    told = await page(service)
    assert (told["generation_requests waiting"], told["generation_requests running"]) == (0, 0)


async def test_without_the_library_the_page_says_so(service: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    status, problem = await service.call("GET", "/metrics")
    assert (status, problem["code"], problem["retryable"]) == (501, "metrics_unavailable", False)
    assert "prometheus-client" in problem["detail"]
    await service.open()
    assert (await service.put(1, tiny.update(1)))[0] == 200


def test_a_device_that_was_not_touched_is_left_alone(gpu: dict[str, int], monkeypatch: pytest.MonkeyPatch):  # noqa: F811 - a fixture
    held = {"allocated": 5 * GIB, "reserved": 30 * GIB}
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert device_memory(CUDA) == held
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert device_memory(CUDA) == held | {"free": 35 * GIB}
