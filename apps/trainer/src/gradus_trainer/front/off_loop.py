"""Work on bodies, where it belongs: small ones on the event loop, since a thread costs more; great ones off it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
INLINE_BYTES = 1 << 18
"""Bodies up to this size are worked on where they arrive."""


async def compute(size: int, work: Callable[..., Result], *arguments: object) -> Result:
    """What `work` makes of a body of `size` bytes. Other requests are answered meanwhile."""
    if size <= INLINE_BYTES:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)
