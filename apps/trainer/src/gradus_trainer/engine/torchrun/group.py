"""The ranks of one torchrun job: process group, device mesh, and what an update asks of the other ranks."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.fsdp import FSDPModule
from torch.distributed.rendezvous import rendezvous

from gradus_trainer.engine.team import Share
from gradus_trainer.engine.torchrun.shares import share_of
from gradus_trainer.engine.trunk import Trunk, whole_gradients_fit
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.problem import Problem
from gradus_trainer.wire.batch import Batch, Floats

COLLECTIVE_TIMEOUT = datetime.timedelta(minutes=10)
REPLICATE, SHARD = "replicate", "shard"


@dataclasses.dataclass(frozen=True)
class Group:
    """Ranks in a mesh [replicate, shard]: parameters are cut along the second axis and repeated along the first.

    `cpu_mesh` has the same ranks for tensors in host memory. It is the Team of every rank.
    """

    rank: int
    size: int
    device: torch.device
    mesh: DeviceMesh
    cpu_mesh: DeviceMesh
    store: Any

    @property
    def replicas(self) -> int:
        """Number of whole copies of the policy."""
        return int(self.mesh.size(0))

    @property
    def first_replica(self) -> bool:
        """Says whether this rank's shard is the one that is saved."""
        return self.mesh.get_local_rank(REPLICATE) == 0

    def share(self, decoder: Decoder, batch: Batch) -> Share:
        """See Team."""
        return share_of(batch, decoder.architecture, self.rank, self.size)

    def most(self, count: int) -> int:
        """See Team."""
        value = torch.tensor(count)
        dist.all_reduce(value, dist.ReduceOp.MAX)
        return int(value)

    def agree(self, problem: Problem | None) -> Problem | None:
        """The same problem on all ranks: the one of the highest rank that has one."""
        teller = self.most(0 if problem is None else self.rank + 1) - 1
        if teller < 0:
            return None
        told = b"" if problem is None else json.dumps([problem.code, problem.detail, problem.field]).encode()
        size = torch.tensor(len(told))
        dist.broadcast(size, teller)
        held = torch.zeros(int(size), dtype=torch.uint8)
        if self.rank == teller:
            held = torch.frombuffer(bytearray(told), dtype=torch.uint8)
        dist.broadcast(held, teller)
        code, detail, field = json.loads(held.numpy().tobytes())
        return Problem(code, detail, field=field)

    def begin(self, decoder: Decoder, last: bool) -> None:
        """See Team."""
        assert isinstance(decoder, FSDPModule)
        decoder.set_is_last_backward(last)
        decoder.set_requires_all_reduce(last)
        decoder.set_requires_gradient_sync(last or not whole_gradients_fit(decoder.architecture, self.device))

    def rest(self, decoder: Decoder) -> None:
        """See Team."""
        assert isinstance(decoder, FSDPModule)
        decoder.reshard()

    def total(self, value: float) -> float:
        """See Team."""
        summed = torch.tensor(value, dtype=torch.float64)
        dist.all_reduce(summed)
        return float(summed)

    def padding_share(self, trunk: Trunk, share: Share, positions: int) -> float:
        """See Team. A row's last token predicts nothing and takes no position."""
        del trunk
        tokens = 0 if share.idle else int((share.batch.lengths - 1).sum())
        return 1.0 - self.total(tokens) / self.total(positions)

    def whole(self, batch: Batch, share: Share, values: list[Floats]) -> list[Floats]:
        """See Team. Each place has one owner and 0 from all others, so the sum is exact."""
        all_values = torch.zeros(len(values), len(batch.token_ids))
        if not share.idle:
            places = torch.from_numpy(batch.tokens_of(share.rows))
            for row, value in zip(all_values, values, strict=True):
                row[places] = torch.from_numpy(value)
        dist.all_reduce(all_values)
        return list(all_values.numpy())


def make_group(replicas: int, device: torch.device, store: Store) -> Group:
    """Lays the ranks of the process group out in a mesh. `replicas` must divide their number."""
    rank, size = dist.get_rank(), dist.get_world_size()
    if size % replicas:
        raise ValueError(f"{replicas} replicas do not divide {size} ranks")
    shape, names = (replicas, size // replicas), (REPLICATE, SHARD)
    cpu_mesh = init_device_mesh("cpu", shape, mesh_dim_names=names)
    mesh = init_device_mesh("cuda", shape, mesh_dim_names=names) if device.type == "cuda" else cpu_mesh
    return Group(rank, size, device, mesh, cpu_mesh, store)


def join(replicas: int, device_type: str) -> Group:
    """Joins the job that torchrun's environment describes."""
    device = torch.device(device_type, int(os.environ["LOCAL_RANK"])) if device_type == "cuda" else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store, rank, size = next(iter(rendezvous("env://", timeout=COLLECTIVE_TIMEOUT)))
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(
        backend, store=PrefixStore("group", store), rank=rank, world_size=size, timeout=COLLECTIVE_TIMEOUT
    )
    return make_group(replicas, device, PrefixStore("commands", store))
