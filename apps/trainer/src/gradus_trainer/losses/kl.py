"""The k3 estimator of a KL divergence (Schulman, "Approximating KL divergence", 2020)."""

from __future__ import annotations

import torch
from torch import Tensor


def k3(difference_N: Tensor) -> Tensor:
    """exp(d) − d − 1 of each element: with d = q − p and tokens drawn from p, an unbiased estimate of KL(p ‖ q)."""
    return torch.expm1(difference_N) - difference_N
