"""The continuous generator: queues requests, keeps the batch full, replays a captured step for each token.

The host is one step behind: while the device decodes, it reads the step before, ends rows and seats new ones.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable

import torch

from gradus_trainer.model.decoder import Decoder
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.continuous.device_link import DeviceLink, InFlight
from gradus_trainer.sampler.continuous.graphs import Graphs
from gradus_trainer.sampler.continuous.kernels import Kernels
from gradus_trainer.sampler.continuous.pool import Pool, token_bytes
from gradus_trainer.sampler.continuous.prefill import Prefill
from gradus_trainer.sampler.continuous.prompts import AHEAD_TOKENS
from gradus_trainer.sampler.continuous.schedule import Schedule
from gradus_trainer.sampler.continuous.step import Buffers, Step
from gradus_trainer.sampler.continuous.weights import Quantisation, StepWeights
from gradus_trainer.sampler.job import Job

BUCKETS = (1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024)
"""Batch sizes; a step is captured for one when a batch first has that size."""
POSITIONS = BUCKETS[-1]
MEMORY_SHARE = 0.6
"""Share of the memory that is free when the pool is made."""
HOST_POOL_BYTES = 1 << 30
LEAST_POOL_BYTES = 1 << 30
"""A GPU's first pool, so that small requests do not make one after another."""
GROWTH = 1.5


@dataclasses.dataclass
class Counters:
    """What a generator did since it was made: steps, positions computed, tokens kept, prompts run in waves."""

    steps: int = 0
    positions: int = 0
    prompts: int = 0
    waves: int = 0


class Generator:
    """Decodes with one decoder, whose parameters it reads in place. Belongs to one thread."""

    def __init__(
        self, decoder: Decoder, kernels: Kernels, quantisation: Quantisation = "none", pool_bytes: int | None = None
    ) -> None:
        self._architecture, self._kernels = decoder.architecture, kernels
        self._weights = StepWeights(decoder, quantisation)
        self._prefill = Prefill(decoder.architecture, self._weights, kernels)
        self._buffers = Buffers(decoder.architecture, POSITIONS, decoder.embedding)
        self._link = DeviceLink(self._buffers)
        self._pool_bytes = pool_bytes
        self._pool: Pool | None = None
        self._graphs: Graphs | None = None
        self.counters = Counters()

    @property
    def capture_seconds(self) -> float:
        """Time spent on capturing the graphs that are kept."""
        return 0.0 if self._graphs is None else self._graphs.capture_seconds

    def refresh(self) -> None:
        """Must be called after the parameters were written: FP8 copies follow; everything else is live."""
        self._weights.refresh()

    def release(self) -> None:
        """Gives the pool and the captured steps back; the next run makes them again."""
        self._pool = self._graphs = None

    @torch.inference_mode()
    def run(self, jobs: Iterable[Job], arriving: Callable[[], list[Job]] = list) -> None:
        """Decodes until these requests, and those that `arriving` gives meanwhile, are answered or abandoned."""
        queue = list(jobs)
        while queue:
            queue = self._refuse_too_large(queue)
            if queue:
                pool, graphs = self._prepare(queue)
                queue = _Decoding(self._prefill, pool, graphs, self._link, self.counters, self._joins, arriving).run(
                    queue
                )

    @torch.inference_mode()
    def warm(self, job: Job) -> None:
        """Captures every batch size that a request of this size can meet, and the pool for it, before it comes."""
        _, graphs = self._prepare([job])
        rows = min(len(job.chunk.prompts) * job.chunk.samples, POSITIONS)
        for size in BUCKETS[: BUCKETS.index(bucket(rows)) + 1]:
            graphs.prepare(size)

    def _refuse_too_large(self, jobs: list[Job]) -> list[Job]:
        most = self._affordable()
        fitting = [job for job in jobs if least_tokens(job) <= most]
        for job in jobs:
            if least_tokens(job) > most:
                detail = f"a row of {least_tokens(job)} tokens does not fit into the {most} that memory allows"
                job.answer.set_exception(Problem("sequence_too_long", detail, field="max_tokens"))
        return fitting

    def _joins(self, job: Job) -> bool:
        """Whether a request is decoded with those that run, or waits for a pool that is large enough for it."""
        tokens = 0 if self._pool is None else self._pool.tokens
        return tokens >= min(1 + most_tokens(job), self._affordable())

    def _affordable(self) -> int:
        """Tokens that the pool may have."""
        compute = self._buffers.normed.dtype
        each = token_bytes(self._architecture, compute)
        held = 0 if self._pool is None else self._pool.tokens * each
        device = self._buffers.state.device
        if self._pool_bytes is not None:
            return self._pool_bytes // each
        if device.type != "cuda":
            return HOST_POOL_BYTES // each
        free = torch.cuda.mem_get_info(device)[0]
        free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return max(held, int((free + held) * MEMORY_SHARE)) // each

    def _prepare(self, jobs: list[Job]) -> tuple[Pool, Graphs]:
        """A pool with room for the requests, or for as much of them as memory allows; it never shrinks."""
        wanted = min(1 + sum(most_tokens(job) for job in jobs), self._affordable())
        if self._pool is None or self._graphs is None or self._pool.tokens < wanted:
            old = 0 if self._pool is None else self._pool.tokens
            self.release()
            least = LEAST_POOL_BYTES // token_bytes(self._architecture, self._buffers.normed.dtype)
            on_host = self._buffers.state.device.type != "cuda"
            tokens = min(max(wanted, int(GROWTH * old), 0 if on_host else least), self._affordable())
            self._pool = Pool(self._architecture, tokens, self._buffers.normed)
            step = Step(self._architecture, self._weights, self._pool, self._buffers, self._kernels)
            self._graphs = Graphs(step, self._buffers.state)
        return self._pool, self._graphs


class _Decoding:
    """One run over one pool."""

    def __init__(  # noqa: PLR0917 (the parts of a generator, each of its own type)
        self,
        prefill: Prefill,
        pool: Pool,
        graphs: Graphs,
        link: DeviceLink,
        counters: Counters,
        joins: Callable[[Job], bool],
        arriving: Callable[[], list[Job]],
    ) -> None:
        self._prefill, self._pool, self._graphs, self._link = prefill, pool, graphs, link
        self._counters, self._joins, self._arriving = counters, joins, arriving
        self._schedule = Schedule(POSITIONS, pool.tokens, prefill.vocab_size)
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


def bucket(count: int) -> int:
    """The smallest batch size with room for `count` positions."""
    return BUCKETS[bisect.bisect_left(BUCKETS, count)]


def least_tokens(job: Job) -> int:
    """Pool tokens without which some row of a request can never run."""
    return 1 + max(len(prompt) - 1 for prompt in job.chunk.prompts) + job.chunk.max_tokens


def most_tokens(job: Job) -> int:
    """Pool tokens with which no row of a request waits for room."""
    chunk = job.chunk
    rows = len(chunk.prompts) * chunk.samples
    prompts = sum(len(prompt) - 1 for prompt in chunk.prompts[:POSITIONS])
    return min(rows, POSITIONS) * chunk.max_tokens + prompts + (AHEAD_TOKENS if rows > POSITIONS else 0)
