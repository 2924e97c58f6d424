"""Log-probability and entropy of chosen tokens from hidden states, without ever holding [tokens, vocabulary]."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gradus_trainer.model.vocabulary_softmax import chunk

CHUNK_LOGITS = 1 << 24
"""Logits alive at once on a CPU (64 MiB in FP32)."""
CUDA_CHUNK_LOGITS = 640 << 20
"""Logits alive at once on CUDA (1.25 GiB in BF16): few, large products."""


def chunks(tokens: int, vocabulary: int, device: torch.device) -> Iterator[slice]:
    """Cuts N tokens into parts of nearly equal size whose logits are within the bound of the device."""
    most = max(1, (CUDA_CHUNK_LOGITS if device.type == "cuda" else CHUNK_LOGITS) // vocabulary)
    count = -(-tokens // most)
    size = -(-tokens // max(1, count))
    for start in range(0, tokens, max(1, size)):
        yield slice(start, min(tokens, start + size))


@torch.no_grad()
def token_logprob(
    hidden_NH: Tensor, head_VH: Tensor, target_N: Tensor, temperature_N: Tensor | None, compute: torch.dtype
) -> tuple[Tensor, Tensor]:
    """(log-probability [N], entropy [N]) in nats of softmax(hidden · headᵀ / temperature), without gradients."""
    head, logprobs, entropies = head_VH.to(compute), [], []
    for part in chunks(target_N.shape[0], head_VH.shape[0], hidden_NH.device):
        temperature_n = None if temperature_N is None else temperature_N[part]
        opened = chunk(hidden_NH[part].to(compute), head, target_N[part], temperature_n)
        logprobs.append(opened.logprob())
        entropies.append(opened.entropy())
    return torch.cat(logprobs), torch.cat(entropies)
