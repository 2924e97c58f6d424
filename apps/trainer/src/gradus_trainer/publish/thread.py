"""A blocking call of somebody else's code that may never come back, in a thread that the process does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


def in_daemon(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Begins the call. The threads of asyncio's executor would be joined at the end of the process, this one is not."""
    answer: Future[Any] = Future()
    # whoever no longer waits cancels in vain: the call goes on, and what it makes is still told
    answer.set_running_or_notify_cancel()

    def call() -> None:
        try:
            answer.set_result(function(*arguments))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=call, name=function.__name__, daemon=True).start()
    return answer
