"""A decoder cut over ranks: each holds its rows of every matrix and vector, and gathers a layer to compute it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from gradus_trainer.engine.torchrun.group import SHARD, Group
from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.rope import rope_table
from gradus_trainer.model.weights import hugging_face_views


def shard(architecture: Architecture, compute: torch.dtype, group: Group) -> Decoder:
    """A decoder on the ranks of a group, its memory not yet written. Gradients are summed over ranks, in FP32."""
    decoder = Decoder(architecture, torch.device("meta"), compute)
    gathered = compute if group.device.type == "cuda" and compute != torch.float32 else None
    policy = MixedPrecisionPolicy(param_dtype=gathered, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for block in decoder.blocks:
        _wrap(block, group, policy, reshard=True)
    # embedding, final norm and head are used at both ends, and the head after the forward pass
    _wrap(decoder, group, policy, reshard=False)
    decoder.to_empty(device=group.device)
    decoder.rope_cosine, decoder.rope_sine = rope_table(architecture, group.device)
    return decoder


def _wrap(module: nn.Module, group: Group, policy: MixedPrecisionPolicy, *, reshard: bool) -> None:
    wrapped = fully_shard(module, mesh=group.mesh, mp_policy=policy, reshard_after_forward=reshard)
    assert isinstance(wrapped, FSDPModule)
    # the denominator is global and comes with the update, so gradients are summed, not averaged
    wrapped.set_gradient_divide_factor(1.0)
    wrapped.set_force_sum_reduction_for_comms(True)
    register_fsdp_forward_method(module, "through")


def local(tensor: Tensor) -> Tensor:
    """This rank's rows of a sharded tensor."""
    held = tensor.detach()
    return held.to_local() if isinstance(held, DTensor) else held


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a Hugging Face tensor lies: rows [start, stop) of a parameter."""

    parameter: str
    start: int
    stop: int


def places(decoder: Decoder) -> dict[str, Place]:
    """The place of every Hugging Face name, in name order."""
    names = {parameter: name for name, parameter in decoder.named_parameters()}
    starts, first = {}, 0
    for parameter, name in names.items():
        starts[name], first = first, first + parameter.shape[0]
    owners = sorted(starts.items(), key=lambda pair: pair[1])

    def numbers(parameter: Tensor) -> Tensor:
        # a number for every row; the views cut these as they cut rows
        assert isinstance(parameter, nn.Parameter)
        start = starts[names[parameter]]
        return torch.arange(start, start + parameter.shape[0])

    found = {}
    for name, view in hugging_face_views(decoder, numbers).items():
        row = int(view[0])
        owner, start = max((pair for pair in owners if pair[1] <= row), key=lambda pair: pair[1])
        found[name] = Place(owner, row - start, row - start + len(view))
    return found


def rows_here(parameter: Tensor, group: Group) -> tuple[int, int]:
    """[first, end) of the rows that this rank holds, as torch cuts a tensor in chunks."""
    rows, ranks = parameter.shape[0], int(group.mesh.size(1))
    size = -(-rows // ranks)
    first = min(rows, size * group.mesh.get_local_rank(SHARD))
    return first, min(rows, first + size)


def full_tensors(decoder: Decoder) -> Iterator[tuple[str, Tensor]]:
    """Hugging Face names in order with whole FP32 tensors; every rank gathers each parameter once or a few times."""
    parameters = dict(decoder.named_parameters())
    kept: dict[str, Tensor] = {}
    for name, place in places(decoder).items():
        block = place.parameter.rpartition(".")[0]
        if any(other.rpartition(".")[0] != block for other in kept):
            kept = {}
        if place.parameter not in kept:
            parameter = parameters[place.parameter].detach()
            kept[place.parameter] = parameter.full_tensor() if isinstance(parameter, DTensor) else parameter
        yield name, kept[place.parameter][place.start : place.stop]
