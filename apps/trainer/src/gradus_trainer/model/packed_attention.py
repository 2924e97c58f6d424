"""Causal attention inside each sequence of a packed stream: operators that torch.compile keeps whole, and gradients.

Two kernels: FlashAttention-2 is in PyTorch, whose public `varlen_attn` changes its signature from release to release
while the operators below it are the same from 2.8 to 2.13; FlashAttention-4 (Hopper and Blackwell) is a package of its
own, used where it is installed. cuDNN's operator for packed streams gives wrong gradients in torch 2.11.
Shapes: query [T, Q, D], key and value [T, K, D], offsets int32 [S], `longest` bounds every sequence.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

aten = torch.ops.aten
Three = tuple[Tensor, Tensor, Tensor]


@torch.library.custom_op("gradus::flash_attention", mutates_args=())
def flash_forward(query: Tensor, key: Tensor, value: Tensor, offsets: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """(attention [T, Q, D], log of the sums of exp [Q, T])."""
    ends, scale = (offsets, offsets, longest, longest), query.shape[-1] ** -0.5
    found = aten._flash_attention_forward(query, key, value, *ends, 0.0, True, False, scale=scale)
    return found[0], found[1]


def _flash_forward_fake(
    query: Tensor, key: Tensor, value: Tensor, offsets: Tensor, longest: int
) -> tuple[Tensor, Tensor]:
    del key, value, offsets, longest
    sums = torch.empty((query.shape[1], query.shape[0]), dtype=torch.float32, device=query.device)
    return torch.empty_like(query, memory_format=torch.contiguous_format), sums


flash_forward.register_fake(_flash_forward_fake)


@torch.library.custom_op("gradus::flash_attention_backward", mutates_args=())
def flash_backward(
    slope: Tensor, query: Tensor, key: Tensor, value: Tensor, out: Tensor, sums: Tensor, offsets: Tensor, longest: int
) -> Three:
    """Gradients of query, key and value."""
    ends, scale = (offsets, offsets, longest, longest), query.shape[-1] ** -0.5
    # states of a random generator, which no dropout needs
    state = torch.zeros(2, dtype=torch.uint64, device=query.device)
    unused = torch.zeros((), dtype=torch.uint64, device=query.device)
    inputs = (slope.contiguous(), query, key, value, out, sums)
    found = aten._flash_attention_backward(*inputs, *ends, 0.0, True, state, unused, scale=scale)
    return found[0], found[1], found[2]


@torch.library.custom_op("gradus::flash4_attention", mutates_args=())
def flash4_forward(query: Tensor, key: Tensor, value: Tensor, offsets: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """(attention [T, Q, D], log of the sums of exp [Q, T])."""
    # importing it takes seconds and asks for a device
    from flash_attn.cute.interface import _flash_attn_fwd  # noqa: PLC0415 - optional: only where it is installed

    found = _flash_attn_fwd(query, key, value, return_lse=True, **_flash4_settings(query, offsets, longest))
    return found[0], found[1]


flash4_forward.register_fake(_flash_forward_fake)


@torch.library.custom_op("gradus::flash4_attention_backward", mutates_args=())
def flash4_backward(
    slope: Tensor, query: Tensor, key: Tensor, value: Tensor, out: Tensor, sums: Tensor, offsets: Tensor, longest: int
) -> Three:
    """Gradients of query, key and value."""
    from flash_attn.cute.interface import _flash_attn_bwd  # noqa: PLC0415 - as above

    inputs = (query, key, value, out, slope.contiguous(), sums)
    found = _flash_attn_bwd(*inputs, **_flash4_settings(query, offsets, longest))
    return found[0], found[1], found[2]


def _flash4_settings(query: Tensor, offsets: Tensor, longest: int) -> dict[str, Any]:
    return {
        "softmax_scale": query.shape[-1] ** -0.5,
        "causal": True,
        "cu_seqlens_q": offsets,
        "cu_seqlens_k": offsets,
        "max_seqlen_q": longest,
        "max_seqlen_k": longest,
    }


def _backward_fake(
    slope: Tensor, query: Tensor, key: Tensor, value: Tensor, out: Tensor, sums: Tensor, offsets: Tensor, longest: int
) -> Three:
    del slope, out, sums, offsets, longest
    gradients = [torch.empty_like(x, memory_format=torch.contiguous_format) for x in (query, key, value)]
    return gradients[0], gradients[1], gradients[2]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    """torch passes these by their names."""
    query, key, value, offsets, longest = inputs
    ctx.save_for_backward(query, key, value, offsets, *output)
    ctx.longest = longest


def _derivative(backward: Any) -> Any:
    def apply(context: Any, slope: Tensor, _sums_slope: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, offsets, out, sums = context.saved_tensors
        return *backward(slope, query, key, value, out, sums, offsets, context.longest), None, None

    return apply


for _forward, _backward in ((flash_forward, flash_backward), (flash4_forward, flash4_backward)):
    _backward.register_fake(_backward_fake)
    _forward.register_autograd(_derivative(_backward), setup_context=_keep)


def flash(query: Tensor, key: Tensor, value: Tensor, offsets: Tensor, longest: int) -> Tensor:
    """FlashAttention-2 as it is compiled into PyTorch."""
    out: Tensor = flash_forward(query, key, value, offsets, longest)[0]
    return out


def flash4(query: Tensor, key: Tensor, value: Tensor, offsets: Tensor, longest: int) -> Tensor:
    """FlashAttention-4 of the package flash-attn-4."""
    out: Tensor = flash4_forward(query, key, value, offsets, longest)[0]
    return out


def plain(query: Tensor, key: Tensor, value: Tensor, offsets: Tensor, longest: int) -> Tensor:
    """One sequence after another through PyTorch's own attention: the reference, and what runs without a kernel."""
    del longest
    times = query.shape[1] // key.shape[1]
    parts = []
    ends = offsets.tolist()
    for start, end in itertools.pairwise(ends):
        if end == start:
            continue
        q, k, v = (x[start:end].transpose(0, 1)[None] for x in (query, key, value))
        k, v = (x.repeat_interleave(times, dim=1) for x in (k, v))
        parts.append(F.scaled_dot_product_attention(q, k, v, is_causal=True)[0].transpose(0, 1))
    return torch.cat(parts)
