"""Picks the next token of every row: inverse-CDF sampling, or the most likely token at temperature 0."""

from __future__ import annotations

import torch
from torch import Tensor


def choose(logits_BV: Tensor, temperature: float, uniform_B: Tensor | None) -> tuple[Tensor, Tensor]:
    """(token [B], its log-probability [B] in FP32) of softmax(logits / temperature).

    The token is the first whose cumulative probability exceeds the draw; sums are FP64, so that the tail of a large
    vocabulary is not rounded away, and the draw is scaled by the total, so that a token of probability 0 is never
    taken. At temperature 0 the log-probability is the one at temperature 1.
    """
    logits_BV = logits_BV.float()
    if temperature not in (0.0, 1.0):
        logits_BV = logits_BV / temperature
    all_BV = torch.log_softmax(logits_BV, dim=-1)
    if temperature == 0.0 or uniform_B is None:
        token_B1 = all_BV.argmax(dim=-1, keepdim=True)
    else:
        cumulative_BV = all_BV.exp().cumsum(dim=-1, dtype=torch.float64)
        total_B1 = cumulative_BV[:, -1:]
        threshold_B1 = torch.minimum(uniform_B[:, None] * total_B1, torch.nextafter(total_B1, total_B1 - 1))
        token_B1 = torch.searchsorted(cumulative_BV, threshold_B1, right=True)
    return token_B1.squeeze(1), all_BV.gather(1, token_B1).squeeze(1)
