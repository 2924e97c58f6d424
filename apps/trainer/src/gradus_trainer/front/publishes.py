"""The publish routes: weights to engines, and what each engine is known to hold."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.front.body import answer_json, read_json
from gradus_trainer.front.runs import Runs
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.problem import Problem
from gradus_trainer.publish.failure import PublishFailed
from gradus_trainer.publish.publisher import Publisher
from gradus_trainer.publish.staged import stage
from gradus_trainer.publish.target import read_targets
from gradus_trainer.wire.fields import Fields


class Publishes:
    """Routes of `/v1/runs/{run}/publish`."""

    def __init__(self, runs: Runs, engine: Engine) -> None:
        self._runs, self._engine = runs, engine
        self._publisher = Publisher(engine)

    async def create(self, request: web.Request) -> web.Response:
        """Publishes to all targets at once. It is always whole: sent again, everything is sent again."""
        session = self._runs.session(request)
        session.check_lease(request)
        fields = Fields(await read_json(request))
        fields.format()
        version, targets = fields.integer("version"), read_targets(fields)
        fields.close()
        session.check_lease(request)
        self._runs.check_loaded()
        live = session.live
        if not isinstance(live, LiveRun):
            raise Problem("policy_unavailable", "the policy is cut over workers, which do not publish", field="run")
        start = time.perf_counter()
        staged = await asyncio.wrap_future(self._engine.submit(stage, live, version))
        staged_seconds = time.perf_counter() - start
        done = await asyncio.gather(
            *(self._publisher.publish(live, staged, target) for target in targets), return_exceptions=True
        )
        failures = []
        for target, outcome in zip(targets, done, strict=True):
            if isinstance(outcome, PublishFailed):
                failures.append(f"{target.url} at {outcome}")
            elif isinstance(outcome, BaseException):
                raise outcome
        if failures:
            raise Problem("publish_failed", "; ".join(failures))
        answer = {"format": FORMAT, "run": session.name, "version": version, "stage_seconds": staged_seconds}
        return answer_json(answer | {"targets": list(done)})

    async def show(self, request: web.Request) -> web.Response:
        """What the engines that this process published the run to hold."""
        session = self._runs.session(request)
        rows = [
            {"url": url, "version": held.version, "state": held.state, "reason": held.reason}
            for url, held in sorted(self._publisher.held.items())
            if held.run == session.name
        ]
        return answer_json({"format": FORMAT, "run": session.name, "targets": rows})
