"""One open run as engine and front see it, wherever its tensors are."""

from __future__ import annotations

import abc
import concurrent.futures
from pathlib import Path
from typing import Protocol

from gradus_trainer.engine.step import StepOutcome
from gradus_trainer.model.config import Architecture
from gradus_trainer.problem import Problem
from gradus_trainer.tokenizer import Tokenizer
from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.metadata import UpdateSpec
from gradus_trainer.wire.run_body import RunBody


class Run(abc.ABC):
    """Touched by the engine thread alone. `tainted` says that an update broke off while weights were being written."""

    def __init__(self, name: str, body: RunBody, architecture: Architecture, tokenizer: Tokenizer) -> None:
        self.name = name
        self.body = body
        self.architecture = architecture
        self.tokenizer = tokenizer
        self.update = 0
        self.version = 0
        self.tainted = False
        self.freed = False
        """Says that its tensors were let go of."""
        self.offloaded = False
        """Says that its tensors are on the host while somebody else has the device."""
        self.attention = ""
        """Name of the kernel that trains, chosen when the run is opened; empty where workers choose it."""

    def become(self, other: Run) -> None:
        """Takes over the state of another instance of the same run."""
        self.__dict__.update(other.__dict__)

    @property
    def lost(self) -> bool:
        """Says whether the tensors are gone, with a worker that held some of them."""
        return False

    @abc.abstractmethod
    def step(self, spec: UpdateSpec, batch: Batch, body: bytes) -> StepOutcome:
        """One optimizer update, in place. `body` is what `spec` and `batch` were decoded from."""

    @abc.abstractmethod
    def score(self, batch: Batch, body: bytes) -> tuple[Floats, Floats]:
        """Log-probabilities and entropies of a batch."""

    @abc.abstractmethod
    def digest(self) -> str:
        """Digest of the weights."""

    @abc.abstractmethod
    def save(self, directory: Path) -> concurrent.futures.Future[None]:
        """Begins to write everything that `load` needs; what is written is the state of now."""

    @abc.abstractmethod
    def publish(self, directory: Path, digest: str) -> None:
        """Writes the policy as an artifact."""

    @abc.abstractmethod
    def close(self) -> None:
        """Frees what the run holds."""

    @abc.abstractmethod
    def release(self) -> None:
        """Frees what stands in the way of opening the run again."""


def require_sound(run: Run) -> None:
    """Refuses a run whose weights nobody may read: half written, or let go of. Asked on the engine thread."""
    if run.tainted:
        detail = "an earlier update broke off and could not be restored: close the run and open it again"
        raise Problem("trainer_failed", detail)
    if run.freed:
        raise Problem("run_unknown", f"the run {run.name} was closed")


def require_loaded(run: Run) -> None:
    """Refuses to compute with a run that is not sound, or whose weights are not where it computes."""
    require_sound(run)
    if run.offloaded:
        raise engine_offloaded()


def engine_offloaded() -> Problem:
    """What is told while the device's memory is handed over."""
    return Problem("engine_offloaded", "the weights are on the host: POST /v1/engine/onload first")


class Backend(Protocol):
    """Where runs live: in this process, or in the workers of a torchrun job."""

    @property
    def missing(self) -> bool:
        """Says whether nothing can be opened until workers come, who are on their way."""

    def create(self, name: str, body: RunBody) -> Run:
        """A new run from its policy."""

    def load(self, name: str, body: RunBody, directory: Path) -> Run:
        """A run from the state that `Run.save` wrote."""

    def leave(self) -> None:
        """Waits for nobody from now on; what is being computed is finished."""

    def stop(self) -> None:
        """Ends what it started."""
