"""Requests of many clients on their way to the engine thread: a chunk of its own each, or rounds of all that wait.

On a CPU a chunk is one piece of work, so its bits depend on the request alone. On a GPU one *round* decodes whatever
waits, and takes in what arrives while the requests that began it are unfinished: later ones begin the next round, so
that an update that waits for the thread is never kept off by a stream of requests.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.run import require_loaded
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.continuous.choose_kernels import make_kernels, supports
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.continuous.kernels import Kernels
from gradus_trainer.sampler.continuous.weights import Quantisation
from gradus_trainer.sampler.decode import Abandoned, Chunk, decode
from gradus_trainer.sampler.job import Job

Submit = Callable[..., "Future[None]"]
log = logging.getLogger("gradus.generation")


@dataclasses.dataclass
class _Kept:
    """A generator and the policy version its FP8 copies are of."""

    generator: Generator
    version: int


class GenerationQueue:
    """`submit` queues work for the engine thread. `continuous` says whether requests are decoded in rounds."""

    def __init__(self, submit: Submit, continuous: bool) -> None:
        self._submit, self.continuous = submit, continuous
        self._lock = threading.Lock()
        self._unanswered: set[Job] = set()
        self._waiting: dict[tuple[LiveRun, Quantisation], list[Job]] = {}
        self._kernels: Kernels | None = None
        # A decoder that is dropped (its run closed or restored) takes its generators, pools and graphs with it.
        self._kept: weakref.WeakKeyDictionary[Decoder, dict[Quantisation, _Kept]] = weakref.WeakKeyDictionary()

    def ask(self, run: LiveRun, chunk: Chunk, quantisation: Quantisation = "none") -> Job:
        """Queues a request; its answer comes from the engine thread."""
        job = Job(chunk)
        with self._lock:
            self._unanswered.add(job)
        job.answer.add_done_callback(lambda _answer: self._answered(job))
        if not (self.continuous and supports(run.architecture, run.device)):
            self._start([job], self._decode_alone, run, job)
            return job
        key = (run, quantisation)
        with self._lock:
            begins = key not in self._waiting
            self._waiting.setdefault(key, []).append(job)
        if begins:
            self._start([job], self._decode_round, run, quantisation)
        return job

    def _answered(self, job: Job) -> None:
        with self._lock:
            self._unanswered.discard(job)

    def lengths(self) -> dict[str, int]:
        """How many requests wait, and how many are being decoded."""
        with self._lock:
            running = sum(job.answer.running() for job in self._unanswered)
            return {"waiting": len(self._unanswered) - running, "running": running}

    def _start(self, jobs: list[Job], work: Callable[..., None], *arguments: Any) -> None:
        future = self._submit(work, *arguments)

        def done(finished: Future[None]) -> None:
            if finished.cancelled():  # the trainer is shutting down
                for job in jobs:
                    job.answer.cancel()

        future.add_done_callback(done)

    def _decode_alone(self, run: LiveRun, job: Job) -> None:
        if not job.begin(run.version):
            return
        try:
            require_loaded(run)
            job.answer.set_result(decode(run.sampler(), job.chunk, job.abandoned.is_set))
        except Abandoned:
            log.info("run %s: a request was given up, its client has gone", run.name)
        except BaseException as error:
            job.answer.set_exception(error)
            if not isinstance(error, Exception):
                raise

    def _decode_round(self, run: LiveRun, quantisation: Quantisation) -> None:
        key = (run, quantisation)
        taken: list[Job] = []

        def take() -> list[Job]:
            with self._lock:
                jobs, self._waiting[key] = self._waiting[key], []
            taken.extend(jobs)
            return [job for job in jobs if job.begin(run.version)]

        first = take()

        def arriving() -> list[Job]:
            return [] if all(job.answer.done() or job.abandoned.is_set() for job in first) else take()

        try:
            if first:
                require_loaded(run)
                self._generator(run, quantisation).run(first, arriving)
        except BaseException as error:
            if not isinstance(error, Problem):
                log.exception("run %s: a round of generation broke off", run.name)
            self._forget(run)
            for job in taken:
                if not job.answer.done():
                    job.answer.set_exception(error)
        finally:
            self._next_round(key)

    def _next_round(self, key: tuple[LiveRun, Quantisation]) -> None:
        with self._lock:
            jobs = self._waiting[key]
            if not jobs:
                del self._waiting[key]
                return
        try:
            self._start(jobs, self._decode_round, *key)
        except Problem as problem:  # the trainer is shutting down
            _refuse(jobs, problem)

    def _generator(self, run: LiveRun, quantisation: Quantisation) -> Generator:
        """The generator of the run's sampler, its FP8 copies as new as the policy."""
        decoder = run.sampler()
        if self._kernels is None:
            self._kernels = make_kernels(decoder.embedding.device)
        kept = self._kept.setdefault(decoder, {})
        if quantisation not in kept:
            kept[quantisation] = _Kept(Generator(decoder, self._kernels, quantisation), run.version)
        elif kept[quantisation].version != run.version:
            kept[quantisation].generator.refresh()
            kept[quantisation].version = run.version
        return kept[quantisation].generator

    def refuse_waiting(self, problem: Problem) -> None:
        """Tells those whose round has not begun; they may ask again."""
        with self._lock:
            waiting = list(self._waiting.values())
            for key in self._waiting:
                self._waiting[key] = []
        for jobs in waiting:
            _refuse(jobs, problem)

    def forget_all(self) -> None:
        """Drops every generator, its pool and its captured steps. Runs on the engine thread."""
        self._kept.clear()

    def _forget(self, run: LiveRun) -> None:
        """After a failure in the middle nothing of a generator is trusted."""
        decoder = run.made_sampler()
        if decoder is not None:
            self._kept.pop(decoder, None)


def _refuse(jobs: list[Job], problem: Problem) -> None:
    """Answers requests that were not begun, when somebody still waits."""
    for job in jobs:
        if job.begin(0):
            job.answer.set_exception(problem)
