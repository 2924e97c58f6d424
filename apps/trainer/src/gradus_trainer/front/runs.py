"""Routes that open, show and close runs, and that turn text to tokens."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.run import engine_offloaded
from gradus_trainer.front.body import answer_json, read_json, read_sized_json
from gradus_trainer.front.off_loop import compute
from gradus_trainer.front.session import Session
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.ledger import Ledger
from gradus_trainer.problem import Problem
from gradus_trainer.wire.fields import Fields
from gradus_trainer.wire.run_body import RunBody, conflict, read_run_body

MAX_TEXTS = 1 << 16


class Runs:
    """The open runs of this process."""

    def __init__(self, engine: Engine, ledger: Ledger) -> None:
        self.sessions: dict[str, Session] = {}
        self.offloaded = False
        self.opening: str | None = None
        """The run that waits to be opened, or is."""
        self._engine, self._ledger = engine, ledger
        self._opening = asyncio.Lock()

    def session(self, request: web.Request) -> Session:
        """The run that a request is about."""
        return self.named(request.match_info["run"])

    def named(self, name: str, field: str | None = None) -> Session:
        """An open run by name."""
        session = self.sessions.get(name)
        if session is None:
            raise Problem("run_unknown", f"the run {name} is not open", field=field)
        return session

    def check_loaded(self) -> None:
        """Refuses what computes while the device's memory is handed over."""
        if self.offloaded:
            raise engine_offloaded()

    async def open(self, request: web.Request) -> web.Response:
        """PUT /v1/runs/{run}"""
        name = request.match_info["run"]
        body = read_run_body(await read_json(request))
        async with self._opening:
            self.check_loaded()
            row = self._ledger.run(name)
            problem = conflict(row.body, body.stored) if row else None
            if problem is not None:
                raise problem
            session = await self._take_over(name, body)
        return answer_json(await self._document(session), 201 if row is None else 200)

    async def _take_over(self, name: str, body: RunBody) -> Session:
        """Opens the run unless it is open, and grants a new lease; an update that runs is finished first."""
        session = self.sessions.get(name)
        if session is None:
            self.opening = name
            try:
                live = await asyncio.wrap_future(self._engine.submit(self._engine.open, name, body))
            finally:
                self.opening = None
            row = self._ledger.run(name)
            assert row is not None
            session = Session(name, live, row.lease, row.next_update, row.durable_update)
            self.sessions[name] = session
        session.lease = self._ledger.next_lease(name)
        if session.running is not None:
            await asyncio.wait([session.running.answer])
        return session

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/runs/{run}"""
        return answer_json(await self._document(self.session(request)))

    async def _document(self, session: Session) -> dict[str, Any]:
        if session.digest is None or session.digest[0] != session.version:
            digest = self._engine.submit(self._engine.digest, session.live)
            session.digest = await asyncio.wrap_future(digest)
        architecture = session.live.architecture
        return {
            "format": FORMAT,
            "run": session.name,
            "lease": session.lease,
            "version": session.version,
            "next_update": session.next_update,
            "durable_update": session.durable_update,
            "parameters": architecture.parameters,
            "vocab_size": architecture.vocab_size,
            "max_positions": architecture.max_positions,
            "end_token_id": session.live.tokenizer.end[0],
            "policy_digest": session.digest[1],
        }

    async def close(self, request: web.Request) -> web.Response:
        """DELETE /v1/runs/{run}"""
        session = self.session(request)
        session.check_lease(request)
        if session.running is not None:
            await asyncio.wait([session.running.answer])
        if self.sessions.pop(session.name, None) is not None:
            await asyncio.wrap_future(self._engine.submit(self._engine.close, session.live))
        return answer_json({"format": FORMAT, "run": session.name, "closed": True})

    async def tokenize(self, request: web.Request) -> web.Response:
        """POST /v1/runs/{run}/tokenize"""
        session, (document, size) = self.session(request), await read_sized_json(request)
        return await compute(size, _tokenize, session, Fields(document))

    async def detokenize(self, request: web.Request) -> web.Response:
        """POST /v1/runs/{run}/detokenize"""
        session, (document, size) = self.session(request), await read_sized_json(request)
        return await compute(size, _detokenize, session, Fields(document))


def _tokenize(session: Session, fields: Fields) -> web.Response:
    fields.format()
    texts = fields.texts("texts", MAX_TEXTS)
    fields.close()
    return answer_json({"format": FORMAT, "ids": session.live.tokenizer.tokenize(texts, "texts")})


def _detokenize(session: Session, fields: Fields) -> web.Response:
    fields.format()
    rows = fields.array("ids", MAX_TEXTS)
    fields.close()
    vocab_size = session.live.architecture.vocab_size
    for index, row in enumerate(rows):
        check_ids(row, f"ids[{index}]", vocab_size)
    return answer_json({"format": FORMAT, "texts": session.live.tokenizer.detokenize(rows)})


def check_ids(ids: Any, field: str, vocab_size: int) -> None:
    """Refuses what is not an array of token ids."""
    if not isinstance(ids, list) or not all(type(token) is int for token in ids):
        raise Problem("field_type", f"{field} must be an array of integers", field=field)
    if ids and not (min(ids) >= 0 and max(ids) < vocab_size):
        raise Problem("token_out_of_range", f"{field} has a token outside 0 … {vocab_size - 1}", field=field)
