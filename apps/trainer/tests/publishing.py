"""What tests of publishing share: the calls that an engine hears, in order, and the three requests that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import Service
from tests.loopback_engine import LoopbackEngine

BEFORE = ["/openapi.json", "/v1/models", "/pause?mode=keep"]
FORGET = "/reset_prefix_cache?reset_running_requests=true"
AFTER = [FORGET, "/resume", "/v1/completions"]
UPDATE = ["/start_weight_update", "/update_weights", "/finish_weight_update"]
CONNECT = "/init_weight_transfer_engine"


async def publish(service: Service, version: int, *targets: dict[str, Any], **changes: Any) -> tuple[int, Any]:
    body = {"format": 1, "version": version, "targets": list(targets)} | changes
    return await service.call("POST", "/v1/runs/r/publish", body)


def shared(engine: LoopbackEngine, directory: Path, **changes: Any) -> dict[str, Any]:
    return {"kind": "vllm", "url": engine.url, "transport": "directory", "directory": str(directory)} | changes


async def held(service: Service) -> list[tuple[int, str]]:
    _, answer = await service.call("GET", "/v1/runs/r/publish")
    return [(row["version"], row["state"]) for row in answer["targets"]]
