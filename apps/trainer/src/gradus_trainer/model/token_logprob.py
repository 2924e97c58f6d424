"""Log-probability and entropy of chosen tokens from hidden states, without ever holding [tokens, vocabulary].

Logits of a chunk of tokens live only while that chunk is worked on; the backward pass computes them again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHUNK_LOGITS = 1 << 24
"""Logits alive at once (64 MiB in FP32)."""


def scaled_logits(hidden_NH: Tensor, head_VH: Tensor, temperature_N: Tensor, compute: torch.dtype) -> Tensor:
    """FP32 logits over temperature, [N, V]."""
    logits_NV = (hidden_NH.to(compute) @ head_VH.to(compute).t()).float()
    return logits_NV.div_(temperature_N[:, None])


class _TokenLogprob(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 (the signature autograd calls)
        context: Any,
        hidden_NH: Tensor,
        head_VH: Tensor,
        target_N: Tensor,
        temperature_N: Tensor,
        compute: torch.dtype,
    ) -> tuple[Tensor, Tensor]:
        count, rows = target_N.shape[0], max(1, CHUNK_LOGITS // head_VH.shape[0])
        logprob_N = torch.empty(count, device=hidden_NH.device)
        entropy_N = torch.empty_like(logprob_N)
        for start in range(0, count, rows):
            part = slice(start, start + rows)
            logits_NV = scaled_logits(hidden_NH[part], head_VH, temperature_N[part], compute)
            all_NV = torch.log_softmax(logits_NV, dim=-1)
            logprob_N[part] = all_NV.gather(1, target_N[part, None]).squeeze(1)
            entropy_N[part] = -(all_NV.exp() * all_NV).sum(dim=-1)
        context.save_for_backward(hidden_NH, head_VH, target_N, temperature_N)
        context.compute, context.rows = compute, rows
        context.mark_non_differentiable(entropy_N)
        return logprob_N, entropy_N

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """d logprob / d logits = (onehot − softmax) / temperature."""
        upstream_N = gradients[0]
        hidden_NH, head_VH, target_N, temperature_N = context.saved_tensors
        hidden_gradient_NH = torch.empty_like(hidden_NH)
        head_gradient_VH = torch.zeros_like(head_VH)
        head = head_VH.to(context.compute)
        for start in range(0, target_N.shape[0], context.rows):
            part = slice(start, start + context.rows)
            logits_NV = scaled_logits(hidden_NH[part], head_VH, temperature_N[part], context.compute)
            weight_N = (upstream_N[part] / temperature_N[part])[:, None]
            slope_NV = torch.softmax(logits_NV, dim=-1).mul_(-weight_N)
            slope_NV.scatter_add_(1, target_N[part, None], weight_N)
            slope = slope_NV.to(context.compute)
            hidden_gradient_NH[part] = (slope @ head).float()
            head_gradient_VH += (slope.t() @ hidden_NH[part].to(context.compute)).float()
        return hidden_gradient_NH, head_gradient_VH, None, None, None


def token_logprob(
    hidden_NH: Tensor, head_VH: Tensor, target_N: Tensor, temperature_N: Tensor, compute: torch.dtype
) -> tuple[Tensor, Tensor]:
    """(log-probability [N], entropy [N]) in nats of softmax(hidden · headᵀ / temperature); entropy has no gradient."""
    # torch ships Function.apply without types
    result: tuple[Tensor, Tensor] = _TokenLogprob.apply(hidden_NH, head_VH, target_N, temperature_N, compute)  # type: ignore[no-untyped-call]
    return result
