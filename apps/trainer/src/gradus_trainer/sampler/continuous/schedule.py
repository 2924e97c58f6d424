"""Who computes where: rows of the queued requests take free positions of the batch, and leave them when they end.

Everything is a function of the requests and of the tokens that come back; no tensor, no clock.
"""

from __future__ import annotations

import dataclasses
import heapq

import numpy as np
from numpy.typing import NDArray

from gradus_trainer.sampler.continuous.prompts import Prompt, Prompts
from gradus_trainer.sampler.continuous.ranges import Ranges
from gradus_trainer.sampler.continuous.row_state import IDLE, signed, temperature_bits
from gradus_trainer.sampler.job import Job

Ints = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Row:
    """A live row: sample `sample` of its prompt, with room for `capacity` tokens from `start` of the pool."""

    prompt: Prompt
    sample: int
    start: int
    capacity: int

    def state(self) -> tuple[int, ...]:
        """The fields of row_state.py when the row begins."""
        chunk, prompt = self.prompt.job.chunk, self.prompt
        seed = (chunk.group_seeds[prompt.index] + self.sample) % 2**64
        temperature = temperature_bits(chunk.temperature)
        where = (self.capacity, prompt.start, prompt.length, self.start)
        return (prompt.ids[-1], 0, *where, signed(seed), temperature)


class Schedule:
    """Positions of the batch and the rows on them. Token 0 of the pool belongs to idle positions."""

    def __init__(self, positions: int, pool_tokens: int, vocab_size: int) -> None:
        self._ranges = Ranges(1, pool_tokens - 1)
        self.prompts = Prompts(self._ranges)
        self._rows: list[Row | None] = [None] * positions
        self._free = list(range(positions))
        self._changed: dict[int, tuple[int, ...]] = {}
        self._serials = 0
        self.serial_P: Ints = np.zeros(positions, np.int64)
        self._count_P: Ints = np.zeros(positions, np.int64)
        self._limit_P: Ints = np.zeros(positions, np.int64)
        self._stops: dict[tuple[int, ...], int] = {}
        self._stop_P: Ints = np.zeros(positions, np.int64)
        self._stop_SV: NDArray[np.bool_] = np.zeros((0, vocab_size), np.bool_)
        self._token_PT: NDArray[np.int32] = np.zeros((positions, 1), np.int32)
        self._logprob_PT: NDArray[np.float32] = np.zeros((positions, 1), np.float32)

    @property
    def live(self) -> int:
        """Rows that are decoded."""
        return len(self._rows) - len(self._free)

    @property
    def width(self) -> int:
        """Positions up to the last live one."""
        live = np.flatnonzero(self.serial_P)
        return int(live[-1]) + 1 if live.size else 0

    def add(self, job: Job) -> None:
        """Queues a request and makes its rows' records fit."""
        self.prompts.add(job)
        extra = job.chunk.max_tokens - self._token_PT.shape[1]
        if extra > 0:
            self._token_PT = np.pad(self._token_PT, ((0, 0), (0, extra)))
            self._logprob_PT = np.pad(self._logprob_PT, ((0, 0), (0, extra)))
        if job.chunk.stop not in self._stops:
            self._stops[job.chunk.stop] = len(self._stops)
            self._stop_SV = np.pad(self._stop_SV, ((0, 1), (0, 0)))
            self._stop_SV[-1, list(job.chunk.stop)] = True

    def drop_abandoned(self) -> None:
        """Frees the rows and prompts of requests that nobody waits for."""
        for position, row in enumerate(self._rows):
            if row is not None and row.prompt.job.abandoned.is_set():
                self._leave(position, row)
        self.prompts.drop_abandoned()

    def next_wave(self) -> list[Prompt]:
        """Prompts to run before rows are admitted. A pool too full for any row is emptied of waiting prompts."""
        if not self.live and self.prompts.ready and not self._fits():
            self.prompts.put_back()
            return self.prompts.next_wave(1, most=1)
        return self.prompts.next_wave(len(self._free))

    def _fits(self) -> bool:
        capacity = self.prompts.ready[0].job.chunk.max_tokens
        start = self._ranges.take(capacity)
        if start is not None:
            self._ranges.give(start, capacity)
        return start is not None

    def admit(self) -> None:
        """Gives free positions, lowest first, to the rows of ready prompts while the pool has room."""
        while self._free and self.prompts.ready:
            capacity = self.prompts.ready[0].job.chunk.max_tokens
            start = self._ranges.take(capacity)
            if start is None:
                return
            prompt = self.prompts.admit_row()
            self._sit(heapq.heappop(self._free), Row(prompt, prompt.admitted - 1, start, capacity))

    def _sit(self, position: int, row: Row) -> None:
        chunk = row.prompt.job.chunk
        self._rows[position] = row
        self._serials += 1
        self.serial_P[position] = self._serials
        self._count_P[position] = 0
        self._limit_P[position] = chunk.max_tokens
        self._stop_P[position] = self._stops[chunk.stop]
        self._changed[position] = row.state()

    def changes(self) -> dict[int, tuple[int, ...]]:
        """New states by position since the last call."""
        changed, self._changed = self._changed, {}
        return changed

    def observe(self, serial_P: Ints, token_P: NDArray[np.int32], logprob_P: NDArray[np.float32]) -> None:
        """Takes what a step chose. `serial_P` says which rows were there when the step was launched."""
        width = len(serial_P)
        position = np.flatnonzero((serial_P == self.serial_P[:width]) & (serial_P > 0))
        token, count = token_P[position], self._count_P[position]
        self._token_PT[position, count] = token
        self._logprob_PT[position, count] = logprob_P[position]
        self._count_P[position] = count + 1
        stopped = self._stop_SV[self._stop_P[position], token]
        ended = stopped | (count + 1 >= self._limit_P[position])
        for place, stop in zip(position[ended].tolist(), stopped[ended].tolist(), strict=True):
            row = self._rows[place]
            assert row is not None
            self._finish(place, row, stop)

    def _finish(self, position: int, row: Row, stopped: bool) -> None:
        count = self._count_P[position]
        prompt = row.prompt
        number = prompt.index * prompt.job.chunk.samples + row.sample
        ids, logprobs = self._token_PT[position, :count].tolist(), self._logprob_PT[position, :count].tolist()
        self._leave(position, row)
        prompt.job.finish_row(number, ids, logprobs, stopped)

    def _leave(self, position: int, row: Row) -> None:
        self._ranges.give(row.start, row.capacity)
        self.prompts.end_row(row.prompt)
        self._rows[position] = None
        self.serial_P[position] = 0
        self._changed[position] = IDLE
        heapq.heappush(self._free, position)

    def pack(self) -> Ints:
        """Moves live rows to the first positions; gives, for every position, the one whose state it takes over."""
        live = np.flatnonzero(self.serial_P)
        order: Ints = np.concatenate((live, np.flatnonzero(self.serial_P == 0)))
        self._rows = [self._rows[position] for position in order.tolist()]
        self._free = list(range(len(live), len(order)))
        for name in ("serial_P", "_count_P", "_limit_P", "_stop_P", "_token_PT", "_logprob_PT"):
            setattr(self, name, getattr(self, name)[order])
        return order
