"""Attention of one new token a row, in one pass over its keys and values: bias, norm, rotation and store included.

A program has one row and one key head; its query heads are rows of one product. With splits several programs share a
row's context and `combine_splits` joins them (Dao et al. 2023, "Flash-Decoding").
"""
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from gradus_trainer.sampler.continuous import row_state

CAPACITY = tl.constexpr(row_state.CAPACITY)
LENGTH = tl.constexpr(row_state.LENGTH)
OWN_START = tl.constexpr(row_state.OWN_START)
PREFIX_LENGTH = tl.constexpr(row_state.PREFIX_LENGTH)
PREFIX_START = tl.constexpr(row_state.PREFIX_START)


@triton.jit
def _load_head(x, bias, norm, epsilon, column, valid, HALF: tl.constexpr, BIAS: tl.constexpr, NORM: tl.constexpr):
    """Both halves of heads whose first elements are at `column`, FP32, with bias and norm."""
    half = tl.arange(0, HALF)[None, :]
    first = tl.load(x + column + half, mask=valid, other=0.0).to(tl.float32)
    second = tl.load(x + column + HALF + half, mask=valid, other=0.0).to(tl.float32)
    if BIAS:
        first += tl.load(bias + column + half, mask=valid, other=0.0)
        second += tl.load(bias + column + HALF + half, mask=valid, other=0.0)
    if NORM:
        square = tl.sum(first * first, axis=1) + tl.sum(second * second, axis=1)
        scale = tl.rsqrt(square / (2 * HALF) + epsilon)[:, None]
        first = first * scale * tl.load(norm + half)
        second = second * scale * tl.load(norm + HALF + half)
    return first, second


@triton.jit
def attend_new_token(
    state,
    qkv,
    bias,
    query_norm,
    key_norm,
    cosine,
    sine,
    keys,
    values,
    out,
    partial,
    partial_sums,
    positions,
    pool_tokens,
    scale,
    epsilon,
    HEADS: tl.constexpr,
    KV_HEADS: tl.constexpr,
    SHARED: tl.constexpr,
    HALF: tl.constexpr,
    BLOCK: tl.constexpr,
    SPLITS: tl.constexpr,
    BIAS: tl.constexpr,
    NORM: tl.constexpr,
    STAGES: tl.constexpr,
):
    """Grid (rows, key heads, splits). `scale` includes log2(e). Partial results only with SPLITS > 1."""
    row = tl.program_id(0)
    head = tl.program_id(1)
    split = tl.program_id(2)
    dim: tl.constexpr = 2 * HALF
    group: tl.constexpr = HEADS // KV_HEADS
    width: tl.constexpr = (HEADS + 2 * KV_HEADS) * dim
    compute = qkv.dtype.element_ty

    capacity = tl.load(state + CAPACITY * positions + row)
    length = tl.minimum(tl.load(state + LENGTH * positions + row), capacity - 1)
    prefix = tl.load(state + PREFIX_LENGTH * positions + row)
    prefix_start = tl.load(state + PREFIX_START * positions + row)
    own_start = tl.load(state + OWN_START * positions + row)
    seen = prefix + length

    half = tl.arange(0, HALF)
    full = tl.arange(0, dim)
    cos = tl.load(cosine + seen * HALF + half)[None, :]
    sin = tl.load(sine + seen * HALF + half)[None, :]
    qkv += row.to(tl.int64) * width

    member = tl.arange(0, SHARED)[:, None]
    is_query = member < group
    first, second = _load_head(
        qkv, bias, query_norm, epsilon, (head * group + member) * dim, is_query, HALF, BIAS, NORM
    )
    query_first = (first * cos - second * sin).to(compute)
    query_second = (second * cos + first * sin).to(compute)
    one = tl.zeros([1, 1], tl.int32)
    first, second = _load_head(qkv, bias, key_norm, epsilon, (HEADS + head) * dim + one, one == 0, HALF, BIAS, NORM)
    key_first = (first * cos - second * sin).to(compute)
    key_second = (second * cos + first * sin).to(compute)
    value_column = (HEADS + KV_HEADS + head) * dim + full
    value = tl.load(qkv + value_column).to(tl.float32)
    if BIAS:
        value += tl.load(bias + value_column)
    value = value.to(compute)

    keys += head.to(tl.int64) * pool_tokens * dim
    values += head.to(tl.int64) * pool_tokens * dim
    is_last = split == SPLITS - 1
    if is_last:
        slot = (own_start + length) * dim
        tl.store(keys + slot + half[None, :], key_first)
        tl.store(keys + slot + HALF + half[None, :], key_second)
        tl.store(values + slot + full, value)

    itself = tl.sum(query_first.to(tl.float32) * key_first.to(tl.float32), axis=1)
    itself += tl.sum(query_second.to(tl.float32) * key_second.to(tl.float32), axis=1)
    # The last split begins with the new token, the others with nothing.
    most = tl.where(is_last, itself * scale, float("-inf"))
    total = tl.where(is_last, tl.full([SHARED], 1.0, tl.float32), tl.zeros([SHARED], tl.float32))
    mixed = tl.zeros([SHARED, dim], tl.float32) + tl.where(is_last, value.to(tl.float32), 0.0)[None, :]

    part = tl.cdiv(tl.cdiv(seen, BLOCK), SPLITS) * BLOCK
    begin = (split * part).to(tl.int32)
    end = tl.minimum(seen, (split + 1) * part).to(tl.int32)
    for start in tl.range(begin, end, BLOCK, num_stages=STAGES):
        place = start + tl.arange(0, BLOCK)
        there = place < end
        token = tl.where(place < prefix, prefix_start + place, own_start + (place - prefix)) * dim
        key_columns = keys + token[None, :] + half[:, None]
        old_first = tl.load(key_columns, mask=there[None, :], other=0.0)
        old_second = tl.load(key_columns + HALF, mask=there[None, :], other=0.0)
        old_value = tl.load(values + token[:, None] + full[None, :], mask=there[:, None], other=0.0)
        score = tl.dot(query_first, old_first, input_precision="ieee")
        score = tl.dot(query_second, old_second, score, input_precision="ieee")
        score = tl.where(there[None, :], score * scale, float("-inf"))
        higher = tl.maximum(most, tl.max(score, axis=1))
        weight = tl.exp2(score - higher[:, None])
        fade = tl.exp2(most - higher)
        total = total * fade + tl.sum(weight, axis=1)
        mixed = tl.dot(weight.to(compute), old_value, mixed * fade[:, None], input_precision="ieee")
        most = higher

    column = (head * group + member) * dim + full[None, :]
    if SPLITS == 1:
        answer = mixed / total[:, None]
        tl.store(out + row.to(tl.int64) * (HEADS * dim) + column, answer.to(compute), mask=is_query)
    else:
        unit = (row.to(tl.int64) * SPLITS + split) * HEADS
        tl.store(partial + unit * dim + column, mixed, mask=is_query)
        sums = partial_sums + unit * 2 + head * group + tl.arange(0, SHARED)
        valid = tl.arange(0, SHARED) < group
        tl.store(sums, most, mask=valid)
        tl.store(sums + HEADS, total, mask=valid)


@triton.jit
def rotate_tokens(
    qkv,
    position,
    slot,
    bias,
    query_norm,
    key_norm,
    cosine,
    sine,
    keys,
    values,
    pool_tokens,
    epsilon,
    HEADS: tl.constexpr,
    KV_HEADS: tl.constexpr,
    HALF: tl.constexpr,
    BIAS: tl.constexpr,
    NORM: tl.constexpr,
):
    """Grid (tokens, all heads): one head of one token, in place; keys and values go to the pool too."""
    row = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    dim: tl.constexpr = 2 * HALF
    half = tl.arange(0, HALF)[None, :]
    qkv += row * ((HEADS + 2 * KV_HEADS) * dim)
    compute = qkv.dtype.element_ty
    at = tl.load(slot + row)
    one = tl.zeros([1, 1], tl.int32) + head * dim
    if head < HEADS + KV_HEADS:
        if head < HEADS:
            first, second = _load_head(qkv, bias, query_norm, epsilon, one, one >= 0, HALF, BIAS, NORM)
        else:
            first, second = _load_head(qkv, bias, key_norm, epsilon, one, one >= 0, HALF, BIAS, NORM)
        place = tl.load(position + row) * HALF
        cos = tl.load(cosine + place + half)
        sin = tl.load(sine + place + half)
        turned_first = (first * cos - second * sin).to(compute)
        turned_second = (second * cos + first * sin).to(compute)
        tl.store(qkv + one + half, turned_first)
        tl.store(qkv + one + HALF + half, turned_second)
        if (head >= HEADS) & (at >= 0):
            into = keys + ((head - HEADS).to(tl.int64) * pool_tokens + at) * dim
            tl.store(into + half, turned_first)
            tl.store(into + HALF + half, turned_second)
    else:
        first, second = _load_head(qkv, bias, key_norm, epsilon, one, one >= 0, HALF, BIAS, False)
        tl.store(qkv + one + half, first.to(compute))
        tl.store(qkv + one + HALF + half, second.to(compute))
        if at >= 0:
            into = values + ((head - HEADS - KV_HEADS).to(tl.int64) * pool_tokens + at) * dim
            tl.store(into + half, first.to(compute))
            tl.store(into + HALF + half, second.to(compute))


@triton.jit
def combine_splits(partial, partial_sums, out, HEADS: tl.constexpr, DIM: tl.constexpr, SPLITS: tl.constexpr):
    """Grid (rows, query heads): the softmax over all splits."""
    row = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    unit = (row * SPLITS + tl.arange(0, SPLITS)) * HEADS
    most = tl.load(partial_sums + unit * 2 + head)
    total = tl.load(partial_sums + unit * 2 + HEADS + head)
    weight = tl.exp2(most - tl.max(most, axis=0))
    full = tl.arange(0, DIM)
    mixed = tl.load(partial + (unit + head)[:, None] * DIM + full[None, :])
    answer = tl.sum(mixed * weight[:, None], axis=0) / tl.sum(total * weight, axis=0)
    tl.store(out + (row * HEADS + head) * DIM + full, answer.to(out.dtype.element_ty))
