"""Rotary position embedding in the half-split layout of Hugging Face checkpoints (Su et al. 2021, arXiv 2104.09864)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gradus_trainer.model.config import Architecture


def rope_table(architecture: Architecture, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each [positions, head_dim / 2], FP32: angle = position · theta^(−2i / head_dim), scaled."""
    a = architecture
    exponent = torch.arange(0, a.head_dim, 2, dtype=torch.int64).float() / a.head_dim
    frequency = 1.0 / (a.rope_theta**exponent)
    if a.rope_scaling is not None:
        frequency = a.rope_scaling.slow(frequency)
    angle = torch.outer(torch.arange(a.max_positions, dtype=torch.float32), frequency)
    return angle.cos().to(device), angle.sin().to(device)


class _Rotate(torch.autograd.Function):
    """Written by hand because autograd would hold and add seven temporaries where four products suffice."""

    @staticmethod
    def forward(context: Any, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        context.save_for_backward(cosine, sine)
        return _turn(x, cosine, sine, 1.0)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """A rotation's transpose is the rotation by the opposite angle."""
        cosine, sine = context.saved_tensors
        return _turn(gradients[0], cosine, sine, -1.0), None, None


def _turn(x: Tensor, cosine: Tensor, sine: Tensor, sign: float) -> Tensor:
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    (first, second), (out_first, out_second) = x.chunk(2, dim=-1), out.chunk(2, dim=-1)
    torch.mul(first, cosine, out=out_first).addcmul_(second, sine, value=-sign)
    torch.mul(second, cosine, out=out_second).addcmul_(first, sine, value=sign)
    return out


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates the pairs (i, i + D/2) of the last axis; cosine and sine broadcast to [..., D/2]."""
    # torch ships Function.apply without types
    turned: Tensor = _Rotate.apply(x, cosine, sine)  # type: ignore[no-untyped-call]  # torch does not type apply
    return turned
