"""A run's state on disk: made when it is opened, rewritten at each checkpoint, read back after a crash.

`runs/<run>/durable/<update>/` is what the run's backend writes: a Hugging Face directory with moments.safetensors and
state.json beside it, or shards with their state.json.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from gradus_trainer.artifacts import Artifacts, Policy
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.initialise import initialise
from gradus_trainer.model.load import load_directory, load_tensors, make_decoder
from gradus_trainer.problem import Problem
from gradus_trainer.seal import check
from gradus_trainer.versions import choose_compute, require_memory
from gradus_trainer.wire.run_body import RunBody, read_init


class RunDirectory:
    """The directory of one run under the state directory."""

    def __init__(self, state: Path, run: str) -> None:
        self.root = state / "runs" / run
        self.log = self.root / "log"
        self._durable = self.root / "durable"

    def durable(self, update: int) -> Path:
        """Where the state after `update` is."""
        return self._durable / str(update)

    def prune(self, update: int) -> None:
        """Removes the states before `update`; a newer one may be on its way to the disk."""
        for path in self._durable.iterdir():
            if int(path.name.removesuffix(".tmp")) < update:
                shutil.rmtree(path)

    def keep_only(self, update: int) -> None:
        """Removes every state but that of `update`."""
        for path in self._durable.iterdir():
            if path.name != str(update):
                shutil.rmtree(path)


def load_run(name: str, body: RunBody, directory: Path, device: torch.device) -> LiveRun:
    """Reads a state back that `LiveRun.save` wrote, when no byte of it has changed."""
    check(directory)
    compute = choose_compute(body.dtype, device)
    # moments.safetensors lies beside model.safetensors; its names cannot meet those of weights.
    decoder, tokenizer = load_directory(directory, device, compute)
    require_training(decoder, body)
    run = LiveRun(name, body, decoder, tokenizer)
    state = json.loads((directory / "state.json").read_text("utf-8"))
    run.update, run.version = state["update"], state["version"]
    if state["optimizer_steps"]:
        run.optimizer.restore(state["optimizer_steps"], load_tensors(directory / "moments.safetensors"))
    return run


def require_training(decoder: Decoder, body: RunBody) -> None:
    """Refuses a policy whose gradients and moments will not fit beside its weights."""
    moments = 4 if body.optimizer.moments == "bfloat16" else 8
    require_memory(decoder.architecture.parameters * (4 + moments + 2), decoder.embedding.device)


def open_policy(body: RunBody, artifacts: Artifacts, device: torch.device) -> Policy:
    """Makes or reads the policy that a run begins with, when it can be trained here."""
    decoder, tokenizer = _read_policy(body, artifacts, device)
    require_training(decoder, body)
    return decoder, tokenizer


def _read_policy(body: RunBody, artifacts: Artifacts, device: torch.device) -> Policy:
    kind, compute = body.policy["kind"], choose_compute(body.dtype, device)
    if kind == "init":
        seed, architecture, tokenizer = read_init(body.policy)
        decoder = make_decoder(architecture, device, compute)
        initialise(decoder, seed)
        return decoder, tokenizer
    if kind == "artifact":
        return artifacts.load(body.policy["digest"], device, compute)
    path = Path(body.policy["path"])
    if kind == "gguf":
        return artifacts.load_gguf(path, device, compute)
    if not path.is_dir():
        raise Problem("policy_unavailable", f"{path} is not a directory", field="policy.path")
    return load_directory(path, device, compute)
