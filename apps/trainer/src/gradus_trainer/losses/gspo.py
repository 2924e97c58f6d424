"""GSPO: one ratio a sequence, the geometric mean of its tokens' ratios, clipped as a whole.

Zheng et al. 2025, arXiv 2507.18071, eq. 5 and 7: r_i = exp(Σ_t M(p − o) / Σ_t M).
"""

from __future__ import annotations

import torch
from torch import Tensor

from gradus_trainer.losses.clipped import clipped
from gradus_trainer.losses.sequence_mean import sequence_mean


def gspo(difference_N: Tensor, advantage_N: Tensor, sequence_N: Tensor, low: float, high: float) -> Tensor:
    """Loss of each trained token, [N], from p − o and the sequence that each token belongs to.

    Every token has its sequence's clipped surrogate, so a mean over tokens of a sequence is the paper's loss of it.
    """
    ratio_N = torch.exp(sequence_mean(difference_N, sequence_N))
    return clipped(ratio_N, advantage_N, low, high)
