"""The operations of kernels.py as Triton programs. Compiled once a shape; one compiled set serves all layers."""

from __future__ import annotations

import math

import torch
import triton
from torch import Tensor

from gradus_trainer.sampler.continuous.kernels import AttentionShape, AttentionWeights, Scaled
from gradus_trainer.sampler.continuous.triton_attention import attend_new_token, combine_splits, rotate_tokens
from gradus_trainer.sampler.continuous.triton_pick import pick_token, sum_blocks
from gradus_trainer.sampler.continuous.triton_rows import (
    add_norm_rows,
    embed_rows,
    gate_rows,
    gate_rows_fp8,
    quantise_rows_fp8,
)

VOCABULARY_BLOCK = 2048
GATE_BLOCK = 1024
LEAST_QUERIES = 16
"""Rows of the smallest matrix product that a GPU's matrix units take."""


class TritonKernels:
    """Implements Kernels; scratch memory is kept between calls, since graphs hold its addresses."""

    def __init__(self) -> None:
        self._scratch: dict[tuple[str, int], Tensor] = {}

    def _take(self, name: str, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        if (name, size) not in self._scratch:
            self._scratch[name, size] = torch.empty(size, dtype=dtype, device=device)
        return self._scratch[name, size]

    def embed(self, state: Tensor, embedding_VH: Tensor, hidden_PH: Tensor) -> None:
        count, width = hidden_PH.shape
        embed_rows[(count,)](state, embedding_VH, hidden_PH, state.shape[1], width, _ceiling(width), num_warps=4)

    def add_norm(
        self, hidden_PH: Tensor, delta_PH: Tensor | None, weight_H: Tensor, epsilon: float, out: Scaled
    ) -> None:
        count, width = hidden_PH.shape
        add_norm_rows[(count,)](
            hidden_PH,
            delta_PH,
            weight_H,
            out.values,
            out.scale,
            epsilon,
            width,
            _ceiling(width),
            delta_PH is not None,
            out.scale is not None,
            num_warps=_warps(_ceiling(width)),
        )

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
        count, parts, dim = len(qkv_PW), shape.splits, shape.head_dim
        partial = sums = None
        if parts > 1:
            size = count * parts * shape.heads
            partial = self._take("mixed", size * dim, torch.float32, qkv_PW.device)
            sums = self._take("sums", size * 2, torch.float32, qkv_PW.device)
        attend_new_token[(count, shape.kv_heads, parts)](
            state,
            qkv_PW,
            weights.bias,
            weights.query_norm,
            weights.key_norm,
            *rope,
            *pool,
            out_PW,
            partial,
            sums,
            state.shape[1],
            pool[0].shape[1],
            dim**-0.5 * math.log2(math.e),
            weights.epsilon,
            HEADS=shape.heads,
            KV_HEADS=shape.kv_heads,
            SHARED=max(LEAST_QUERIES, _ceiling(shape.heads // shape.kv_heads)),
            HALF=dim // 2,
            BLOCK=64,
            SPLITS=parts,
            BIAS=weights.bias is not None,
            NORM=weights.query_norm is not None,
            STAGES=2,
            num_warps=4,
        )
        if parts > 1:
            combine_splits[(count, shape.heads)](partial, sums, out_PW, shape.heads, dim, parts, num_warps=1)

    def rotate(
        self,
        qkv_NW: Tensor,
        place: tuple[Tensor, Tensor],
        weights: AttentionWeights,
        rope: tuple[Tensor, Tensor],
        pool: tuple[Tensor, Tensor],
        shape: AttentionShape,
    ) -> None:
        rotate_tokens[(len(qkv_NW), shape.heads + 2 * shape.kv_heads)](
            qkv_NW,
            *place,
            weights.bias,
            weights.query_norm,
            weights.key_norm,
            *rope,
            *pool,
            pool[0].shape[1],
            weights.epsilon,
            shape.heads,
            shape.kv_heads,
            shape.head_dim // 2,
            weights.bias is not None,
            weights.query_norm is not None,
            num_warps=1,
        )

    def put(self, values_PN: Tensor, out: Scaled) -> None:
        if out.scale is None:
            out.values.copy_(values_PN)
            return
        count, width = values_PN.shape
        block = _ceiling(width)
        quantise_rows_fp8[(count,)](values_PN, out.values, out.scale, width, block, num_warps=_warps(block))

    def gate(self, gate_up_PF: Tensor, out: Scaled) -> None:
        count, width = out.values.shape
        if out.scale is None:
            grid = (count, triton.cdiv(width, GATE_BLOCK))
            gate_rows[grid](gate_up_PF, out.values, width, GATE_BLOCK, num_warps=4)
        else:
            block = _ceiling(width)
            gate_rows_fp8[(count,)](gate_up_PF, out.values, out.scale, width, block, num_warps=_warps(block))

    def pick(self, state: Tensor, logits_PV: Tensor, out_2P: Tensor) -> None:
        (count, vocab), device = logits_PV.shape, logits_PV.device
        block, positions = min(VOCABULARY_BLOCK, _ceiling(vocab)), state.shape[1]
        blocks = triton.cdiv(vocab, block)
        most = self._take("most", positions * blocks, torch.float32, device)
        sums = self._take("block sums", positions * blocks, torch.float32, device)
        best = self._take("best", positions * blocks, torch.int32, device)
        sum_blocks[(count, blocks)](state, logits_PV, most, sums, best, positions, vocab, block, num_warps=4)
        pick_token[(count,)](
            state,
            logits_PV,
            most,
            sums,
            best,
            out_2P,
            positions,
            vocab,
            block,
            blocks,
            _ceiling(blocks),
            num_warps=8,
        )


def _ceiling(size: int) -> int:
    """The next power of two."""
    return int(triton.next_power_of_2(size))


def _warps(block: int) -> int:
    """Warps for a row that is held in registers: at most 32 elements a thread."""
    return min(16, max(4, block // 1024))
