"""Which prompts are in the pool: they are run ahead in large waves, and kept until their last row has ended."""

from __future__ import annotations

import dataclasses
from collections import deque

from gradus_trainer.sampler.continuous.ranges import Ranges
from gradus_trainer.sampler.job import Job

WAVE_TOKENS = 16384
"""Padded tokens of one wave at most, unless a single prompt is longer."""
AHEAD_TOKENS = WAVE_TOKENS
"""Tokens that prompts may hold in the pool before there is a free position for their rows."""


@dataclasses.dataclass(eq=False)
class Prompt:
    """A prompt's keys and values: all its tokens but the last, which is the first input of each of its rows."""

    job: Job
    index: int
    start: int = 0
    admitted: int = 0
    live: int = 0

    @property
    def ids(self) -> list[int]:
        """The prompt's tokens."""
        return self.job.chunk.prompts[self.index]

    @property
    def length(self) -> int:
        """Tokens that it holds in the pool."""
        return len(self.ids) - 1

    @property
    def waiting(self) -> int:
        """Rows that were not admitted yet."""
        return self.job.chunk.samples - self.admitted


class Prompts:
    """Prompts in order of arrival: `waiting` are not in the pool, `ready` are and have rows to give."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self.waiting: deque[Prompt] = deque()
        self.ready: deque[Prompt] = deque()

    def add(self, job: Job) -> None:
        """Queues all prompts of a request."""
        self.waiting.extend(Prompt(job, index) for index in range(len(job.chunk.prompts)))

    def drop_abandoned(self) -> None:
        """Forgets prompts whose client has gone, those without live rows at once."""
        self.waiting = deque(prompt for prompt in self.waiting if not prompt.job.abandoned.is_set())
        for prompt in [prompt for prompt in self.ready if prompt.job.abandoned.is_set()]:
            self.ready.remove(prompt)
            prompt.admitted = prompt.job.chunk.samples
            self._give(prompt)

    def next_wave(self, wanted_rows: int, most: int | None = None) -> list[Prompt]:
        """Prompts to run now, at most `most`, their ranges taken: none while the ready ones have `wanted_rows`."""
        rows = sum(prompt.waiting for prompt in self.ready)
        if rows >= wanted_rows:
            return []
        held = sum(prompt.length for prompt in self.ready)
        wave: list[Prompt] = []
        longest = 0
        while self.waiting and (most is None or len(wave) < most):
            prompt = self.waiting[0]
            longest = max(longest, prompt.length)
            padded = longest * (len(wave) + 1)
            if wave and (padded > WAVE_TOKENS or (rows >= wanted_rows and held + prompt.length > AHEAD_TOKENS)):
                break
            start = self._ranges.take(prompt.length)
            if start is None:
                break
            prompt.start = start
            held += prompt.length
            rows += prompt.waiting
            wave.append(self.waiting.popleft())
        self.ready.extend(wave)
        return wave

    def put_back(self) -> None:
        """Empties the pool of prompts, none of which may have a live row, so that one can begin in a free pool."""
        while self.ready:
            prompt = self.ready.pop()
            self._ranges.give(prompt.start, prompt.length)
            self.waiting.appendleft(prompt)

    def admit_row(self) -> Prompt:
        """Gives the next row's prompt; its sample number is `admitted` − 1."""
        prompt = self.ready[0]
        prompt.admitted += 1
        prompt.live += 1
        if not prompt.waiting:
            self.ready.popleft()
        return prompt

    def end_row(self, prompt: Prompt) -> None:
        """One row fewer; the last one frees the prompt's range."""
        prompt.live -= 1
        self._give(prompt)

    def _give(self, prompt: Prompt) -> None:
        if not prompt.live and not prompt.waiting:
            self._ranges.give(prompt.start, prompt.length)
