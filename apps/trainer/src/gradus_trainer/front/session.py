"""An open run as the front sees it: lease, counters, the update that runs. Lives on the event loop alone."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from aiohttp import web

from gradus_trainer.engine.run import Run
from gradus_trainer.generated.wire import HEADER
from gradus_trainer.problem import Problem
from gradus_trainer.wire.decode import Limits

MAX_WAIT_SECONDS = 600.0
DEFAULT_WAIT_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class Running:
    """The update that the engine has or waits for."""

    number: int
    digest: str
    answer: asyncio.Future[dict[str, Any]]


class Session:
    """Facts of one run that requests are judged by. The engine's own state is `live`."""

    def __init__(self, name: str, live: Run, lease: int, next_update: int, durable_update: int) -> None:
        self.name = name
        self.live = live
        self.lease = lease
        self.version = live.version
        self.next_update = next_update
        self.durable_update = durable_update
        self.running: Running | None = None
        self.digest: tuple[int, str] | None = None

    @property
    def limits(self) -> Limits:
        """What a body may contain now."""
        architecture = self.live.architecture
        return Limits(architecture.vocab_size, architecture.max_positions, self.version)

    def check_lease(self, request: web.Request) -> None:
        """Refuses a write whose lease is not the newest one."""
        text = request.headers.get(HEADER["lease"])
        if text is None:
            raise Problem("field_missing", "the header Lease is missing", field=HEADER["lease"])
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Problem("field_invalid", "the header Lease must be a number", field=HEADER["lease"])
        if int(text) != self.lease:
            detail = f"the lease {text} is not the newest one, {self.lease}"
            raise Problem("stale_lease", detail, field=HEADER["lease"])


def preferred_wait(request: web.Request) -> float:
    """Seconds of `Prefer: wait=…` (RFC 7240), 30 when absent."""
    for preference in request.headers.get(HEADER["prefer"], "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.strip().lower() == "wait":
            try:
                seconds = float(value.strip(' "'))
            except ValueError:
                seconds = -1.0
            if not 0 <= seconds < float("inf"):
                raise Problem("field_invalid", "Prefer: wait must be seconds", field=HEADER["prefer"])
            return min(seconds, MAX_WAIT_SECONDS)
    return DEFAULT_WAIT_SECONDS
