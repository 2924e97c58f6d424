"""Whether the process lives, and whether it can be given work now. Neither wants a token: who asks is a supervisor."""

from __future__ import annotations

from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.front.body import answer_json
from gradus_trainer.front.runs import Runs
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.problem import Problem


class Health:
    """Routes `/healthz` and `/readyz`. Both answer while the engine thread is busy."""

    def __init__(self, runs: Runs, engine: Engine) -> None:
        self._runs, self._engine = runs, engine

    async def alive(self, _request: web.Request) -> web.Response:
        """The event loop answers."""
        return answer_json({"format": FORMAT, "status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Work that is sent now is not refused, and waits for nothing but other work."""
        reason = self._reason()
        if reason is not None:
            raise Problem("not_ready", reason)
        return answer_json({"format": FORMAT, "status": "ready"})

    def _reason(self) -> str | None:
        if self._engine.workers_missing:
            return "workers are missing"
        opening = self._runs.opening or self._engine.opening
        if opening is not None:
            return f"the run {opening} is being opened"
        return "the weights are on the host: POST /v1/engine/onload first" if self._runs.offloaded else None
