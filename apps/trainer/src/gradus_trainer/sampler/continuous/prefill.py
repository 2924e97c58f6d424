"""Runs prompts through the policy once, and leaves their keys and values in the pool for all their rows.

All tokens of a prompt but the last: that one is the first input of each row, so the first sampled token needs no
special case. The operations are those of a decoding step over [prompts · length] rows, apart from attention.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gradus_trainer.model.config import Architecture
from gradus_trainer.sampler.continuous.kernels import AttentionShape, Kernels, Scaled
from gradus_trainer.sampler.continuous.pool import Pool
from gradus_trainer.sampler.continuous.prompts import Prompt
from gradus_trainer.sampler.continuous.quantise import FP8
from gradus_trainer.sampler.continuous.row_state import FIELDS, TOKEN
from gradus_trainer.sampler.continuous.weights import Projection, StepWeights

NOWHERE = -1
"""Slot of a padding token: its key and value are not kept."""


class Prefill:
    """Prompts of one wave are padded on the right to the longest: no token sees what lies to its right."""

    def __init__(self, architecture: Architecture, weights: StepWeights, kernels: Kernels) -> None:
        self._architecture, self._weights, self._kernels = architecture, weights, kernels

    @property
    def vocab_size(self) -> int:
        """Tokens that there are."""
        return self._architecture.vocab_size

    def run(self, pool: Pool, wave: list[Prompt]) -> None:
        """Fills the ranges of the wave's prompts."""
        wave = [prompt for prompt in wave if prompt.length]
        if not wave:
            return
        longest = max(prompt.length for prompt in wave)
        ids, slots = [], []
        for prompt in wave:
            padding = longest - prompt.length
            ids += prompt.ids[:-1] + [0] * padding
            slots += [*range(prompt.start, prompt.start + prompt.length), *[NOWHERE] * padding]
        device = self._weights.embedding.device
        state = torch.zeros(FIELDS, len(ids), dtype=torch.int64, device=device)
        state[TOKEN] = torch.tensor(ids, device=device)
        position_N = torch.arange(longest, device=device).repeat(len(wave))
        self._layers(pool, state, position_N, torch.tensor(slots, dtype=torch.int64, device=device), longest)

    def _layers(self, pool: Pool, state: Tensor, position_N: Tensor, slot_N: Tensor, longest: int) -> None:
        a, weights, kernels = self._architecture, self._weights, self._kernels
        count, like = len(slot_N), weights.embedding
        shape = AttentionShape(a.heads, a.kv_heads, a.head_dim)
        hidden = torch.empty(count, a.hidden_size, device=like.device)
        qkv = like.new_empty(count, (a.heads + 2 * a.kv_heads) * a.head_dim)
        gate_up, delta = like.new_empty(count, 2 * a.intermediate_size), like.new_empty(count, a.hidden_size)
        kernels.embed(state, weights.embedding, hidden)
        pending: Tensor | None = None
        for number, layer in enumerate(weights.layers):
            normed = self._input(layer.qkv, count, a.hidden_size)
            kernels.add_norm(hidden, pending, layer.input_norm, a.norm_epsilon, normed)
            layer.qkv.multiply(normed, qkv)
            place = (position_N, slot_N)
            kernels.rotate(qkv, place, layer.attention, weights.rope, pool.layer(number), shape)
            if number + 1 == len(weights.layers):
                return  # of the last layer only keys and values are wanted
            mixed = self._input(layer.out, count, a.heads * a.head_dim)
            kernels.put(causal(qkv, shape, longest), mixed)
            layer.out.multiply(mixed, delta)
            normed = self._input(layer.gate_up, count, a.hidden_size)
            kernels.add_norm(hidden, delta, layer.mlp_norm, a.norm_epsilon, normed)
            layer.gate_up.multiply(normed, gate_up)
            gated = self._input(layer.down, count, a.intermediate_size)
            kernels.gate(gate_up, gated)
            layer.down.multiply(gated, delta)
            pending = delta

    def _input(self, projection: Projection, count: int, width: int) -> Scaled:
        like = self._weights.embedding
        if projection.fp8:
            values = torch.empty(count, width, dtype=FP8, device=like.device)
            return Scaled(values, torch.empty(count, 1, device=like.device))
        return Scaled(like.new_empty(count, width))


def causal(qkv_NW: Tensor, shape: AttentionShape, longest: int) -> Tensor:
    """Attention within each prompt of `longest` tokens, [N, Q · D]."""
    split = (shape.heads, shape.kv_heads, shape.kv_heads)
    qkv_BHTD = qkv_NW.view(-1, longest, sum(split), shape.head_dim).transpose(1, 2)
    query, key, value = qkv_BHTD.split(split, dim=1)
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    return mixed.transpose(1, 2).reshape(len(qkv_NW), -1)
