"""A copy of a policy's weights as engines take them: Hugging Face names, compute dtype, in the order of the layers."""

from __future__ import annotations

import dataclasses
import re

import torch
from torch import Tensor

from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.run import require_loaded
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.problem import Problem

ALIGNMENT = 128
"""Elements that every tensor's place in the buffer is a multiple of."""


@dataclasses.dataclass(frozen=True)
class Staged:
    """`tensors` are views of one buffer, which must live until no engine reads it any more."""

    version: int
    tensors: dict[str, Tensor]

    @property
    def bytes(self) -> int:
        """Size of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def description(self) -> dict[str, object]:
        """Names, dtypes and shapes, in the order in which the tensors are sent."""
        return {
            "names": list(self.tensors),
            "dtype_names": [str(tensor.dtype).removeprefix("torch.") for tensor in self.tensors.values()],
            "shapes": [list(tensor.shape) for tensor in self.tensors.values()],
        }


@torch.no_grad()
def stage(run: LiveRun, version: int) -> Staged:
    """Copies the weights of that version, tied ones once, and leaves them to be updated. Runs on the engine thread."""
    require_version(run, version)
    views = hugging_face_views(run.decoder)
    names = sorted(views, key=_layer_order)
    places, size = {}, 0
    for name in names:
        places[name] = size
        size += -(-views[name].numel() // ALIGNMENT) * ALIGNMENT
    buffer = torch.empty(size, dtype=run.decoder.compute, device=run.decoder.embedding.device)
    tensors = {name: buffer[places[name] :][: views[name].numel()].view(views[name].shape) for name in names}
    for name, tensor in tensors.items():
        tensor.copy_(views[name])
    if buffer.is_cuda:
        # another process reads the buffer, and knows nothing of this one's streams
        torch.cuda.synchronize(buffer.device)
    return Staged(version, tensors)


def require_version(run: LiveRun, version: int) -> None:
    """Refuses a policy that is broken or has another version."""
    require_loaded(run)
    if run.version != version:
        detail = f"version {version} was to be published, the policy has {run.version}"
        raise Problem("version_conflict", detail, field="version", expected=run.update + 1)


def _layer_order(name: str) -> tuple[int, str]:
    """Embedding, then layers by number, then the norm and the head behind them."""
    layer = re.match(r"model\.layers\.(\d+)\.", name)
    if layer:
        return int(layer[1]), name
    return (-1 if name.startswith("model.embed") else 1 << 30), name
