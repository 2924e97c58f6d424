"""The decoder: pre-norm blocks of grouped-query attention with RoPE and a SwiGLU, as Llama, Qwen2 and Qwen3 share it.

How positions see each other is passed in (`attend`), so training, prefill and decoding run the very same blocks. Query,
key and value projections are one matrix, as are gate and up: weights.py splits them at the border into the Hugging Face
names. Parameters are FP32; matrix products run in the dtype of `compute`, the residual stream stays FP32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradus_trainer.model.config import Architecture
from gradus_trainer.model.rms_norm import rms_norm
from gradus_trainer.model.rope import rope_table, rotate
from gradus_trainer.model.swiglu import swiglu

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""(layer, query [B, T, Q, D], key [B, T, K, D], value [B, T, K, D]) -> [B, T, Q, D]."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, compute: torch.dtype) -> Tensor:
    """x @ weight.T + bias in `compute`; casts are no-ops when everything is FP32."""
    return F.linear(x.to(compute), weight.to(compute), None if bias is None else bias.to(compute))


class Block(nn.Module):
    """One layer. With `select` (flat positions of B·T) only those rows go on after attention: [N, H] comes out."""

    def __init__(self, architecture: Architecture, layer: int, device: torch.device) -> None:
        super().__init__()
        a = architecture
        self.layer = layer
        self.heads, self.kv_heads, self.head_dim = a.heads, a.kv_heads, a.head_dim
        self.epsilon = a.norm_epsilon
        width = (a.heads + 2 * a.kv_heads) * a.head_dim

        def empty(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape, device=device))

        self.input_norm = empty(a.hidden_size)
        self.qkv = empty(width, a.hidden_size)
        self.qkv_bias = empty(width) if a.qkv_bias else None
        self.query_norm = empty(a.head_dim) if a.qk_norm else None
        self.key_norm = empty(a.head_dim) if a.qk_norm else None
        self.out = empty(a.hidden_size, a.heads * a.head_dim)
        self.mlp_norm = empty(a.hidden_size)
        self.gate_up = empty(2 * a.intermediate_size, a.hidden_size)
        self.down = empty(a.hidden_size, a.intermediate_size)

    def forward(
        self,
        hidden: Tensor,
        rope: tuple[Tensor, Tensor],
        attend: Attend,
        compute: torch.dtype,
        select: Tensor | None = None,
    ) -> Tensor:
        """[B, T, H] -> [B, T, H], or [N, H] with `select`."""
        query, key, value = self._project(hidden, rope, compute)
        mixed = attend(self.layer, query, key, value).flatten(2)
        if select is not None:
            hidden = hidden.flatten(0, 1).index_select(0, select)
            mixed = mixed.flatten(0, 1).index_select(0, select)
        hidden = hidden + linear(mixed, self.out, None, compute)
        gate_up = linear(rms_norm(hidden, self.mlp_norm, self.epsilon), self.gate_up, None, compute)
        return hidden + linear(swiglu(gate_up), self.down, None, compute)

    def through(self, function: Callable[..., Tensor], *arguments: Any) -> Tensor:
        """A function of this layer as its forward pass, so that what is hooked to that (sharded parameters) happens."""
        return function(self, *arguments)

    def _project(
        self, hidden: Tensor, rope: tuple[Tensor, Tensor], compute: torch.dtype
    ) -> tuple[Tensor, Tensor, Tensor]:
        normed = rms_norm(hidden, self.input_norm, self.epsilon)
        qkv = linear(normed, self.qkv, self.qkv_bias, compute).unflatten(-1, (-1, self.head_dim))
        turned, value = qkv.split((self.heads + self.kv_heads, self.kv_heads), dim=2)
        if self.query_norm is not None and self.key_norm is not None:
            query, key = turned.split((self.heads, self.kv_heads), dim=2)
            query = rms_norm(query.float(), self.query_norm, self.epsilon)
            key = rms_norm(key.float(), self.key_norm, self.epsilon)
            turned = torch.cat((query, key), dim=2)
        turned = rotate(turned.float(), *rope).to(compute)
        query, key = turned.split((self.heads, self.kv_heads), dim=2)
        return query, key, value


class Decoder(nn.Module):
    """The whole policy: token ids to hidden states. Log-probabilities are taken by token_logprob.py or the sampler."""

    rope_cosine: Tensor
    rope_sine: Tensor

    def __init__(self, architecture: Architecture, device: torch.device, compute: torch.dtype) -> None:
        super().__init__()
        a = architecture
        self.architecture = a
        self.compute = compute
        self.embedding = nn.Parameter(torch.empty(a.vocab_size, a.hidden_size, device=device))
        self.blocks = nn.ModuleList(Block(a, layer, device) for layer in range(a.layers))
        self.final_norm = nn.Parameter(torch.empty(a.hidden_size, device=device))
        untied = None if a.tied_embeddings else nn.Parameter(torch.empty(a.vocab_size, a.hidden_size, device=device))
        self.untied_head = untied
        cosine, sine = rope_table(a, device)
        self.register_buffer("rope_cosine", cosine, persistent=False)
        self.register_buffer("rope_sine", sine, persistent=False)

    @property
    def head(self) -> Tensor:
        """The matrix [V, H] that turns hidden states into logits."""
        return self.embedding if self.untied_head is None else self.untied_head

    def through(self, function: Callable[..., Tensor], *arguments: Any) -> Tensor:
        """A function of this decoder as its forward pass, see Block."""
        return function(self, *arguments)

    def rope_from_start(self, length: int) -> tuple[Tensor, Tensor]:
        """Rotations of positions 0 to length − 1, shaped [T, 1, D/2]."""
        return self.rope_cosine[:length, None, :], self.rope_sine[:length, None, :]

    def rope_at(self, positions_BT: Tensor) -> tuple[Tensor, Tensor]:
        """Rotations of any positions, shaped [B, T, 1, D/2]."""
        return self.rope_cosine[positions_BT][:, :, None, :], self.rope_sine[positions_BT][:, :, None, :]

    def forward(
        self, ids_BT: Tensor, rope: tuple[Tensor, Tensor], attend: Attend, select: Tensor | None = None
    ) -> Tensor:
        """Hidden states after the final norm: [B, T, H], or [N, H] for the flat positions in `select`."""
        hidden = F.embedding(ids_BT, self.embedding).float()
        last = len(self.blocks) - 1
        for layer, block in enumerate(self.blocks):
            hidden = block(hidden, rope, attend, self.compute, select if layer == last else None)
        return rms_norm(hidden, self.final_norm, self.architecture.norm_epsilon)
