"""The fused operations of a decoding step, besides matrix products: what every implementation of them promises.

P positions, H hidden, Q query heads, K key heads, D head size, F intermediate, V vocabulary. `state` is row_state.py's
tensor; only its first P columns matter. Matrices that come in and go out are in the dtype of the products, the
residual stream `hidden` and norm weights are FP32.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

import torch
from torch import Tensor


@dataclasses.dataclass(frozen=True)
class AttentionWeights:
    """What one layer's attention needs beside the projections; absent parts are None. Biases and norms are FP32."""

    bias: Tensor | None
    query_norm: Tensor | None
    key_norm: Tensor | None
    epsilon: float


@dataclasses.dataclass(frozen=True)
class AttentionShape:
    """Heads, and how many programs share one row's context on a GPU."""

    heads: int
    kv_heads: int
    head_dim: int
    splits: int = 1


@dataclasses.dataclass(frozen=True)
class Scaled:
    """A matrix to multiply with: `values` [P, N], and [P, 1] FP32 `scale` when the values are FP8 (else None)."""

    values: Tensor
    scale: Tensor | None = None


class Kernels(Protocol):
    """Every method fills its outputs in place, so that a CUDA graph can replay it."""

    def embed(self, state: Tensor, embedding_VH: Tensor, hidden_PH: Tensor) -> None:
        """Begins the residual stream with the embedding of each position's TOKEN."""

    def add_norm(
        self, hidden_PH: Tensor, delta_PH: Tensor | None, weight_H: Tensor, epsilon: float, out: Scaled
    ) -> None:
        """Adds `delta` to the residual stream and normalises it into `out`, quantised by rows when that has scales."""

    def attend(
        self,
        state: Tensor,
        qkv_PW: Tensor,
        weights: AttentionWeights,
        rope: tuple[Tensor, Tensor],
        pool: tuple[Tensor, Tensor],
        shape: AttentionShape,
        out_PW: Tensor,
    ) -> None:
        """Adds the bias, normalises and rotates the new queries and keys, stores the new key and value, attends.

        `pool` is one layer's keys and values, each [K, tokens, D]; a position sees its prompt, its own tokens, itself.
        """

    def rotate(
        self,
        qkv_NW: Tensor,
        place: tuple[Tensor, Tensor],
        weights: AttentionWeights,
        rope: tuple[Tensor, Tensor],
        pool: tuple[Tensor, Tensor],
        shape: AttentionShape,
    ) -> None:
        """Prompt tokens: adds the bias, normalises and rotates queries and keys in place, stores keys and values.

        `place` = each token's position, and its slot in the pool; a slot below 0 stores nothing.
        """

    def put(self, values_PN: Tensor, out: Scaled) -> None:
        """Copies, quantised by rows when `out` has scales."""

    def gate(self, gate_up_PF: Tensor, out: Scaled) -> None:
        """silu(gate) · up, quantised by rows when `out` has scales."""

    def pick(self, state: Tensor, logits_PV: Tensor, out_2P: Tensor) -> None:
        """Samples each position's next token into TOKEN, adds 1 to LENGTH; `out` = tokens, log-probability bits."""


def bits(logprob: Tensor) -> Tensor:
    """FP32 values as INT32 of the same bits, so that tokens and log-probabilities travel in one copy."""
    return logprob.float().view(torch.int32)
