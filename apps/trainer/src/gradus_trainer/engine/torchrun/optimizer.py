"""AdamW on the rows that a rank holds: the same arithmetic as for a whole policy, with a norm over all ranks."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor

from gradus_trainer.engine.torchrun.group import SHARD, Group
from gradus_trainer.engine.torchrun.sharding import local
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.optimizer import MOMENTS, Optimizer
from gradus_trainer.wire.run_body import OptimizerSpec


class ShardedOptimizer(Optimizer):
    """Works on plain tensors that share memory with the shards, so that fused steps see nothing of the sharding."""

    def __init__(self, decoder: Decoder, spec: OptimizerSpec, group: Group) -> None:
        self._sharded = dict(decoder.named_parameters())
        self._leaves = {name: local(parameter) for name, parameter in self._sharded.items()}
        self._group = group
        super().__init__(decoder, spec, list(self._leaves.values()))

    def gradient_norm(self) -> Tensor:
        """Global L2 norm; takes the gradients over from the sharded parameters."""
        for name, parameter in self._sharded.items():
            gradient = parameter.grad
            if gradient is None:
                # gathered between two micro-batches, torch keeps a gradient to itself; at the end there is one
                raise RuntimeError(f"{name} has no gradient")
            self._leaves[name].grad = gradient.to_local() if isinstance(gradient, DTensor) else gradient
            parameter.grad = None
        square = super().gradient_norm().square()
        dist.all_reduce(square, group=self._group.mesh.get_group(SHARD))
        return square.sqrt()

    def shard_moments(self) -> tuple[int, dict[str, dict[str, Tensor]]]:
        """(steps taken, this rank's rows of each moment by parameter); empty before the first step."""
        state = self._adamw.state
        if not state:
            return 0, {}
        steps = int(next(iter(state.values()))["step"].item())
        return steps, {moment: {name: state[leaf][moment] for name, leaf in self._leaves.items()} for moment in MOMENTS}

    def make_moments(self, steps: int) -> dict[str, dict[str, Tensor]]:
        """Moments of zero that say they have taken some steps, to be filled from a checkpoint."""
        for leaf in self._leaves.values():
            step = torch.tensor(float(steps), dtype=torch.float32, device=leaf.device)
            zeros = {moment: torch.zeros_like(leaf, dtype=self._moment_dtype) for moment in MOMENTS}
            self._adamw.state[leaf] = {"step": step, **zeros}
        return self.shard_moments()[1]
