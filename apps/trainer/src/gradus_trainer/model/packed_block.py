"""One layer over a packed stream, written for torch.compile: plain formulas, no state, weights as arguments.

All layers of a policy share one compiled function, since nothing in it depends on the layer. It computes what
`decoder.Block` computes; tests hold the two together.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gradus_trainer.model.decoder import Block

PackedAttention = Callable[[Tensor, Tensor, Tensor, Tensor, int], Tensor]
"""(query [T, Q, D], key [T, K, D], value [T, K, D], offsets [S], longest) -> [T, Q, D]."""


class BlockWeights(NamedTuple):
    """The parameters of one layer."""

    input_norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    query_norm: Tensor | None
    key_norm: Tensor | None
    out: Tensor
    mlp_norm: Tensor
    gate_up: Tensor
    down: Tensor


@dataclasses.dataclass(frozen=True)
class BlockShape:
    """What a compiled layer is specialised for. The residual stream is kept in the compute dtype."""

    heads: int
    kv_heads: int
    head_dim: int
    epsilon: float
    compute: torch.dtype


def weights_of(block: Block) -> BlockWeights:
    """The parameters of a decoder's layer."""
    return BlockWeights(**{name: getattr(block, name) for name in BlockWeights._fields})


def norm(x: Tensor, weight: Tensor, shape: BlockShape) -> Tensor:
    """Root-mean-square normalisation in FP32, given back in the compute dtype."""
    return F.rms_norm(x.float(), weight.shape, weight.float(), shape.epsilon).to(shape.compute)


def turn(x_TQD: Tensor, cosine_TD: Tensor, sine_TD: Tensor) -> Tensor:
    """Rotary embedding in FP32, cosine and sine [T, D/2]."""
    first, second = x_TQD.float().chunk(2, dim=-1)
    cosine, sine = cosine_TD[:, None], sine_TD[:, None]
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


def attend(
    x_TH: Tensor,
    weights: BlockWeights,
    rope: tuple[Tensor, Tensor],
    sequences: tuple[Tensor, int],
    attention: PackedAttention,
    shape: BlockShape,
) -> Tensor:
    """x + attention(norm(x)), [T, H]."""
    compute, heads, kv_heads = shape.compute, shape.heads, shape.kv_heads
    bias = None if weights.qkv_bias is None else weights.qkv_bias.to(compute)
    qkv = F.linear(norm(x_TH, weights.input_norm, shape), weights.qkv.to(compute), bias)
    query, key, value = qkv.unflatten(-1, (-1, shape.head_dim)).split((heads, kv_heads, kv_heads), dim=1)
    if weights.query_norm is not None and weights.key_norm is not None:
        query = F.rms_norm(query.float(), weights.query_norm.shape, weights.query_norm.float(), shape.epsilon)
        key = F.rms_norm(key.float(), weights.key_norm.shape, weights.key_norm.float(), shape.epsilon)
    query, key = turn(query, *rope).to(compute), turn(key, *rope).to(compute)
    mixed = attention(query, key, value, *sequences)
    return x_TH + F.linear(mixed.flatten(1), weights.out.to(compute))


def feed_forward(x_TH: Tensor, weights: BlockWeights, shape: BlockShape) -> Tensor:
    """x + down(silu(gate) · up) of norm(x), [T, H]."""
    gate_up = F.linear(norm(x_TH, weights.mlp_norm, shape), weights.gate_up.to(shape.compute))
    gate, up = gate_up.chunk(2, dim=-1)
    return x_TH + F.linear(F.silu(gate) * up, weights.down.to(shape.compute))


Layer = Callable[[Tensor, BlockWeights, Tensor, Tensor, Tensor, int], Tensor]
"""(x [T, H], weights, cosine [T, D/2], sine [T, D/2], offsets [S], longest) -> [T, H]."""


@functools.cache
def packed_layer(shape: BlockShape, attention: PackedAttention, checkpointing: str, compiled: bool) -> Layer:
    """The layer function of one kind of policy."""

    def whole(
        x_TH: Tensor, weights: BlockWeights, cosine_TD: Tensor, sine_TD: Tensor, offsets_S: Tensor, longest: int
    ) -> Tensor:
        x_TH = attend(x_TH, weights, (cosine_TD, sine_TD), (offsets_S, longest), attention, shape)
        if checkpointing == "selective":
            again: Tensor = checkpoint(feed_forward, x_TH, weights, shape, use_reentrant=False)
            return again
        return feed_forward(x_TH, weights, shape)

    layer: Layer = torch.compile(whole) if compiled else whole
    if checkpointing != "full":
        return layer

    def again(*arguments: object) -> Tensor:
        result: Tensor = checkpoint(layer, *arguments, use_reentrant=False, preserve_rng_state=False)
        return result

    return again
