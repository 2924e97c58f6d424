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
from gradus_trainer.engine.forget_frames import forget_frames
from gradus_trainer.engine.inline import Inline
from gradus_trainer.engine.restore import RunDirectory
from gradus_trainer.engine.run import Backend, Run, require_loaded, require_sound
from gradus_trainer.engine.step import StepOutcome
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.kill_point import Reached, nothing
from gradus_trainer.ledger import Ledger
from gradus_trainer.problem import Problem
from gradus_trainer.versions import prepare_torch
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
    """Methods other than `submit` and `stop` run on the engine thread. `backend` is where tensors live."""

    def __init__(
        self,
        state: Path,
        artifacts: Artifacts,
        ledger: Ledger,
        device: torch.device,
        threads: int,
        *,
        backend: Backend | None = None,
        reached: Reached = nothing,
    ) -> None:
        self.device = device
        self._reached = reached
        self._state, self._artifacts, self._ledger = state, artifacts, ledger
        self._backend: Backend = backend or Inline(artifacts, device)
        self.runs: dict[str, Run] = {}
        """The open runs; of the engine thread, as all that it names are."""
        self.opening: str | None = None
        """The run that is being opened or restored now; read by any thread."""
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
        self._backend.leave()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._backend.stop()

    # Runs

    def open(self, name: str, body: RunBody) -> Run:
        """Creates a run or restores it, and keeps it among those that are open."""
        run = self.runs[name] = self._open(name, body)
        return run

    @property
    def workers_missing(self) -> bool:
        """Says whether tensors have nowhere to be until workers come; read by any thread."""
        return self._backend.missing

    def _open(self, name: str, body: RunBody) -> Run:
        self.opening = name
        try:
            return self._restored(name, body)
        finally:
            self.opening = None

    def _restored(self, name: str, body: RunBody) -> Run:
        """Creates a run, or restores it: last checkpoint, then the log up to the last applied update."""
        directory = RunDirectory(self._state, name)
        row = self._ledger.run(name)
        if row is None:
            run = self._backend.create(name, body)
            run.save(directory.durable(0)).result()
            WriteLog(directory.log).keep_between(0, 0)
            self._ledger.create_run(name, body.stored)
            return run
        run = self._backend.load(name, read_run_body(row.body), directory.durable(row.durable_update))
        write_log = WriteLog(directory.log)
        write_log.keep_between(row.durable_update, row.next_update - 1)
        directory.keep_only(row.durable_update)
        for number in range(run.update + 1, row.next_update):
            self._replay(run, number, write_log)
        return run

    def close(self, run: Run) -> None:
        """Frees a run."""
        if self.runs.get(run.name) is run:
            del self.runs[run.name]
        run.close()

    def _ready(self, run: Run) -> None:
        """Opens a run again whose tensors went with a worker, and refuses one that cannot be used."""
        if run.lost and not run.freed:
            log.warning("run %s: its workers are gone, restoring", run.name)
            run.become(self._open(run.name, run.body))
        require_sound(run)

    def _replay(self, run: Run, number: int, write_log: WriteLog) -> None:
        stored = self._ledger.applied(run.name, number)
        if stored is None:
            raise Problem("trainer_failed", f"the ledger has no answer of update {number}")
        if stored[1]["applied"]:
            limits = Limits(run.architecture.vocab_size, run.architecture.max_positions, run.version)
            body = write_log.read(number)
            outcome = run.step(*decode_update(body, limits), body)
            if outcome.reason is not None:
                raise Problem("trainer_failed", f"the replay of update {number} gave a {outcome.reason}")
            run.version += 1
        run.update = number
        log.info("run %s: replayed update %d", run.name, number)

    def digest(self, run: Run) -> tuple[int, str]:
        """(version, digest of the weights)."""
        self._ready(run)
        return run.version, run.digest()

    # Updates

    def update(self, run: Run, work: Work) -> tuple[dict[str, Any], int]:
        """Log, apply, mark applied. Gives the answer and the version after it."""
        self._ready(run)
        require_loaded(run)
        write_log = WriteLog(RunDirectory(self._state, run.name).log)
        number, start = work.spec.update, time.perf_counter()
        write_log.write(number, work.body)
        logged = time.perf_counter()
        self._reached("log")
        run.tainted = True
        try:
            outcome = run.step(work.spec, work.batch, work.body)
            self._reached("apply")
            version = run.version + (outcome.reason is None)
            log_seconds = logged - start
            timings = {"decode": work.decode_seconds, **outcome.timings, "log": log_seconds}
            timings["total"] = work.decode_seconds + time.perf_counter() - start
            answer = self._answer(run, work, outcome, version, timings)
            self._ledger.mark_applied(run.name, number, work.digest, version, answer)
            self._reached("applied")
        except BaseException as error:
            write_log.drop(number)
            if not run.lost:
                log.exception("run %s: an update broke off, restoring", run.name)
                forget_frames(error)
                self._recover(run)
            run.tainted = False
            raise
        run.update, run.version, run.tainted = number, version, False
        return answer, version

    def _recover(self, run: Run) -> None:
        """Puts a run whose update broke off back to what is on disk; weights may have been half written.

        They go first, since a device need not have room for both.
        """
        run.release()
        run.become(self._open(run.name, run.body))

    def _answer(
        self, run: Run, work: Work, outcome: StepOutcome, version: int, timings: dict[str, float]
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
                "padding_share": outcome.padding_share,
                "peak_memory_bytes": outcome.peak_memory_bytes,
            },
        }

    def score(self, run: Run, batch: Batch, body: bytes) -> tuple[Floats, Floats]:
        """Log-probabilities and entropies of a batch, which was decoded from `body`."""
        self._ready(run)
        require_loaded(run)
        return run.score(batch, body)

    # Checkpoints

    def checkpoint(self, run: Run, name: str, policy: bool) -> concurrent.futures.Future[dict[str, Any]]:
        """Begins to make everything up to `run.update` durable; with `policy`, publishes the weights.

        The answer comes when it is on disk and the log is pruned. Updates may be applied meanwhile.
        """
        self._ready(run)
        start = time.perf_counter()
        answer: concurrent.futures.Future[dict[str, Any]] = concurrent.futures.Future()
        stored = self._ledger.checkpoint(run.name, name)
        if stored is not None and stored["update"] == run.update and (stored["path"] is not None or not policy):
            answer.set_result(stored)
            return answer
        directory, row = RunDirectory(self._state, run.name), self._ledger.run(run.name)
        assert row is not None
        digest = run.digest()
        path = self._artifacts.keep(digest, lambda path: run.publish(path, digest)) if policy else None
        document = {
            "format": FORMAT,
            "name": name,
            "update": run.update,
            "version": run.version,
            "digest": digest,
            "path": None if path is None else str(path),
        }
        if row.durable_update == run.update:
            self._mark_durable(run, document, start, answer)
            return answer

        def written(done: concurrent.futures.Future[None]) -> None:
            if (error := done.exception()) is not None:
                answer.set_exception(error)
                return
            try:
                self._thread.submit(self._mark_durable, run, document, start, answer)
            except RuntimeError:
                answer.set_exception(Problem("shutting_down", "the trainer is shutting down"))

        saving = run.save(directory.durable(run.update))
        if saving.done() and saving.exception() is None:
            self._mark_durable(run, document, start, answer)
        else:
            saving.add_done_callback(written)
        return answer

    def _mark_durable(
        self, run: Run, document: dict[str, Any], start: float, answer: concurrent.futures.Future[dict[str, Any]]
    ) -> None:
        try:
            number, version = document["update"], document["version"]
            document["seconds"] = time.perf_counter() - start
            self._reached("saved")
            self._ledger.mark_durable(run.name, document["name"], number, version, document)
            self._reached("durable")
            directory = RunDirectory(self._state, run.name)
            directory.prune(number)
            WriteLog(directory.log).keep_between(number, run.update)
        except BaseException as error:
            answer.set_exception(error)
            raise
        answer.set_result(document)
