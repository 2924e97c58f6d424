"""Sampling in two passes: sums of vocabulary blocks, then the block that the draw falls into. Draws are uniform.py's.

Logits are read once and a block of them twice; nothing of the vocabulary's size is written.
"""
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from gradus_trainer.sampler.continuous import row_state

TOKEN = tl.constexpr(row_state.TOKEN)
LENGTH = tl.constexpr(row_state.LENGTH)
SEED = tl.constexpr(row_state.SEED)
TEMPERATURE = tl.constexpr(row_state.TEMPERATURE)
GOLDEN = tl.constexpr(0x9E3779B97F4A7C15)
FIRST = tl.constexpr(0xBF58476D1CE4E5B9)
SECOND = tl.constexpr(0x94D049BB133111EB)


@triton.jit
def _inverse_temperature(state, positions, row):
    """(1 / temperature, or 1 when greedy; whether greedy)."""
    stored = tl.load(state + TEMPERATURE * positions + row).to(tl.int32).to(tl.float32, bitcast=True)
    greedy = stored == 0.0
    return 1.0 / tl.where(greedy, 1.0, stored), greedy


@triton.jit
def sum_blocks(state, logits, most, sums, best, positions, VOCAB: tl.constexpr, BLOCK: tl.constexpr):
    """Grid (rows, blocks): each block's greatest scaled logit, its place, and the sum of exp(logit − greatest)."""
    row = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1)
    inverse, _ = _inverse_temperature(state, positions, row)
    column = block * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(logits + row * VOCAB + column, mask=column < VOCAB, other=float("-inf")) * inverse
    highest = tl.max(x, axis=0)
    shift = tl.where(highest == float("-inf"), 0.0, highest)
    at = row * tl.num_programs(1) + block
    tl.store(most + at, highest)
    tl.store(sums + at, tl.sum(tl.exp(x - shift), axis=0))
    tl.store(best + at, block * BLOCK + tl.argmax(x, axis=0))


@triton.jit
def _mix(x):
    x = (x ^ (x >> 30)) * FIRST
    x = (x ^ (x >> 27)) * SECOND
    return x ^ (x >> 31)


@triton.jit
def _uniform(seed, count):
    """Draw number `count` of a seed, FP64 in [0, 1); see uniform.py."""
    state = _mix(seed.to(tl.uint64, bitcast=True) + GOLDEN)
    counter = (count + 1).to(tl.uint64, bitcast=True)
    drawn = _mix(_mix(state + counter * GOLDEN) ^ state)
    return (drawn >> 11).to(tl.float64) * (1.0 / 9007199254740992.0)


@triton.jit
def pick_token(
    state,
    logits,
    most,
    sums,
    best,
    out,
    positions,
    VOCAB: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCKS: tl.constexpr,
    PADDED: tl.constexpr,
):
    """Grid (rows): the first token whose cumulative probability exceeds the draw, or the likeliest one."""
    row = tl.program_id(0).to(tl.int64)
    inverse, greedy = _inverse_temperature(state, positions, row)
    number = tl.arange(0, PADDED)
    inside = number < BLOCKS
    highest_B = tl.load(most + row * BLOCKS + number, mask=inside, other=float("-inf"))
    best_B = tl.load(best + row * BLOCKS + number, mask=inside, other=0)
    highest = tl.max(highest_B, axis=0)
    share_B = tl.load(sums + row * BLOCKS + number, mask=inside, other=0.0).to(tl.float64)
    share_B = share_B * tl.exp(tl.where(inside, highest_B - highest, float("-inf"))).to(tl.float64)
    total = tl.sum(share_B, axis=0)

    length = tl.load(state + LENGTH * positions + row)
    draw = _uniform(tl.load(state + SEED * positions + row), length) * total
    cumulative_B = tl.cumsum(share_B, axis=0)
    # The last block with any probability stands in when rounding lets the draw exceed every sum.
    last = tl.max(tl.where(share_B > 0.0, number, 0), axis=0)
    block = tl.min(tl.where((cumulative_B > draw) & inside, number, last), axis=0)
    before = tl.sum(tl.where(number < block, share_B, 0.0), axis=0)

    column = block * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(logits + row * VOCAB + column, mask=column < VOCAB, other=float("-inf")) * inverse
    weight = tl.exp(x - highest)
    cumulative = tl.cumsum(weight.to(tl.float64), axis=0) + before
    last = tl.max(tl.where(weight > 0.0, column, 0), axis=0)
    drawn = tl.min(tl.where((cumulative > draw) & (weight > 0.0), column, last), axis=0)
    likeliest = tl.min(tl.where((highest_B == highest) & inside, best_B, VOCAB - 1), axis=0)
    token = tl.where(greedy, likeliest, drawn)
    chosen = tl.load(logits + row * VOCAB + token) * inverse
    logprob = chosen - highest - tl.log(total.to(tl.float32))

    tl.store(state + TOKEN * positions + row, token.to(tl.int64))
    tl.store(state + LENGTH * positions + row, length + 1)
    tl.store(out + row, token.to(tl.int32))
    tl.store(out + positions + row, logprob.to(tl.int32, bitcast=True))
