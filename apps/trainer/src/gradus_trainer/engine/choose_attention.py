"""Picks the attention kernel of packed streams: each is checked against the plain one and timed on a small stream."""

from __future__ import annotations

import functools
import logging
import statistics

import torch
from torch import Tensor

from gradus_trainer.model.packed_attention import flash, flash4, plain
from gradus_trainer.model.packed_block import PackedAttention

CANDIDATES: dict[str, PackedAttention] = {"flash": flash, "flash4": flash4}
LENGTHS = (1500, 300, 2048, 700, 1000, 2596) * 3
"""Tokens of the sequences that are timed: enough that the device, not the host, is what takes the time."""
TOLERANCE = 0.02
"""Largest relative distance from FP32 that BF16 kernels may have, in the norm of outputs and of gradients."""
REPEATS = 5
log = logging.getLogger("gradus.attention")


@functools.cache
def choose_attention(device: torch.device, heads: int, kv_heads: int, head_dim: int, compute: torch.dtype) -> str:
    """Name of the fastest right kernel for these heads; `plain` where none works."""
    if device.type != "cuda" or compute == torch.float32:
        return "plain"
    seconds = {}
    for name, attention in CANDIDATES.items():
        try:
            distance, took = _trial(attention, device, (heads, kv_heads, head_dim), compute)
        except Exception as error:
            log.warning("attention %s does not run here: %s", name, repr(error)[:300])
            continue
        if distance < TOLERANCE:
            seconds[name] = took
        log.info("attention %s: %.2f ms forward and backward, %.4f from FP32", name, 1e3 * took, distance)
    chosen = min(seconds, key=lambda name: seconds[name], default="plain")
    log.info("attention of %d/%d heads of %d: %s", heads, kv_heads, head_dim, chosen)
    return chosen


def attention_named(name: str) -> PackedAttention:
    """The kernel of a name."""
    return plain if name == "plain" else CANDIDATES[name]


def _trial(
    attention: PackedAttention, device: torch.device, shape: tuple[int, int, int], compute: torch.dtype
) -> tuple[float, float]:
    """(relative distance from the plain one in FP32, median seconds of forward and backward)."""
    heads, kv_heads, size = shape
    generator = torch.Generator(device).manual_seed(1)
    tokens = sum(LENGTHS)
    inputs = [
        torch.randn(tokens, count, size, generator=generator, device=device) for count in (heads, kv_heads, kv_heads)
    ]
    slope = torch.randn(tokens, heads, size, generator=generator, device=device)
    ends = torch.tensor((0, *LENGTHS), device=device).cumsum(0)
    # the last sequences are empty, as a bin's may be
    offsets = torch.cat((ends, ends[-1:], ends[-1:])).to(torch.int32)
    longest = 1 << (max(LENGTHS) - 1).bit_length()
    expected = _run(plain, inputs, slope, offsets, longest)
    low, low_slope = [x.to(compute) for x in inputs], slope.to(compute)
    found = _run(attention, low, low_slope, offsets, longest)
    distance = max(
        float((mine.float() - other).norm() / other.norm()) for mine, other in zip(found, expected, strict=True)
    )
    times = []
    for _ in range(REPEATS):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        _run(attention, low, low_slope, offsets, longest)
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return distance, statistics.median(times)


def _run(
    attention: PackedAttention, inputs: list[Tensor], slope: Tensor, offsets: Tensor, longest: int
) -> tuple[Tensor, ...]:
    leaves = [x.detach().requires_grad_() for x in inputs]
    out = attention(leaves[0], leaves[1], leaves[2], offsets, longest)
    return (out.detach(), *torch.autograd.grad(out, leaves, slope))
