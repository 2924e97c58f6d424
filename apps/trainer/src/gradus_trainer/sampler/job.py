"""A request on its way through a generator: its chunk, what is known of its rows, whether anybody still waits."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from gradus_trainer.sampler.decode import Chunk, Completions


class Job:
    """One chunk. `abandon` may be called by any thread; everything else belongs to the generating thread."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.answer: Future[Completions] = Future()
        self.version = 0
        """Policy version it was decoded with; set before the answer is."""
        self.abandoned = threading.Event()
        count = len(chunk.prompts) * chunk.samples
        self._token_ids: list[list[int]] = [[] for _ in range(count)]
        self._logprobs: list[list[float]] = [[] for _ in range(count)]
        self._stopped = [False] * count
        self._missing = count

    def abandon(self) -> None:
        """Says that nobody waits any more: it is not begun, or given up within a step."""
        self.abandoned.set()
        self.answer.cancel()

    def begin(self, version: int) -> bool:
        """Says whether somebody still waits, and with which policy version it is decoded."""
        self.version = version
        return self.answer.set_running_or_notify_cancel()

    def finish_row(self, row: int, token_ids: list[int], logprobs: list[float], stopped: bool) -> None:
        """Keeps a row's tokens; the last missing row resolves the answer."""
        self._token_ids[row], self._logprobs[row], self._stopped[row] = token_ids, logprobs, stopped
        self._missing -= 1
        if not self._missing:
            self.answer.set_result(Completions(self._token_ids, self._logprobs, self._stopped))
