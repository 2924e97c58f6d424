"""Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv 1910.07467) with a gradient of few passes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class _RMSNorm(torch.autograd.Function):
    """Written by hand because PyTorch puts it together from nine operators on a CPU, each a pass over memory."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        scale = _scale(x, epsilon)
        context.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """With h = x · scale: d weight = Σ g·h, d x = scale · (g·w − h · mean(g·w·h))."""
        x, weight, scale = context.saved_tensors
        gradient = gradients[0]
        normed = x * scale
        product = gradient * normed
        weight_gradient = product.flatten(0, -2).sum(0)
        mean = (product @ weight).unsqueeze(-1).div_(-x.shape[-1])
        slope = (gradient * weight).addcmul_(normed, mean).mul_(scale)
        return slope, weight_gradient, None


def _scale(x: Tensor, epsilon: float) -> Tensor:
    """1 / sqrt(mean(x²) + epsilon), [..., 1]."""
    square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
    scale: Tensor = square.div_(x.shape[-1]).add_(epsilon).rsqrt_()
    return scale


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """x / sqrt(mean(x²) + epsilon) · weight over the last axis, in the dtype of x (FP32 here)."""
    if x.is_cuda:
        return F.rms_norm(x, weight.shape, weight, epsilon)
    if not torch.is_grad_enabled():
        return (x * _scale(x, epsilon)).mul_(weight)
    # torch ships Function.apply without types
    normed: Tensor = _RMSNorm.apply(x, weight, epsilon)  # type: ignore[no-untyped-call]  # torch does not type apply
    return normed
