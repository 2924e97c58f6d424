"""Batches of random tokens for measuring: equal rows, and rows whose lengths are log-normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradus_trainer.wire.batch import Batch
from gradus_trainer.wire.loss_spec import LossSpec
from gradus_trainer.wire.metadata import UpdateSpec

MEAN_LENGTH, SIGMA = 1500, 0.6


def equal_lengths(rows: int, length: int) -> NDArray[np.int64]:
    """`rows` times `length`."""
    return np.full(rows, length, np.int64)


def log_normal_lengths(tokens: int, longest: int) -> NDArray[np.int64]:
    """Lengths with mean 1,500 that sum to `tokens`, none beyond `longest`."""
    random = np.random.default_rng(11)
    drawn = random.lognormal(np.log(MEAN_LENGTH) - SIGMA**2 / 2, SIGMA, 8 + 2 * tokens // MEAN_LENGTH)
    lengths = np.clip(drawn, 16, longest).astype(np.int64)
    kept = lengths[: int(np.searchsorted(np.cumsum(lengths), tokens))]
    last = tokens - int(kept.sum())
    return np.append(kept, last) if last >= 2 else kept


def random_batch(lengths: NDArray[np.int64], vocabulary: int) -> Batch:
    """Rows of which every token but the first is trained on."""
    random, total = np.random.default_rng(5), int(lengths.sum())
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    mask = np.ones(total, np.uint8)
    mask[offsets[:-1]] = 0
    rollout = np.where(mask == 1, -np.log(vocabulary), 0.0).astype(np.float32)
    rows = len(lengths)
    return Batch(
        sample_id=[str(row) for row in range(rows)],
        offsets=offsets,
        token_ids=random.integers(0, vocabulary, total, dtype=np.int32),
        loss_mask=mask,
        temperature=np.ones(rows, np.float32),
        sample_weight=np.ones(rows, np.float32),
        rollout_logprob=rollout,
        advantage=random.normal(size=rows).astype(np.float32),
    )


def update_spec(batch: Batch, number: int) -> UpdateSpec:
    """A clipped loss over all trained tokens."""
    loss = LossSpec("clipped", 0.2, 0.28)
    return UpdateSpec("bench", number, number - 1, 1e-6, loss, "tokens", float(batch.loss_mask.sum(dtype=np.int64)))
