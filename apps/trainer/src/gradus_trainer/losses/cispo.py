"""CISPO: REINFORCE with a clipped, constant importance weight, so that no token's gradient is dropped.

MiniMax-M1 (Chen et al. 2025, arXiv 2506.13585, eq. 4 and 5). With `low` ≥ 1 only the upper bound is left, as in the
paper's runs.
"""

from __future__ import annotations

from torch import Tensor


def cispo(logprob_N: Tensor, ratio_N: Tensor, advantage_N: Tensor, low: float, high: float) -> Tensor:
    """Loss of each trained token, [N]: −sg(clip(r, 1 − low, 1 + high))·A·p."""
    return -ratio_N.detach().clamp(1.0 - low, 1.0 + high) * advantage_N * logprob_N
