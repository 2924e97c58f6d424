"""Runs in this process: on a CPU or on one GPU."""

from __future__ import annotations

from pathlib import Path

import torch

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.restore import load_run, open_policy
from gradus_trainer.wire.run_body import RunBody


class Inline:
    """Opens runs on a device of this process."""

    def __init__(self, artifacts: Artifacts, device: torch.device) -> None:
        self._artifacts, self._device = artifacts, device

    @property
    def missing(self) -> bool:
        """See Backend."""
        return False

    def create(self, name: str, body: RunBody) -> LiveRun:
        """See Backend."""
        return LiveRun(name, body, *open_policy(body, self._artifacts, self._device))

    def load(self, name: str, body: RunBody, directory: Path) -> LiveRun:
        """See Backend."""
        return load_run(name, body, directory, self._device)

    def leave(self) -> None:
        """See Backend."""

    def stop(self) -> None:
        """See Backend."""
