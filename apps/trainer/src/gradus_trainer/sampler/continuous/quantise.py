"""FP8 (e4m3) with one FP32 scale a row: row-wise, so that an outlier costs its own row alone precision."""

from __future__ import annotations

import torch
from torch import Tensor

FP8 = torch.float8_e4m3fn
LARGEST = 448.0
"""The largest finite value of e4m3."""
SMALLEST_SCALE = 1e-12


def quantise_rows(values_RN: Tensor) -> tuple[Tensor, Tensor]:
    """(FP8 [R, N], FP32 scale [R, 1]) with values ≈ FP8 · scale, the greatest magnitude of a row on 448."""
    values_RN = values_RN.float()
    scale_R1 = values_RN.abs().amax(dim=1, keepdim=True).div_(LARGEST).clamp_(min=SMALLEST_SCALE)
    return (values_RN / scale_R1).clamp_(-LARGEST, LARGEST).to(FP8), scale_R1
