"""Routes of named checkpoints."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.front.body import answer_json, read_json
from gradus_trainer.front.runs import Runs
from gradus_trainer.generated.wire import FORMAT, NAME_PATTERN
from gradus_trainer.ledger import Ledger
from gradus_trainer.wire.fields import Fields


class Checkpoints:
    """Routes of `/v1/runs/{run}/checkpoints`."""

    def __init__(self, runs: Runs, engine: Engine, ledger: Ledger) -> None:
        self._runs, self._engine, self._ledger = runs, engine, ledger

    async def create(self, request: web.Request) -> web.Response:
        """Makes the run durable under a name. Sent again before another update, it gives the same answer."""
        session = self._runs.session(request)
        session.check_lease(request)
        fields = Fields(await read_json(request))
        fields.format()
        name, policy = fields.text("name", 64), fields.boolean("policy")
        if not re.fullmatch(NAME_PATTERN, name):
            raise fields.refuse("name", f"must match {NAME_PATTERN}")
        fields.close()
        session.check_lease(request)
        work = self._engine.submit(self._engine.checkpoint, session.live, name, policy)
        written = await asyncio.wrap_future(work)
        answer = await asyncio.wrap_future(written)
        session.durable_update = max(session.durable_update, answer["update"])
        return answer_json(answer)

    async def index(self, request: web.Request) -> web.Response:
        """Lists the named checkpoints, oldest first."""
        rows = self._ledger.checkpoints(self._runs.session(request).name)
        listed = [{key: row[key] for key in ("name", "update", "version", "digest")} for row in rows]
        return answer_json({"format": FORMAT, "checkpoints": listed})
