"""Keys and values of everything that is being decoded, in one static allocation a layer."""

from __future__ import annotations

import torch
from torch import Tensor

from gradus_trainer.model.config import Architecture


def token_bytes(architecture: Architecture, dtype: torch.dtype) -> int:
    """Bytes that one token takes in the pool."""
    return 2 * architecture.layers * architecture.kv_heads * architecture.head_dim * dtype.itemsize


class Pool:
    """Keys and values [layers, K, tokens, D]. Ranges of tokens belong to prompts and rows; see ranges.py."""

    def __init__(self, architecture: Architecture, tokens: int, like: Tensor) -> None:
        a = architecture
        self.tokens = tokens
        shape = (a.layers, a.kv_heads, tokens, a.head_dim)
        self._key = torch.zeros(shape, dtype=like.dtype, device=like.device)
        self._value = torch.zeros(shape, dtype=like.dtype, device=like.device)

    def layer(self, number: int) -> tuple[Tensor, Tensor]:
        """One layer's keys and values, each [K, tokens, D]."""
        return self._key[number], self._value[number]
