"""Cuts a batch into length-sorted micro-batches and lays each out as tensors.

A micro-batch is right-padded; what is trained on is flat: N tokens, each with the flat position of the hidden state
that predicts it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradus_trainer.wire.batch import Batch


@dataclasses.dataclass(frozen=True)
class MicroBatch:
    """`inputs_BT` lacks each row's last token, which predicts nothing. `flat_N` is a token's place in the batch.

    `sequence_N` numbers the sequences that have trained tokens; `temperature_N` is None when all are 1.
    """

    inputs_BT: Tensor
    select_N: Tensor
    target_N: Tensor
    temperature_N: Tensor | None
    sequence_N: Tensor
    flat_N: NDArray[np.int64]

    @property
    def positions(self) -> int:
        """Positions that are computed."""
        return self.inputs_BT.numel()


CPU_TOKENS = 2048
"""Padded tokens of a micro-batch that keep its activations in a CPU's cache (measured: 1.13 times faster than 8192)."""


def token_limit(micro_batch_tokens: int, device: torch.device) -> int:
    """The bound to split by; results differ by rounding only, so a device may take less than the run allows."""
    return min(micro_batch_tokens, CPU_TOKENS) if device.type == "cpu" else micro_batch_tokens


def split_rows(lengths: NDArray[np.int64], tokens: int) -> Iterator[NDArray[np.int64]]:
    """Rows of each micro-batch, shortest first, such that rows · longest ≤ `tokens` (a single row may be longer)."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        too_many = end < len(order) and (end + 1 - start) * int(lengths[order[end]]) > tokens
        if end == len(order) or too_many:
            yield order[start:end]
            start = end


def lay_out(batch: Batch, rows: NDArray[np.int64], device: torch.device) -> MicroBatch:
    """Tensors of some rows of a batch."""
    lengths = batch.lengths[rows]
    column = np.arange(int(lengths.max()))
    inside = column[None, :] < lengths[:, None]
    place = np.where(inside, batch.offsets[rows][:, None] + column[None, :], 0)
    row_N, column_N = np.nonzero((batch.loss_mask[place] == 1) & inside)
    flat_N = place[row_N, column_N]
    width = len(column) - 1
    inputs_BT = np.where(inside, batch.token_ids[place], 0)[:, :-1].astype(np.int64)

    def tensor(array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    return MicroBatch(
        inputs_BT=tensor(inputs_BT),
        select_N=tensor(row_N * width + column_N - 1),
        target_N=tensor(batch.token_ids[flat_N].astype(np.int64)),
        temperature_N=tensor(batch.temperature[rows][row_N]) if batch.tempered else None,
        sequence_N=tensor(sequence_numbers(row_N)),
        flat_N=flat_N,
    )


def sequence_numbers(row_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers the sorted rows of tokens from 0 without gaps."""
    if not row_N.size:
        return row_N
    steps: NDArray[np.int64] = np.concatenate(([0], np.cumsum(np.diff(row_N) != 0)))
    return steps


def padding_share(batch: Batch, tokens: int) -> float:
    """Share of padded positions in all micro-batches."""
    padded = sum(len(rows) * int(batch.lengths[rows].max()) for rows in split_rows(batch.lengths, tokens))
    return 1.0 - int(batch.lengths.sum()) / padded
