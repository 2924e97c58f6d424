"""Uniform draws that depend on nothing but a row's seed and the number of the draw (a counter-based generator)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64 bits that scatters every input bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def uniforms(seeds_B: NDArray[np.uint64], first: int, count: int) -> NDArray[np.float64]:
    """Draws `first` to `first + count − 1` of each row, [B, count], in [0, 1) with 53 bits."""
    return draws_at(seeds_B[:, None], np.arange(first, first + count, dtype=np.uint64)[None, :])


def draws_at(seeds: NDArray[np.uint64], numbers: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The draw of each seed with the number beside it; shapes broadcast."""
    state = _mix(seeds + _GOLDEN)
    bits = _mix(_mix(state + (numbers + np.uint64(1)) * _GOLDEN) ^ state)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def row_seeds(group_seeds: list[int], samples: int) -> NDArray[np.uint64]:
    """Seeds of all rows in (prompt, sample) order: sample i of a prompt has the prompt's seed + i, modulo 2^64."""
    seeds = [(seed + index) % 2**64 for seed in group_seeds for index in range(samples)]
    return np.array(seeds, dtype=np.uint64)
