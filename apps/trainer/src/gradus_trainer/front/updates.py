"""The update route: exactly once, whatever is sent twice, cut, late or out of order."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from typing import Any

from aiohttp import web

from gradus_trainer.engine.engine import Engine, Work
from gradus_trainer.front.body import answer_json, read_arrow
from gradus_trainer.front.off_loop import compute
from gradus_trainer.front.runs import Runs
from gradus_trainer.front.session import Running, Session, preferred_wait
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.ledger import Ledger
from gradus_trainer.problem import Problem
from gradus_trainer.wire.decode import decode_update
from gradus_trainer.wire.metadata import UpdateSpec


@dataclasses.dataclass
class Done:
    """What this process applied since it began."""

    applied: int = 0
    loss_tokens: int = 0


class Updates:
    """Routes of `/v1/runs/{run}/updates/{n}`."""

    def __init__(self, runs: Runs, engine: Engine, ledger: Ledger) -> None:
        self._runs, self._engine, self._ledger = runs, engine, ledger
        self.done = Done()

    async def put(self, request: web.Request) -> web.Response:
        """Applies an update, joins it, or repeats its answer."""
        session, number = self._runs.session(request), _number(request)
        session.check_lease(request)
        wait = preferred_wait(request)
        body, digest = await read_arrow(request, digest_required=True)
        known = self._known(session, number, digest)
        if known is None:
            start = time.perf_counter()
            spec, batch = await compute(len(body), decode_update, body, session.limits)
            _check_address(spec, session.name, number)
            work = Work(spec, batch, body, digest, time.perf_counter() - start)
            # The body took time to arrive and to decode: judge again, then start without another await.
            session.check_lease(request)
            known = self._known(session, number, digest) or self._start(session, work)
        return await _answer(session, number, known, wait)

    def _known(self, session: Session, number: int, digest: str) -> dict[str, Any] | Running | None:
        """The stored answer, the running update to join, or None when `number` is the next one."""
        stored = self._ledger.applied(session.name, number)
        running = session.running if session.running and session.running.number == number else None
        first = stored[0] if stored else running.digest if running else None
        if first is not None and first != digest:
            detail = f"update {number} was sent before with the digest {first}"
            raise Problem("update_conflict", detail, expected=session.next_update)
        if stored:
            return stored[1] | {"replayed": True}
        if running:
            return running
        if number != session.next_update:
            detail = f"update {number} was sent, {session.next_update} is expected"
            raise Problem("update_gap", detail, expected=session.next_update)
        return None

    def _start(self, session: Session, work: Work) -> Running:
        if self._runs.sessions.get(session.name) is not session:
            raise Problem("run_unknown", f"the run {session.name} is not open")
        self._runs.check_loaded()
        if work.spec.parent_version != session.version:
            detail = f"the parent version is {work.spec.parent_version}, the policy has {session.version}"
            raise Problem("version_conflict", detail, field="gradus.parent_version", expected=session.next_update)
        done = asyncio.wrap_future(self._engine.submit(self._engine.update, session.live, work))
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        session.running = Running(work.spec.update, work.digest, answer)
        done.add_done_callback(lambda future: self._finish(session, work.spec.update, answer, future))
        return session.running

    def _finish(
        self,
        session: Session,
        number: int,
        answer: asyncio.Future[dict[str, Any]],
        done: asyncio.Future[tuple[dict[str, Any], int]],
    ) -> None:
        """Moves the counters before anyone who waits wakes up."""
        session.running = None
        if done.cancelled():
            answer.set_exception(Problem("shutting_down", "the trainer is shutting down"))
        elif (error := done.exception()) is not None:
            answer.set_exception(error)
        else:
            document, session.version = done.result()
            session.next_update = number + 1
            if document["applied"]:
                self.done.applied += 1
                self.done.loss_tokens += document["usage"]["loss_tokens"]
            answer.set_result(document)
        if not answer.cancelled():
            answer.exception()  # An update that nobody waits for any more is not an unhandled error.

    async def get(self, request: web.Request) -> web.Response:
        """The stored answer, or 202 while it runs."""
        session, number = self._runs.session(request), _number(request)
        wait = preferred_wait(request)
        stored = self._ledger.applied(session.name, number)
        if stored:
            return answer_json(stored[1])
        if session.running is None or session.running.number != number:
            raise Problem("update_unknown", f"there is no update {number}", expected=session.next_update)
        return await _answer(session, number, session.running, wait)


def _number(request: web.Request) -> int:
    number = int(request.match_info["n"])
    if number < 1:
        raise Problem("field_invalid", "updates count from 1", field="update")
    return number


def _check_address(spec: UpdateSpec, run: str, number: int) -> None:
    if spec.run != run:
        raise Problem("field_invalid", f"the metadata is for the run {spec.run}", field="gradus.run")
    if spec.update != number:
        raise Problem("field_invalid", f"the metadata is for update {spec.update}", field="gradus.update")


async def _answer(session: Session, number: int, known: dict[str, Any] | Running, wait: float) -> web.Response:
    if not isinstance(known, Running):
        return answer_json(known)
    await asyncio.wait([known.answer], timeout=wait)
    if not known.answer.done():
        return answer_json({"format": FORMAT, "run": session.name, "update": number, "status": "running"}, 202)
    return answer_json(known.answer.result())
