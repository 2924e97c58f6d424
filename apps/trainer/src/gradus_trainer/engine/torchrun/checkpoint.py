"""A run's state in shards, one safetensors file a rank, through the storage interface of torch's checkpoints.

Each rank plans for itself, so nothing is pickled between ranks, and torch's own metadata file, which is a pickle, is
never written: where the rows of a shard belong stands as JSON in the header of its file; `state.json` counts the files,
`seal.json` has their digests.
Loading reads, from whatever shards hold them, the rows that a rank has now; their number may differ from before.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint.default_planner import DefaultSavePlanner
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter
from torch.distributed.checkpoint.planner import SavePlan
from torch.distributed.checkpoint.state_dict_loader import load as load_tensors
from torch.distributed.checkpoint.state_dict_saver import save as save_tensors
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor

from gradus_trainer.engine.torchrun.group import SHARD, Group
from gradus_trainer.engine.torchrun.optimizer import ShardedOptimizer
from gradus_trainer.engine.torchrun.sharding import local
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.problem import Problem
from gradus_trainer.seal import file_digest, sealed, verify

READERS = 4
"""Threads that read a checkpoint's files."""
STATE = "state.json"


class _Writer(HuggingFaceStorageWriter):
    """Names the file after the rank: planning alone, each rank would take itself for the first."""

    def __init__(self, path: Path, shard: int) -> None:
        super().__init__(str(path), save_distributed=True)
        self._shard = shard

    def prepare_global_plan(self, plans: list[SavePlan]) -> list[SavePlan]:
        """See StorageWriter."""
        made: list[SavePlan] = super().prepare_global_plan(plans)
        for plan in made:
            plan.storage_data["shard_index"] = self._shard
        return made


def _tensors(
    decoder: Decoder, moments: dict[str, dict[str, Tensor]], mesh: DeviceMesh, *, copied: bool
) -> dict[str, Any]:
    """Everything that this rank has rows of, by name; `copied` takes it to host memory of its own."""
    parameters = dict(decoder.named_parameters())
    groups = {"policy": {name: local(parameter) for name, parameter in parameters.items()}, **moments}
    found = {}
    for kind, tensors in groups.items():
        for name, rows in tensors.items():
            parameter = parameters[name]
            if not rows.numel():
                continue
            assert isinstance(parameter, DTensor)
            here = rows.detach().to("cpu", copy=True) if copied else rows
            found[f"{kind}.{name}"] = DTensor.from_local(
                here, mesh, parameter.placements, run_check=False, shape=parameter.shape, stride=parameter.stride()
            )
    return found


class Staged:
    """A state that was copied to host memory and can be written while training goes on."""

    def __init__(self, decoder: Decoder, optimizer: ShardedOptimizer, group: Group) -> None:
        self.steps, moments = optimizer.shard_moments()
        self._tensors = _tensors(decoder, moments, group.cpu_mesh, copied=True) if group.first_replica else {}
        self._shard = group.mesh.get_local_rank(SHARD) + 1

    @torch.no_grad()
    def write(self, directory: Path) -> dict[str, str]:
        """Writes this rank's file; gives its digest by name. Nothing where another replica has the same rows."""
        if self._tensors:
            planner = DefaultSavePlanner()
            save_tensors(self._tensors, storage_writer=_Writer(directory, self._shard), planner=planner, no_dist=True)
        written = directory.glob(f"shard-{self._shard:05d}-*.safetensors") if self._tensors else ()
        return {path.name: file_digest(path) for path in written}


def shard_count(decoder: Decoder, group: Group) -> int:
    """Files of a checkpoint: the shards that have rows of any parameter."""
    ranks = int(group.mesh.size(1))
    rows = [parameter.shape[0] for parameter in decoder.parameters()]
    return max(-(-count // -(-count // ranks)) for count in rows)


def state_document(update: int, version: int, steps: int, shards: int) -> dict[str, Any]:
    """What `state.json` says."""
    return {"format": FORMAT, "update": update, "version": version, "optimizer_steps": steps, "shards": shards}


def read_state(directory: Path) -> dict[str, Any]:
    """`state.json`, when the directory has as many shards as it says."""
    try:
        state: dict[str, Any] = json.loads((directory / STATE).read_text("utf-8"))
        found, stated = len(list(directory.glob("shard-*.safetensors"))), int(state["shards"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem("policy_unavailable", f"{directory} is no sharded state: {error!r}") from error
    if found != stated:
        raise Problem("policy_unavailable", f"{directory} has {found} of {stated} shards")
    return state


@torch.no_grad()
def load(directory: Path, decoder: Decoder, optimizer: ShardedOptimizer, group: Group) -> None:
    """Fills the rows of this rank from the shards of any number of ranks, when its part of the files is undamaged."""
    digests = sorted(sealed(directory).items())
    verify(directory, dict(digests[group.rank :: group.size]))
    steps = int(read_state(directory)["optimizer_steps"])
    moments = optimizer.make_moments(steps) if steps else {}
    tensors = _tensors(decoder, moments, group.mesh, copied=False)
    load_tensors(tensors, storage_reader=HuggingFaceStorageReader(str(directory), thread_count=READERS), no_dist=True)
