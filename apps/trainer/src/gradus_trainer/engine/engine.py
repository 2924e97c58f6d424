"""The engine: one thread that owns every model and does one thing after another, in the order it was asked."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.restore import RunDirectory, open_policy
from gradus_trainer.engine.step import StepOutcome, score, take_step
from gradus_trainer.engine.trunk import trunk_of
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.ledger import Ledger
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.decode import Chunk, Completions, decode
from gradus_trainer.versions import peak_memory, prepare_torch
from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.decode import Limits, decode_update
from gradus_trainer.wire.metadata import UpdateSpec
from gradus_trainer.wire.run_body import RunBody, read_run_body
from gradus_trainer.write_log import WriteLog

Result = TypeVar("Result")
log = logging.getLogger("gradus.engine")


@dataclasses.dataclass(frozen=True)
class Work:
    """A validated update on its way to the engine. `body` is the decompressed Arrow stream."""

    spec: UpdateSpec
    batch: Batch
    body: bytes
    digest: str
    decode_seconds: float


class Engine:
    """Methods other than `submit` and `stop` run on the engine thread."""

    def __init__(self, state: Path, artifacts: Artifacts, ledger: Ledger, device: torch.device, threads: int) -> None:
        self.device = device
        self._state, self._artifacts, self._ledger = state, artifacts, ledger
        self._thread = concurrent.futures.ThreadPoolExecutor(
            1, thread_name_prefix="engine", initializer=prepare_torch, initargs=(device, threads)
        )

    def submit(self, work: Callable[..., Result], *arguments: Any) -> concurrent.futures.Future[Result]:
        """Queues work for the engine thread."""
        try:
            return self._thread.submit(work, *arguments)
        except RuntimeError as error:
            raise Problem("shutting_down", "the trainer is shutting down") from error

    def stop(self) -> None:
        """Finishes what is running, cancels what waits."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    # Runs

    def open(self, name: str, body: RunBody) -> LiveRun:
        """Creates a run, or restores it: last checkpoint, then the log up to the last applied update."""
        directory = RunDirectory(self._state, name)
        row = self._ledger.run(name)
        if row is None:
            run = LiveRun(name, body, *open_policy(body, self._artifacts, self.device))
            directory.save(run)
            WriteLog(directory.log).keep_between(0, 0)
            self._ledger.create_run(name, body.stored)
            return run
        run = directory.load(name, read_run_body(row.body), row.durable_update, self.device)
        write_log = WriteLog(directory.log)
        write_log.keep_between(row.durable_update, row.next_update - 1)
        directory.prune(row.durable_update)
        for number in range(run.update + 1, row.next_update):
            self._replay(run, number, write_log)
        return run

    def _replay(self, run: LiveRun, number: int, write_log: WriteLog) -> None:
        stored = self._ledger.applied(run.name, number)
        if stored is None:
            raise Problem("trainer_failed", f"the ledger has no answer of update {number}")
        if stored[1]["applied"]:
            architecture = run.decoder.architecture
            limits = Limits(architecture.vocab_size, architecture.max_positions, run.version)
            spec, batch = decode_update(write_log.read(number), limits)
            outcome = _step(run, spec, batch)
            if outcome.reason is not None:
                raise Problem("trainer_failed", f"the replay of update {number} gave a {outcome.reason}")
            run.version += 1
        run.update = number
        log.info("run %s: replayed update %d", run.name, number)

    def digest(self, run: LiveRun) -> tuple[int, str]:
        """(version, digest of the weights)."""
        return run.version, run.digest()

    # Updates

    def update(self, run: LiveRun, work: Work) -> tuple[dict[str, Any], int]:
        """Log, apply, mark applied. Gives the answer and the version after it."""
        if run.tainted:
            raise Problem("trainer_failed", "an earlier update broke off and could not be restored")
        write_log = WriteLog(RunDirectory(self._state, run.name).log)
        number, start = work.spec.update, time.perf_counter()
        write_log.write(number, work.body)
        logged = time.perf_counter()
        run.tainted = True
        try:
            outcome = _step(run, work.spec, work.batch)
            version = run.version + (outcome.reason is None)
            log_seconds = logged - start
            timings = {"decode": work.decode_seconds, **outcome.timings, "log": log_seconds}
            timings["total"] = work.decode_seconds + time.perf_counter() - start
            answer = self._answer(run, work, outcome, version, timings)
            self._ledger.mark_applied(run.name, number, work.digest, version, answer)
        except BaseException:
            write_log.drop(number)
            self._recover(run)
            raise
        run.update, run.version, run.tainted = number, version, False
        return answer, version

    def _recover(self, run: LiveRun) -> None:
        """Puts a run whose update broke off back to what is on disk; weights may have been half written."""
        log.exception("run %s: an update broke off, restoring", run.name)
        run.become(self.open(run.name, run.body))

    def _answer(
        self, run: LiveRun, work: Work, outcome: StepOutcome, version: int, timings: dict[str, float]
    ) -> dict[str, Any]:
        batch = work.batch
        return {
            "format": FORMAT,
            "run": run.name,
            "update": work.spec.update,
            "digest": work.digest,
            "applied": outcome.reason is None,
            "replayed": False,
            "reason": outcome.reason,
            "version": version,
            "metrics": outcome.metrics,
            "timings": timings,
            "usage": {
                "sequences": batch.rows,
                "tokens": len(batch.token_ids),
                "loss_tokens": int(batch.loss_mask.sum(dtype="int64")),
                "padding_share": trunk_of(run.decoder, run.body.micro_batch_tokens).padding_share(batch),
                "peak_memory_bytes": peak_memory(self.device),
            },
        }

    def score(self, run: LiveRun, batch: Batch) -> tuple[Floats, Floats]:
        """Log-probabilities and entropies of a batch."""
        return score(run.decoder, batch, run.body.micro_batch_tokens)

    # Generation

    def generate(self, run: LiveRun, chunk: Chunk) -> tuple[Completions, int]:
        """Decodes a chunk; gives the version that it was decoded with."""
        return decode(run.sampler(), chunk), run.version

    # Checkpoints

    def checkpoint(self, run: LiveRun, name: str, policy: bool) -> dict[str, Any]:
        """Makes everything up to `run.update` durable and prunes the log; with `policy`, publishes the weights."""
        if run.tainted:
            raise Problem("trainer_failed", "an earlier update broke off and could not be restored")
        start = time.perf_counter()
        stored = self._ledger.checkpoint(run.name, name)
        if stored is not None and stored["update"] == run.update and (stored["path"] is not None or not policy):
            return stored
        directory, row = RunDirectory(self._state, run.name), self._ledger.run(run.name)
        assert row is not None
        digest = run.digest()
        path = self._artifacts.publish(run.decoder, run.tokenizer, digest) if policy else None
        if row.durable_update != run.update:
            directory.save(run)
        answer = {
            "format": FORMAT,
            "name": name,
            "update": run.update,
            "version": run.version,
            "digest": digest,
            "seconds": time.perf_counter() - start,
            "path": None if path is None else str(path),
        }
        self._ledger.mark_durable(run.name, name, run.update, run.version, answer)
        directory.prune(run.update)
        WriteLog(directory.log).keep_between(run.update, run.update)
        return answer


def _step(run: LiveRun, spec: UpdateSpec, batch: Batch) -> StepOutcome:
    body = run.body
    return take_step(run.decoder, run.optimizer, spec, batch, body.micro_batch_tokens, checkpointing=body.checkpointing)
