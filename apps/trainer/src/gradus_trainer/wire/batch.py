"""Rows of an update as flat numpy arrays: values of all rows one after another, and where each row begins."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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

    @staticmethod
    def of_completions(
        prompts: Sequence[Sequence[int]],
        token_ids: Sequence[Sequence[int]],
        logprobs: Sequence[Sequence[float]] | None = None,
        advantage: Floats | None = None,
    ) -> Batch:
        """Sampled rows, prompt and completion each, trained on the completion, at temperature 1.

        `logprobs` are the sampler's, nats, one a completion token.
        """
        rows = [[*prompt, *ids] for prompt, ids in zip(prompts, token_ids, strict=True)]
        masks = [[0] * len(prompt) + [1] * len(ids) for prompt, ids in zip(prompts, token_ids, strict=True)]
        sampled = None
        if logprobs is not None:
            padded = [[0.0] * len(prompt) + [*values] for prompt, values in zip(prompts, logprobs, strict=True)]
            sampled = np.concatenate(padded).astype(np.float32)
        return Batch(
            sample_id=[str(row) for row in range(len(rows))],
            offsets=np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64),
            token_ids=np.concatenate(rows).astype(np.int32),
            loss_mask=np.concatenate(masks).astype(np.uint8),
            temperature=np.ones(len(rows), np.float32),
            sample_weight=np.ones(len(rows), np.float32),
            rollout_logprob=sampled,
            advantage=advantage,
        )

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

    def tokens_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat positions of some rows, one row after another."""
        lengths = self.lengths[rows]
        starts = np.repeat(self.offsets[rows] - (np.cumsum(lengths) - lengths), lengths)
        places: NDArray[np.int64] = starts + np.arange(len(starts))
        return places

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """Some rows as a batch of their own."""
        places = self.tokens_of(rows)

        def cut(column: Floats | None, where: NDArray[np.int64]) -> Floats | None:
            return None if column is None else column[where]

        return Batch(
            sample_id=[self.sample_id[row] for row in rows.tolist()],
            offsets=np.concatenate(([0], np.cumsum(self.lengths[rows]))),
            token_ids=self.token_ids[places],
            loss_mask=self.loss_mask[places],
            temperature=self.temperature[rows],
            sample_weight=self.sample_weight[rows],
            rollout_logprob=cut(self.rollout_logprob, places),
            advantage=cut(self.advantage, rows),
            token_advantage=cut(self.token_advantage, places),
            old_logprob=cut(self.old_logprob, places),
            ref_logprob=cut(self.ref_logprob, places),
        )

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
