"""Correction of the gap between the sampler and the trainer: a constant weight of each token from d = o − m.

o is the log-probability under the policy before the update, m the sampler's. Truncation is TIS (Ionides 2008, as in
Yao et al. 2025, "Your efficient RL framework secretly brings you off-policy RL training"); IcePop (Ling team 2025,
arXiv 2510.18855) keeps the ratio inside its bounds and drops the token outside; the sequence mask drops whole
sequences whose geometric mean of ratios leaves the bounds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gradus_trainer.losses.sequence_mean import sequence_mean
from gradus_trainer.wire.loss_spec import Importance


def importance_weight(difference_N: Tensor, sequence_N: Tensor, spec: Importance) -> Tensor:
    """Weight of each trained token, [N], without a gradient."""
    difference_N = difference_N.detach()
    if spec.kind == "sequence_mask":
        mean_N = torch.exp(sequence_mean(difference_N, sequence_N))
        return ((mean_N >= spec.low) & (mean_N <= spec.high)).to(difference_N.dtype)
    ratio_N = torch.exp(difference_N)
    if spec.kind == "truncate":
        return ratio_N.clamp(max=spec.high)
    if spec.kind == "icepop":
        return torch.where((ratio_N >= spec.low) & (ratio_N <= spec.high), ratio_N, 0.0)
    return torch.ones_like(ratio_N)
