"""Which rank computes which rows: equal arithmetic for each, by tokens and squared lengths."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from gradus_trainer.engine.team import Share
from gradus_trainer.model.config import Architecture
from gradus_trainer.wire.batch import Batch


def row_costs(lengths: NDArray[np.int64], architecture: Architecture) -> NDArray[np.float64]:
    """Operations of each row, forward and backward: 6 a matrix weight and token, and causal attention."""
    a = architecture
    matrices = a.parameters - (0 if a.tied_embeddings else a.vocab_size * a.hidden_size)
    attention = 6 * a.layers * a.heads * a.head_dim
    costs: NDArray[np.float64] = 6.0 * matrices * lengths + float(attention) * lengths.astype(np.float64) ** 2
    return costs


def deal(costs: NDArray[np.float64], ranks: int) -> list[NDArray[np.int64]]:
    """Rows of each rank: from the costliest on, each to the rank that has least so far (Graham 1969)."""
    loads = [(0.0, rank) for rank in range(ranks)]
    hands: list[list[int]] = [[] for _ in range(ranks)]
    for row in np.argsort(-costs, kind="stable").tolist():
        load, rank = loads[0]
        heapq.heapreplace(loads, (load + float(costs[row]), rank))
        hands[rank].append(row)
    return [np.array(sorted(hand), np.int64) for hand in hands]


def share_of(batch: Batch, architecture: Architecture, rank: int, ranks: int) -> Share:
    """The trained rows of a rank; every rank works them all out alike. Rows without a trained token are nobody's."""
    trained = np.flatnonzero(batch.trained_per_row() > 0)
    costs = row_costs(batch.lengths[trained], architecture)
    rows = trained[deal(costs, ranks)[rank]]
    if rows.size:
        return Share(batch.take(rows), rows)
    shortest = trained[[int(costs.argmin())]]
    return Share(batch.take(shortest), shortest, idle=True)
