"""One process a state directory. A run's next owner may ask the last one to leave: who started it may be stopped."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import IO

ASK = "wanted"
LOOK_SECONDS = 0.25
WAIT_SECONDS = 20.0
ASKED_TO_LEAVE = 0


def take(state: Path, *, take_over: bool) -> IO[str] | None:
    """Locks the directory until the file is closed or the process dies; None when another process keeps it."""
    file = (state / "lock").open("w")
    if _try(file):
        return _keep(state, file)
    if take_over:
        (state / ASK).touch()
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if _try(file):
                return _keep(state, file)
            time.sleep(LOOK_SECONDS)
    file.close()
    return None


def _try(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _keep(state: Path, file: IO[str]) -> IO[str]:
    (state / ASK).unlink(missing_ok=True)
    threading.Thread(target=_leave_when_asked, args=(state,), daemon=True).start()
    return file


def _leave_when_asked(state: Path) -> None:
    # at once, as by a kill: what was applied is in the log, and no request of the last owner may be answered any more
    while not (state / ASK).exists():
        time.sleep(LOOK_SECONDS)
    os._exit(ASKED_TO_LEAVE)
