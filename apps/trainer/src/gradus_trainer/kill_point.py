"""Ends this process by kill -9 at a named transition, for tests alone.

`GRADUS_KILL_AT=trainer.<transition>#<n>`, n from 1, with `NODE_ENV=test`.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

Reached = Callable[[str], None]

VARIABLE = "GRADUS_KILL_AT"
TRANSITIONS = ("log", "apply", "applied", "saved", "durable")
REFUSED = 2


def nothing(_transition: str) -> None:
    """Lets every transition pass."""


def kill_point(environment: Mapping[str, str]) -> Reached:
    """Makes what the engine tells of its transitions; it kills where asked, in tests alone."""
    text = environment.get(VARIABLE, "")
    if not text.startswith("trainer."):
        return nothing
    if environment.get("NODE_ENV") != "test":
        _refuse("NODE_ENV is not test")
    found = re.fullmatch(r"trainer\.([a-z]+)#([1-9][0-9]*)", text)
    if found is None or found[1] not in TRANSITIONS:
        _refuse(f"{text} is not trainer.<{'|'.join(TRANSITIONS)}>#<n>")
    return _Kill(found[1], int(found[2]))


def _refuse(reason: str) -> NoReturn:
    print(f"{VARIABLE} ends this process by kill -9 and is for tests alone ({reason}): unset it", file=sys.stderr)  # noqa: T201 - for who started it
    sys.exit(REFUSED)


class _Kill:
    def __init__(self, transition: str, left: int) -> None:
        self._transition, self._left = transition, left

    def __call__(self, transition: str) -> None:
        if transition != self._transition:
            return
        self._left -= 1
        if self._left == 0:
            # a raised error would leave locks, buffers and sockets in good order; a dead process does not
            os.kill(os.getpid(), signal.SIGKILL)
