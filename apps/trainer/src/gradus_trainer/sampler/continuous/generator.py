"""The continuous generator of one decoder: its buffers, its pool, its captured steps, and runs over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from gradus_trainer.model.decoder import Decoder
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.continuous.batch_sizes import BUCKETS, POSITIONS, bucket, least_tokens, most_tokens
from gradus_trainer.sampler.continuous.decoding import Counters, Decoding
from gradus_trainer.sampler.continuous.device_link import DeviceLink
from gradus_trainer.sampler.continuous.graphs import Graphs
from gradus_trainer.sampler.continuous.kernels import Kernels
from gradus_trainer.sampler.continuous.pool import Pool, token_bytes
from gradus_trainer.sampler.continuous.prefill import Prefill
from gradus_trainer.sampler.continuous.step import Buffers, Step
from gradus_trainer.sampler.continuous.weights import Quantisation, StepWeights
from gradus_trainer.sampler.job import Job
from gradus_trainer.versions import free_memory

MEMORY_SHARE = 0.6
"""Share of the memory that is free when the pool is made."""
HOST_POOL_BYTES = 1 << 30
LEAST_POOL_BYTES = 1 << 30
"""A GPU's first pool, so that small requests do not make one after another."""
GROWTH = 1.5


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
                shared = (self._link, self.counters, self._joins, arriving)
                queue = Decoding(self._prefill, pool, POSITIONS, graphs, *shared).run(queue)

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
        return max(held, int((free_memory(device) + held) * MEMORY_SHARE)) // each

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
