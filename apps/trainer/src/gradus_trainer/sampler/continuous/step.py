"""One decoding step over the first positions of the batch, on buffers that never move: what a CUDA graph captures."""

from __future__ import annotations

import torch
from torch import Tensor

from gradus_trainer.model.config import Architecture
from gradus_trainer.sampler.continuous.kernels import AttentionShape, Kernels, Scaled
from gradus_trainer.sampler.continuous.pool import Pool
from gradus_trainer.sampler.continuous.quantise import FP8
from gradus_trainer.sampler.continuous.row_state import FIELDS, IDLE
from gradus_trainer.sampler.continuous.weights import Projection, StepWeights

PROGRAMS = 132
"""Attention programs below which a GPU has idle multiprocessors (an H100 or H200 has 132)."""
SPLITS = (1, 4, 16)
"""Few, since every one is a program of its own to compile."""


class Buffers:
    """Everything that a step of up to `positions` rows writes."""

    def __init__(self, architecture: Architecture, positions: int, like: Tensor) -> None:
        a, device, compute = architecture, like.device, like.dtype

        def empty(width: int, dtype: torch.dtype = compute) -> Tensor:
            return torch.zeros(positions, width, dtype=dtype, device=device)

        idle = torch.tensor(IDLE, dtype=torch.int64, device=device)
        self.state = idle[:, None].repeat(1, positions)
        assert self.state.shape == (FIELDS, positions)
        self.hidden = empty(a.hidden_size, torch.float32)
        self.normed = empty(a.hidden_size)
        self.qkv = empty((a.heads + 2 * a.kv_heads) * a.head_dim)
        self.mixed = empty(a.heads * a.head_dim)
        self.delta = empty(a.hidden_size)
        self.gate_up = empty(2 * a.intermediate_size)
        self.gated = empty(a.intermediate_size)
        self.logits = empty(a.vocab_size, torch.float32)
        self.out = torch.zeros(2, positions, dtype=torch.int32, device=device)
        self.scale = torch.ones(positions, 1, device=device)
        self.normed_fp8 = empty(a.hidden_size, FP8)
        self.mixed_fp8 = empty(a.heads * a.head_dim, FP8)
        self.gated_fp8 = empty(a.intermediate_size, FP8)


class Step:
    """Runs the policy for one token of each position."""

    def __init__(
        self, architecture: Architecture, weights: StepWeights, pool: Pool, buffers: Buffers, kernels: Kernels
    ) -> None:
        self._architecture, self._weights, self._pool = architecture, weights, pool
        self._buffers, self._kernels = buffers, kernels

    def run(self, count: int) -> None:
        """Feeds TOKEN of the first `count` positions, samples the next, writes it to `Buffers.out`."""
        a, b, weights, kernels = self._architecture, self._buffers, self._weights, self._kernels
        hidden, delta, state = b.hidden[:count], b.delta[:count], b.state
        shape = AttentionShape(a.heads, a.kv_heads, a.head_dim, splits(count * a.kv_heads))
        mixed, gate_up, qkv = b.mixed[:count], b.gate_up[:count], b.qkv[:count]
        kernels.embed(state, weights.embedding, hidden)
        pending: Tensor | None = None
        for number, layer in enumerate(weights.layers):
            normed = self._input(layer.qkv, b.normed, b.normed_fp8, count)
            kernels.add_norm(hidden, pending, layer.input_norm, a.norm_epsilon, normed)
            layer.qkv.multiply(normed, qkv)
            kernels.attend(state, qkv, layer.attention, weights.rope, self._pool.layer(number), shape, mixed)
            layer.out.multiply(self._mixed(layer.out, mixed, count), delta)
            normed = self._input(layer.gate_up, b.normed, b.normed_fp8, count)
            kernels.add_norm(hidden, delta, layer.mlp_norm, a.norm_epsilon, normed)
            layer.gate_up.multiply(normed, gate_up)
            gated = self._input(layer.down, b.gated, b.gated_fp8, count)
            kernels.gate(gate_up, gated)
            layer.down.multiply(gated, delta)
            pending = delta
        last = Scaled(b.normed[:count])
        kernels.add_norm(hidden, pending, weights.final_norm, a.norm_epsilon, last)
        multiply_fp32(last.values, weights.head, b.logits[:count])
        kernels.pick(state, b.logits[:count], b.out)

    def _mixed(self, projection: Projection, mixed: Tensor, count: int) -> Scaled:
        if not projection.fp8:
            return Scaled(mixed)
        quantised = Scaled(self._buffers.mixed_fp8[:count], self._buffers.scale[:count])
        self._kernels.put(mixed, quantised)
        return quantised

    def _input(self, projection: Projection, plain: Tensor, fp8: Tensor, count: int) -> Scaled:
        if projection.fp8:
            return Scaled(fp8[:count], self._buffers.scale[:count])
        return Scaled(plain[:count])


def splits(programs: int) -> int:
    """Into how many parts attention cuts a context, so that small batches fill the GPU too."""
    return next((parts for parts in SPLITS if programs * parts >= PROGRAMS), SPLITS[-1])


def multiply_fp32(x_PH: Tensor, matrix_VH: Tensor, out_PV: Tensor) -> None:
    """x @ matrixᵀ with its FP32 sums kept: BF16 logits would round a log-probability by up to 2^-8 of itself."""
    if x_PH.dtype == torch.float32:
        torch.mm(x_PH, matrix_VH.t(), out=out_PV)
    elif x_PH.device.type == "cuda":
        torch.mm(x_PH, matrix_VH.t(), out_dtype=torch.float32, out=out_PV)
    else:
        torch.mm(x_PH.float(), matrix_VH.float().t(), out=out_PV)
