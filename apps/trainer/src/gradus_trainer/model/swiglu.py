"""The gated activation of the feed-forward part: silu(gate) · up (Shazeer 2020, arXiv 2002.05202)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class _SwiGLU(torch.autograd.Function):
    """Written by hand so that the gradient of both halves is one tensor and only the input is kept."""

    @staticmethod
    def forward(context: Any, gate_up: Tensor) -> Tensor:
        context.save_for_backward(gate_up)
        gate, up = gate_up.chunk(2, dim=-1)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (gate_up,) = context.saved_tensors
        gate, up = gate_up.chunk(2, dim=-1)
        out = torch.empty_like(gate_up)
        out_gate, out_up = out.chunk(2, dim=-1)
        torch.mul(F.silu(gate), gradients[0], out=out_up)
        out_gate.copy_(torch.ops.aten.silu_backward(gradients[0] * up, gate))
        return out


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) · up of the two halves of the last axis, [..., 2F] -> [..., F]."""
    # torch ships Function.apply without types
    activated: Tensor = _SwiGLU.apply(gate_up)  # type: ignore[no-untyped-call]  # torch does not type apply
    return activated
