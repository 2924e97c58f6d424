"""Runs whose tensors are in the workers of a torchrun job; this process keeps log, ledger and counters."""

from __future__ import annotations

import concurrent.futures
import json
from pathlib import Path

import numpy as np

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.run import Run
from gradus_trainer.engine.step import StepOutcome
from gradus_trainer.engine.torchrun.checkpoint import read_state
from gradus_trainer.engine.torchrun.sharded_run import outline
from gradus_trainer.engine.torchrun.workers import Workers
from gradus_trainer.model.config import Architecture
from gradus_trainer.problem import Problem
from gradus_trainer.seal import sealed, verify
from gradus_trainer.tokenizer import Tokenizer
from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.metadata import UpdateSpec
from gradus_trainer.wire.run_body import RunBody


class RemoteRun(Run):
    """See Run. `lost` as soon as the group of workers that opened it is gone."""

    def __init__(
        self, name: str, body: RunBody, outlined: tuple[Architecture, Tokenizer], workers: Workers, generation: int
    ) -> None:
        super().__init__(name, body, *outlined)
        self._workers, self._generation = workers, generation
        self._saved: tuple[int, concurrent.futures.Future[None]] | None = None
        self._digest: tuple[int, str] | None = None

    @property
    def lost(self) -> bool:
        """See Run."""
        return self._generation != self._workers.generation or not self._workers.alive

    def step(self, spec: UpdateSpec, batch: Batch, body: bytes) -> StepOutcome:
        """See Run."""
        del spec, batch
        header, _ = self._workers.ask({"do": "step", "run": self.name, "version": self.version}, body)
        return StepOutcome(**{field: header[field] for field in StepOutcome.__dataclass_fields__})

    def score(self, batch: Batch, body: bytes) -> tuple[Floats, Floats]:
        """See Run."""
        _, answered = self._workers.ask({"do": "score", "run": self.name, "version": self.version}, body)
        values = np.frombuffer(answered, "<f4").astype(np.float32)
        return values[: len(batch.token_ids)], values[len(batch.token_ids) :]

    def digest(self) -> str:
        """Digest of the weights, computed once a version: rank 0 reads every weight for it."""
        if self._digest is None or self._digest[0] != self.version:
            header, _ = self._workers.ask({"do": "digest", "run": self.name})
            self._digest = (self.version, str(header["digest"]))
        return self._digest[1]

    def save(self, directory: Path) -> concurrent.futures.Future[None]:
        """See Run. One state is written at a time; the same state twice is one."""
        if self._saved is not None:
            update, written = self._saved
            concurrent.futures.wait([written])
            if update == self.update and written.exception() is None:
                return written
        asked = {"do": "save", "run": self.name, "directory": str(directory)}
        self._saved = self.update, self._workers.save(asked | {"update": self.update, "version": self.version})
        return self._saved[1]

    def publish(self, directory: Path, digest: str) -> None:
        """See Run."""
        self._workers.ask({"do": "publish", "run": self.name, "directory": str(directory), "digest": digest})

    def close(self) -> None:
        """See Run."""
        self.freed = True
        if not self.lost:
            self._workers.ask({"do": "close", "run": self.name})

    def release(self) -> None:
        """See Run. Workers let go of a run themselves when they are asked to open it."""


class Torchrun:
    """Opens runs in workers. State and artifacts must lie where every node sees them."""

    def __init__(self, artifacts: Artifacts, workers: Workers) -> None:
        self._artifacts, self._workers = artifacts, workers

    @property
    def missing(self) -> bool:
        """See Backend."""
        return self._workers.missing

    def create(self, name: str, body: RunBody) -> RemoteRun:
        """See Backend."""
        policy, digest = body.policy, None
        directory = None
        if policy["kind"] == "gguf":
            digest = self._artifacts.gguf_digest(Path(policy["path"]))
        elif policy["kind"] == "artifact":
            digest = str(policy["digest"])
        elif policy["kind"] == "huggingface":
            directory = Path(policy["path"]).resolve()
        if digest is not None:
            directory = self._artifacts.find(digest)
        run = self._open(name, body, directory, durable=False)
        found = run.digest() if digest is not None else None
        if found != digest:
            raise Problem("policy_unavailable", f"the artifact {digest} has the weights {found}", field="policy.digest")
        return run

    def load(self, name: str, body: RunBody, directory: Path) -> RemoteRun:
        """See Backend."""
        # what is read here; the ranks share the shards among them
        verify(directory, {name: told for name, told in sealed(directory).items() if not name.startswith("shard-")})
        state = read_state(directory)
        run = self._open(name, body, directory.resolve(), durable=True)
        run.update, run.version = int(state["update"]), int(state["version"])
        return run

    def _open(self, name: str, body: RunBody, directory: Path | None, *, durable: bool) -> RemoteRun:
        outlined = outline(body, directory)
        generation = self._workers.require()
        asked = {
            "do": "open",
            "run": name,
            "durable": durable,
            "directory": None if directory is None else str(directory),
        }
        self._workers.ask(asked, json.dumps(body.stored).encode())
        return RemoteRun(name, body, outlined, self._workers, generation)

    def leave(self) -> None:
        """See Backend."""
        self._workers.leave()

    def stop(self) -> None:
        """See Backend."""
        self._workers.stop()
