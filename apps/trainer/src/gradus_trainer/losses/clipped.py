"""The clipped surrogate of PPO with separate bounds, and a KL penalty to a reference.

PPO (Schulman et al. 2017, arXiv 1707.06347, eq. 7) with DAPO's clip-higher (Yu et al. 2025, arXiv 2503.14476, eq. 10)
and the k3 estimator of Schulman's "Approximating KL divergence" (2020). GRPO, DAPO and Dr. GRPO are settings of the
bounds, the normaliser and the advantage.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gradus_trainer.wire.metadata import LossSpec


def clipped(
    logprob_N: Tensor, old_logprob_N: Tensor, advantage_N: Tensor, ref_logprob_N: Tensor | None, spec: LossSpec
) -> Tensor:
    """Loss of each trained token, [N]: −min(r·A, clip(r, 1 − low, 1 + high)·A) + kl_coef·k3, r = exp(p − o)."""
    ratio_N = torch.exp(logprob_N - old_logprob_N)
    bounded_N = ratio_N.clamp(1.0 - spec.clip_low, 1.0 + spec.clip_high)
    loss_N = -torch.minimum(ratio_N * advantage_N, bounded_N * advantage_N)
    if spec.kl_coef > 0 and ref_logprob_N is not None:
        loss_N = loss_N + spec.kl_coef * k3(ref_logprob_N - logprob_N)
    return loss_N


def k3(difference_N: Tensor) -> Tensor:
    """exp(d) − d − 1 of each element: with d = q − p and tokens drawn from p, an unbiased estimate of KL(p ‖ q)."""
    return torch.expm1(difference_N) - difference_N
