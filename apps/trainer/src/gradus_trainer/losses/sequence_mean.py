"""Means over the trained tokens of each sequence, given back to every token."""

from __future__ import annotations

from torch import Tensor


def sequence_mean(value_N: Tensor, sequence_N: Tensor) -> Tensor:
    """Mean of the values of a token's sequence, [N]; `sequence_N` numbers sequences by anything less than N."""
    zeros = value_N.new_zeros(value_N.shape[0])
    sum_N = zeros.index_add(0, sequence_N, value_N)
    count_N = zeros.index_add(0, sequence_N, value_N.new_ones(value_N.shape[0]))
    return (sum_N / count_N.clamp(min=1.0)).index_select(0, sequence_N)
