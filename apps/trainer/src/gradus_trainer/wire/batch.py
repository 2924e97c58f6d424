"""Rows of an update as flat numpy arrays: values of all rows one after another, and where each row begins."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Batch:
    """`offsets` has one more element than there are rows; per-token arrays are flat and aligned to `token_ids`."""

    sample_id: list[str]
    offsets: NDArray[np.int64]
    token_ids: NDArray[np.int32]
    loss_mask: NDArray[np.uint8]
    temperature: Floats
    sample_weight: Floats
    rollout_logprob: Floats | None = None
    advantage: Floats | None = None
    token_advantage: Floats | None = None
    old_logprob: Floats | None = None
    ref_logprob: Floats | None = None

    @property
    def rows(self) -> int:
        """Number of sequences."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row."""
        return np.diff(self.offsets)

    @property
    def tempered(self) -> bool:
        """Says whether any row has a temperature other than 1."""
        return bool((self.temperature != 1.0).any())

    def row_of_token(self) -> NDArray[np.int64]:
        """The row of every flat position."""
        return np.repeat(np.arange(self.rows), self.lengths)

    def trained_per_row(self) -> NDArray[np.int64]:
        """Σ_t M of each row."""
        return row_sums(self.loss_mask, self.offsets)

    def token_advantages(self) -> Floats | None:
        """Advantage of every flat position: `token_advantage`, else the row's."""
        if self.token_advantage is not None or self.advantage is None:
            return self.token_advantage
        return self.advantage[self.row_of_token()]


def row_sums(flat: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Integer sum of each row's flat values; empty rows give 0."""
    total = np.concatenate(([0], np.cumsum(flat, dtype=np.int64)))
    sums: NDArray[np.int64] = total[offsets[1:]] - total[offsets[:-1]]
    return sums
