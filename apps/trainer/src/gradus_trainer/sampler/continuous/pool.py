"""Keys and values of everything that is being decoded, in one static allocation a layer."""

from __future__ import annotations

import torch
from torch import Tensor

from gradus_trainer.model.attention import repeat_heads
from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.sampler.continuous.prompts import Prompt


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

    def prefill(self, decoder: Decoder, wave: list[Prompt]) -> None:
        """Runs prompts through the policy, all their tokens but the last, and keeps their keys and values."""
        wave = [prompt for prompt in wave if prompt.length]
        if not wave:
            return
        device, longest = decoder.embedding.device, max(prompt.length for prompt in wave)
        padded = [prompt.ids[:-1] + [0] * (longest - prompt.length) for prompt in wave]
        ids_BT = torch.tensor(padded, dtype=torch.int64, device=device)
        slots = [prompt.start + step for prompt in wave for step in range(prompt.length)]
        into = torch.tensor(slots, dtype=torch.int64, device=device)
        places = [row * longest + step for row, prompt in enumerate(wave) for step in range(prompt.length)]
        taken = torch.tensor(places, dtype=torch.int64, device=device)

        def attend(layer: int, query_BTQD: Tensor, key_BTKD: Tensor, value_BTKD: Tensor) -> Tensor:
            for stored, new in ((self._key, key_BTKD), (self._value, value_BTKD)):
                stored[layer].index_copy_(1, into, new.flatten(0, 1)[taken].transpose(0, 1))
            return _causal(query_BTQD, key_BTKD, value_BTKD)

        # Of the last block only keys and values are wanted: one position goes on.
        decoder(ids_BT, decoder.rope_from_start(longest), attend, torch.zeros(1, dtype=torch.int64, device=device))


def _causal(query_BTQD: Tensor, key_BTKD: Tensor, value_BTKD: Tensor) -> Tensor:
    """Right-padded prompts need no mask: no token sees what lies to its right."""
    heads = query_BTQD.shape[2]
    key, value = (repeat_heads(x.transpose(1, 2), heads) for x in (key_BTKD, value_BTKD))
    query = query_BTQD.transpose(1, 2)
    mixed: Tensor = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    return mixed.transpose(1, 2)
