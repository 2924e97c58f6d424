"""The calls around a weight transfer: start before, finish after. One that was left open is closed first."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from gradus_trainer.publish.control import Control
from gradus_trainer.publish.failure import PublishFailed

ROUTES = frozenset({"/init_weight_transfer_engine", "/start_weight_update", "/update_weights", "/finish_weight_update"})


@contextlib.asynccontextmanager
async def within_update(control: Control) -> AsyncIterator[None]:
    """Starts an update; finishes it when the block did not fail. A block that fails leaves the engine mixed."""
    try:
        await control.call("start", "POST", "/start_weight_update", {})
    except PublishFailed:
        # an earlier publisher may have died between start and finish: close its update, then begin again
        await control.call("start", "POST", "/finish_weight_update", {})
        await control.call("start", "POST", "/start_weight_update", {})
    yield
    await control.call("finish", "POST", "/finish_weight_update", {})
