"""The loop of a run: seat rows, launch a step, read the step before.

The host is one step behind: while the device decodes, it reads the step before, ends rows and seats new ones.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable

from gradus_trainer.sampler.continuous.batch_sizes import bucket
from gradus_trainer.sampler.continuous.device_link import DeviceLink, InFlight
from gradus_trainer.sampler.continuous.graphs import Graphs
from gradus_trainer.sampler.continuous.pool import Pool
from gradus_trainer.sampler.continuous.prefill import Prefill
from gradus_trainer.sampler.continuous.schedule import Schedule
from gradus_trainer.sampler.job import Job


@dataclasses.dataclass
class Counters:
    """What a generator did since it was made: steps, positions computed, tokens kept, prompts run in waves."""

    steps: int = 0
    positions: int = 0
    prompts: int = 0
    waves: int = 0


class Decoding:
    """One run over one pool: it ends when every request that it took is answered or abandoned."""

    def __init__(  # noqa: PLR0917 (the parts of a generator, each of its own type)
        self,
        prefill: Prefill,
        pool: Pool,
        positions: int,
        graphs: Graphs,
        link: DeviceLink,
        counters: Counters,
        joins: Callable[[Job], bool],
        arriving: Callable[[], list[Job]],
    ) -> None:
        self._prefill, self._pool, self._graphs, self._link = prefill, pool, graphs, link
        self._counters, self._joins, self._arriving = counters, joins, arriving
        self._schedule = Schedule(positions, pool.tokens, prefill.vocab_size)
        self._flying: deque[InFlight] = deque()
        self._jobs: list[Job] = []

    def run(self, jobs: list[Job]) -> list[Job]:
        """Decodes; gives the requests that came meanwhile and want a larger pool."""
        too_large: list[Job] = []
        self._add(jobs)
        while True:
            for job in self._arriving():
                if self._joins(job):
                    self._add([job])
                else:
                    too_large.append(job)
            self._drop_abandoned()
            self._seat()
            if not self._schedule.live:
                break
            self._launch()
            if len(self._flying) > 1:
                self._observe()
        self._link.change(self._schedule.changes())
        self._flying.clear()
        return too_large

    def _add(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._jobs.append(job)
            self._schedule.add(job)

    def _drop_abandoned(self) -> None:
        if any(job.abandoned.is_set() for job in self._jobs):
            self._schedule.drop_abandoned()
        self._jobs = [job for job in self._jobs if not (job.abandoned.is_set() or job.answer.done())]

    def _seat(self) -> None:
        """Fills free positions; when nobody waits for them, packs the live rows into a smaller batch."""
        schedule = self._schedule
        schedule.admit()
        while wave := schedule.next_wave():
            self._prefill.run(self._pool, wave)
            self._counters.prompts += len(wave)
            self._counters.waves += 1
            schedule.admit()
        if schedule.live and bucket(schedule.live) < bucket(schedule.width):
            while self._flying:
                self._observe()
            if schedule.live:
                self._link.change(schedule.changes())
                self._link.reorder(schedule.pack())

    def _launch(self) -> None:
        schedule = self._schedule
        self._link.change(schedule.changes())
        width = schedule.width
        self._graphs.launch(bucket(width))
        self._flying.append(self._link.launched(schedule.serial_P[:width].copy()))
        self._counters.steps += 1
        self._counters.positions += bucket(width)

    def _observe(self) -> None:
        step = self._flying.popleft()
        token_P, logprob_P = step.wait()
        self._schedule.observe(step.serial_P, token_P, logprob_P)
