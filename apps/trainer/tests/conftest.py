"""The service on loopback, inside the test's own event loop; one thread, since these tensors are too small for two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import torch
from aiohttp import web

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.front.app import GENERATION, RUNS, make_app
from gradus_trainer.ledger import Ledger
from gradus_trainer.sampler.queue import GenerationQueue
from gradus_trainer.versions import prepare_torch
from tests import tiny
from tests.loopback_engine import LoopbackEngine

ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture(autouse=True, scope="session")
def _deterministic() -> None:
    prepare_torch(torch.device("cpu"), 1)


class Service:
    """A client of one service. `lease` is the newest one that `open` was given."""

    def __init__(
        self, client: aiohttp.ClientSession, url: str, engine: Engine | None, app: web.Application | None = None
    ) -> None:
        self.client, self.url, self._engine, self._app = client, url, engine, app
        self.lease = 0

    def engine_run(self, name: str) -> LiveRun:
        """An open run as the engine has it."""
        assert self._app is not None
        return self._app[RUNS].sessions[name].live

    @property
    def generation_queue(self) -> GenerationQueue:
        assert self._app is not None
        return self._app[GENERATION].queue

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    async def call(self, method: str, path: str, json: Any = None, **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": "Bearer secret", "Lease": str(self.lease)} | options.pop("headers", {})
        async with self.client.request(method, self.url + path, json=json, headers=headers, **options) as answer:
            if "json" in answer.content_type:
                return answer.status, await answer.json(content_type=None)
            return answer.status, await answer.read()

    async def open(self, run: str = "r", **changes: Any) -> dict[str, Any]:
        status, document = await self.call("PUT", f"/v1/runs/{run}", tiny.run_body(**changes))
        assert status in (200, 201), document
        self.lease = document["lease"]
        return document

    async def put(self, number: int, body: bytes, run: str = "r", **headers: str) -> tuple[int, Any]:
        sent = {"Content-Type": ARROW, "Content-Digest": tiny.digest_header(body)} | headers
        return await self.call("PUT", f"/v1/runs/{run}/updates/{number}", data=body, headers=sent)

    async def show(self, run: str = "r") -> dict[str, Any]:
        status, document = await self.call("GET", f"/v1/runs/{run}")
        assert status == 200, document
        return document

    async def complete(self, **request: Any) -> dict[str, Any]:
        asked = {"model": "r", "prompt": "<on>abc=", "max_tokens": 12, "logprobs": 0, "return_token_ids": True}
        status, document = await self.call("POST", "/v1/completions", asked | request)
        assert status == 200, document
        return document

    async def complete_within(self, seconds: float) -> None:
        """Asks for a completion and hangs up after `seconds`."""
        await self.call(
            "POST",
            "/v1/completions",
            {"model": "r", "prompt": "<on>abc=", "max_tokens": 12},
            timeout=aiohttp.ClientTimeout(seconds),
        )


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    engine = Engine(tmp_path, Artifacts(tmp_path / "artifacts"), ledger, torch.device("cpu"), 1)
    app = make_app(engine, ledger, "secret", 1 << 20)
    runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as client:
        yield Service(client, f"http://127.0.0.1:{runner.addresses[0][1]}", engine, app)
    await runner.cleanup()
    engine.stop()
    ledger.close()


@pytest.fixture
async def engine() -> AsyncIterator[LoopbackEngine]:
    """An engine that writes down what it is asked, for tests of publishing."""
    made = LoopbackEngine()
    runner = await made.start()
    yield made
    await runner.cleanup()
