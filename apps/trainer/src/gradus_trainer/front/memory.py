"""The routes that hand the device's memory over to another program and take it back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.offload import held_bytes, offload, onload
from gradus_trainer.front.body import answer_json
from gradus_trainer.front.generation import Generation
from gradus_trainer.front.runs import Runs
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.problem import Problem


class Memory:
    """Routes of `/v1/engine`. Between both calls everything that computes is refused with `engine_offloaded`."""

    def __init__(self, runs: Runs, engine: Engine, generation: Generation) -> None:
        self._runs, self._engine, self._generation = runs, engine, generation
        self._order = asyncio.Lock()

    async def offload(self, _request: web.Request) -> web.Response:
        """Weights and moments go to the host; sent again, nothing happens."""
        async with self._order:
            if self._runs.offloaded:
                return self._answer(0, 0.0)
            # what arrives from here on is refused; what was queued before is done first
            self._runs.offloaded = True
            try:
                return self._answer(*await self._on_engine(self._free))
            except BaseException:
                self._runs.offloaded = False
                raise

    def _free(self) -> int:
        runs = self._open_runs()
        self._generation.make_way()
        return offload(runs, self._engine.device)

    def _take(self) -> int:
        return onload(self._open_runs(), self._engine.device)

    def _open_runs(self) -> list[LiveRun]:
        """Of the engine thread, where a run that was being opened when this was asked for is open already."""
        runs = list(self._engine.runs.values())
        live = [run for run in runs if isinstance(run, LiveRun)]
        if len(live) < len(runs):
            raise Problem("policy_unavailable", "a policy that is cut over workers stays on their devices")
        return live

    async def onload(self, _request: web.Request) -> web.Response:
        """They come back; sent again, nothing happens."""
        async with self._order:
            if not self._runs.offloaded:
                return self._answer(0, 0.0)
            answer = await self._on_engine(self._take)
            self._runs.offloaded = False
            return self._answer(*answer)

    async def _on_engine(self, work: Callable[[], int]) -> tuple[int, float]:
        start = time.perf_counter()
        size = await asyncio.wrap_future(self._engine.submit(work))
        return size, time.perf_counter() - start

    def _answer(self, size: int, seconds: float) -> web.Response:
        held = held_bytes(self._engine.device)
        document = {"format": FORMAT, "offloaded": self._runs.offloaded, "bytes": size, "held_bytes": held}
        return answer_json(document | {"seconds": seconds})
