"""The operations that treat each row alone: embedding, residual with norm, gate; the latter two quantise to FP8 too."""
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from gradus_trainer.sampler.continuous import quantise, row_state

TOKEN = tl.constexpr(row_state.TOKEN)
LARGEST = tl.constexpr(quantise.LARGEST)
SMALLEST_SCALE = tl.constexpr(quantise.SMALLEST_SCALE)


@triton.jit
def _store_fp8(values, out, scales, row, column, inside, WIDTH: tl.constexpr):
    scale = tl.maximum(tl.max(tl.abs(values), axis=0) / LARGEST, SMALLEST_SCALE)
    values = tl.minimum(tl.maximum(values / scale, -LARGEST), LARGEST)
    tl.store(scales + row, scale)
    tl.store(out + row * WIDTH + column, values.to(out.dtype.element_ty), mask=inside)


@triton.jit
def embed_rows(state, embedding, hidden, positions, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Grid (rows)."""
    row = tl.program_id(0)
    token = tl.load(state + TOKEN * positions + row)
    column = tl.arange(0, BLOCK)
    inside = column < WIDTH
    vector = tl.load(embedding + token * WIDTH + column, mask=inside)
    tl.store(hidden + row.to(tl.int64) * WIDTH + column, vector.to(tl.float32), mask=inside)


@triton.jit
def add_norm_rows(
    hidden,
    delta,
    weight,
    out,
    scales,
    epsilon,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
    ADD: tl.constexpr,
    FP8: tl.constexpr,
):
    """Grid (rows)."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < WIDTH
    x = tl.load(hidden + row * WIDTH + column, mask=inside, other=0.0)
    w = tl.load(weight + column, mask=inside, other=0.0)
    if ADD:
        x += tl.load(delta + row * WIDTH + column, mask=inside, other=0.0).to(tl.float32)
        tl.store(hidden + row * WIDTH + column, x, mask=inside)
    normed = x * tl.rsqrt(tl.sum(x * x, axis=0) / WIDTH + epsilon) * w
    if FP8:
        _store_fp8(normed, out, scales, row, column, inside, WIDTH)
    else:
        tl.store(out + row * WIDTH + column, normed.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _gated(gate_up, column, inside, WIDTH: tl.constexpr):
    gate = tl.load(gate_up + column, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(gate_up + WIDTH + column, mask=inside, other=0.0).to(tl.float32)
    return gate / (1.0 + tl.exp(-gate)) * up


@triton.jit
def gate_rows(gate_up, out, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Grid (rows, blocks)."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < WIDTH
    gated = _gated(gate_up + row * 2 * WIDTH, column, inside, WIDTH)
    tl.store(out + row * WIDTH + column, gated.to(out.dtype.element_ty), mask=inside)


@triton.jit
def gate_rows_fp8(gate_up, out, scales, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Grid (rows): a whole row is in registers, since its greatest magnitude must be known before its values."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < WIDTH
    _store_fp8(_gated(gate_up + row * 2 * WIDTH, column, inside, WIDTH), out, scales, row, column, inside, WIDTH)


@triton.jit
def quantise_rows_fp8(values, out, scales, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Grid (rows)."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < WIDTH
    loaded = tl.load(values + row * WIDTH + column, mask=inside, other=0.0).to(tl.float32)
    _store_fp8(loaded, out, scales, row, column, inside, WIDTH)
