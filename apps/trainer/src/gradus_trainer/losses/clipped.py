"""The clipped surrogate of PPO with separate bounds.

PPO (Schulman et al. 2017, arXiv 1707.06347, eq. 7) with DAPO's clip-higher (Yu et al. 2025, arXiv 2503.14476, eq. 10).
GRPO, DAPO and Dr. GRPO are settings of the bounds, the normaliser and the advantage.
"""

from __future__ import annotations

import torch
from torch import Tensor


def clipped(ratio_N: Tensor, advantage_N: Tensor, low: float, high: float) -> Tensor:
    """Loss of each trained token, [N]: −min(r·A, clip(r, 1 − low, 1 + high)·A)."""
    bounded_N = ratio_N.clamp(1.0 - low, 1.0 + high)
    return -torch.minimum(ratio_N * advantage_N, bounded_N * advantage_N)
