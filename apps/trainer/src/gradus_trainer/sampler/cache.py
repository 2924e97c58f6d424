"""The key/value cache of one chunk: left-padded, so that every row writes the same slot at every step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gradus_trainer.model.attention import repeat_heads
from gradus_trainer.model.config import Architecture

GROWTH = 64
"""Slots that are added at least when the cache is full."""


class Cache:
    """Keys and values [layers, B, K, slots, D] of `length` filled slots, and which slots are padding.

    `mask` is additive, [B, 1, 1, slots], −inf at padding; None when no row has padding.
    """

    def __init__(self, architecture: Architecture, rows: int, slots: int, dtype: torch.dtype, like: Tensor) -> None:
        a = architecture
        shape = (a.layers, rows, a.kv_heads, slots, a.head_dim)
        self.key = torch.zeros(shape, dtype=dtype, device=like.device)
        self.value = torch.zeros(shape, dtype=dtype, device=like.device)
        self.length = 0
        self.heads = a.heads
        self.mask: Tensor | None = None

    def set_padding(self, padding_B: Tensor) -> None:
        """Masks the first `padding_B` slots of each row."""
        if not bool(padding_B.any()):
            self.mask = None
            return
        slots = torch.arange(self.key.shape[3], device=padding_B.device)
        mask = torch.zeros(padding_B.shape[0], slots.shape[0], dtype=self.key.dtype, device=padding_B.device)
        self.mask = mask.masked_fill_(slots[None] < padding_B[:, None], -torch.inf)[:, None, None, :]

    def take(self, rows_B: Tensor, slots: int) -> None:
        """Keeps (or repeats) the given rows, in that order, with room for `slots`."""
        filled = self.length
        for name in ("key", "value"):
            old = getattr(self, name)
            # Slots beyond the filled ones are written before they are read.
            new = old.new_empty((old.shape[0], rows_B.shape[0], old.shape[2], slots, old.shape[4]))
            torch.index_select(old[:, :, :, :filled], 1, rows_B, out=new[:, :, :, :filled])
            setattr(self, name, new)
        if self.mask is not None:
            kept = self.mask.index_select(0, rows_B)[..., :filled]
            self.mask = F.pad(kept, (0, slots - filled))

    def attend_prefill(self, layer: int, query_BTQD: Tensor, key_BTKD: Tensor, value_BTKD: Tensor) -> Tensor:
        """Stores T prompt positions and attends causally among them; padded queries see themselves only."""
        length = query_BTQD.shape[1]
        key, value = key_BTKD.transpose(1, 2), value_BTKD.transpose(1, 2)
        self.key[layer, :, :, :length] = key
        self.value[layer, :, :, :length] = value
        mask = None
        if self.mask is not None:
            future = torch.full((length, length), -torch.inf, device=query_BTQD.device).triu(1)
            mask = (self.mask[..., :length] + future.to(self.mask.dtype)).clone()
            mask.diagonal(dim1=-2, dim2=-1).zero_()
        mixed = F.scaled_dot_product_attention(
            query_BTQD.transpose(1, 2),
            repeat_heads(key, self.heads),
            repeat_heads(value, self.heads),
            attn_mask=mask,
            is_causal=mask is None,
        )
        return mixed.transpose(1, 2)

    def attend_step(self, layer: int, query_BTQD: Tensor, key_BTKD: Tensor, value_BTKD: Tensor) -> Tensor:
        """Stores one position (T = 1) at slot `length` and attends to it and all before it."""
        slot, batch = self.length, query_BTQD.shape[0]
        self.key[layer, :, :, slot] = key_BTKD[:, 0]
        self.value[layer, :, :, slot] = value_BTKD[:, 0]
        mask = None if self.mask is None else self.mask[..., : slot + 1]
        kv_heads, size = self.key.shape[2], self.key.shape[4]
        # Query heads that share a key head are rows of one product: nothing is repeated.
        query = query_BTQD.reshape(batch, kv_heads, -1, size)
        key, value = self.key[layer, :, :, : slot + 1], self.value[layer, :, :, : slot + 1]
        if query.device.type == "cpu":
            return _plain(query, key, value, mask).view(batch, 1, -1, size)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask).reshape(batch, 1, -1, size)


def _plain(query_BKGD: Tensor, key_BKSD: Tensor, value_BKSD: Tensor, mask: Tensor | None) -> Tensor:
    """Attention as two products, which a CPU does in less time than its fused kernel when there is one query."""
    batch, kv_heads, group, size = query_BKGD.shape
    query, key, value = (x.flatten(0, 1) for x in (query_BKGD, key_BKSD, value_BKSD))
    scores = torch.bmm(query * size**-0.5, key.transpose(1, 2))
    if mask is not None:
        scores.view(batch, kv_heads, group, -1).add_(mask)
    return torch.bmm(scores.softmax(dim=-1), value)
