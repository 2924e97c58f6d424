"""The device's memory for somebody else and back, over the service."""

from __future__ import annotations

from pathlib import Path

from tests import tiny
from tests.conftest import Service
from tests.loopback_engine import LoopbackEngine
from tests.publishing import publish, shared


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
