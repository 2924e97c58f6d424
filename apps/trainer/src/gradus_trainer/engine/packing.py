"""Which rows share a bin: bins of one static length, as few as first-fit-decreasing needs, filled as evenly as they go.

A static length lets compiled blocks see one shape; what a bin lacks is filled with a dummy sequence.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

GRAIN = 128
"""Bin lengths are multiples of this, which matrix products like."""
STEPS = 8
"""Bin lengths are eighths of the capacity: few shapes to compile, little fill for a small batch."""


@dataclasses.dataclass(frozen=True)
class Bins:
    """`rows[i]` are the rows of bin i; each bin has `length` positions."""

    rows: list[NDArray[np.int64]]
    length: int

    def padding_share(self, lengths: NDArray[np.int64]) -> float:
        """Share of positions that no row fills."""
        return 1.0 - int(lengths.sum()) / (self.length * len(self.rows))


def round_up(value: int, grain: int) -> int:
    """The least multiple of `grain` that is not below `value`."""
    return -(-value // grain) * grain


def pack(lengths: NDArray[np.int64], capacity: int) -> Bins:
    """Packs rows into bins of at most `capacity` positions (or of the longest row, when that is longer)."""
    capacity = round_up(max(capacity, int(lengths.max())), GRAIN)
    order = np.argsort(-lengths, kind="stable")
    bins = first_fit(lengths, order, capacity)
    bins = level(lengths, order, len(bins), capacity) or bins
    fullest = max(int(lengths[rows].sum()) for rows in bins)
    step = round_up(max(GRAIN, capacity // STEPS), GRAIN)
    return Bins([np.array(rows, np.int64) for rows in bins], min(capacity, round_up(fullest, step)))


def first_fit(lengths: NDArray[np.int64], order: NDArray[np.int64], capacity: int) -> list[list[int]]:
    """Puts each row into the first bin that has room."""
    free = np.zeros(len(lengths), np.int64)
    bins: list[list[int]] = []
    for row in order.tolist():
        length = int(lengths[row])
        fits = free[: len(bins)] >= length
        place = int(fits.argmax()) if fits.any() else len(bins)
        if place == len(bins):
            bins.append([])
            free[place] = capacity
        bins[place].append(row)
        free[place] -= length
    return bins


def level(lengths: NDArray[np.int64], order: NDArray[np.int64], count: int, capacity: int) -> list[list[int]] | None:
    """Puts each row into the emptiest of `count` bins; None when one would overflow."""
    used = np.zeros(count, np.int64)
    bins: list[list[int]] = [[] for _ in range(count)]
    for row in order.tolist():
        place = int(used.argmin())
        used[place] += int(lengths[row])
        if used[place] > capacity:
            return None
        bins[place].append(row)
    return bins
