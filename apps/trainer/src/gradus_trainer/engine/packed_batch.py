"""Lays the rows of a bin out as one stream of tokens with the places where sequences begin."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradus_trainer.engine.micro_batch import sequence_numbers
from gradus_trainer.engine.packing import Bins
from gradus_trainer.wire.batch import Batch

FEWEST_PIECES = 16


@dataclasses.dataclass(frozen=True)
class PackedBatch:
    """T positions: every row without its last token, then dummy sequences. Fields of trained tokens as in MicroBatch.

    `offsets_S` (int32) are where sequences begin, the end repeated to a static S; `longest` bounds every sequence.
    """

    inputs_T: Tensor
    positions_T: Tensor
    offsets_S: Tensor
    longest: int
    select_N: Tensor
    target_N: Tensor
    temperature_N: Tensor | None
    sequence_N: Tensor
    flat_N: NDArray[np.int64]

    @property
    def positions(self) -> int:
        """Positions that are computed."""
        return self.inputs_T.numel()


def power_above(value: int) -> int:
    """The least power of two that is not below `value`."""
    return 1 << max(0, value - 1).bit_length()


def lay_out_packed(batch: Batch, bins: Bins, device: torch.device) -> list[PackedBatch]:
    """Tensors of every bin, all put on the device before the first is used."""
    inputs = batch.lengths - 1
    longest = power_above(int(inputs.max()))
    pieces = max(len(rows) + -(-(bins.length - int(inputs[rows].sum())) // longest) for rows in bins.rows)
    slots = power_above(max(pieces, FEWEST_PIECES)) + 1
    return [_lay_out_bin(batch, rows, (bins.length, longest, slots), device) for rows in bins.rows]


def _lay_out_bin(
    batch: Batch, rows: NDArray[np.int64], sizes: tuple[int, int, int], device: torch.device
) -> PackedBatch:
    """`sizes` = positions, longest sequence, places for offsets."""
    length, longest, slots = sizes
    kept = batch.lengths[rows] - 1
    fill = length - int(kept.sum())
    dummies = np.full(fill // longest, longest, np.int64)
    pieces = np.concatenate((kept, dummies, [fill % longest]))
    ends = np.cumsum(pieces)
    offsets_S = np.concatenate(([0], ends, np.full(slots - 1 - len(ends), length)))[:slots]
    positions_T = np.arange(length) - np.repeat(ends - pieces, pieces)
    # place of every input in the flat batch; the token after it is what it predicts
    row_M = np.repeat(np.arange(len(rows)), kept)
    place_M = batch.offsets[rows][row_M] + positions_T[: len(row_M)]
    select_N = np.flatnonzero(batch.loss_mask[place_M + 1] == 1)
    flat_N = place_M[select_N] + 1
    inputs_T = np.zeros(length, np.int64)
    inputs_T[: len(place_M)] = batch.token_ids[place_M]

    def tensor(array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    return PackedBatch(
        inputs_T=tensor(inputs_T),
        positions_T=tensor(positions_T),
        offsets_S=tensor(offsets_S.astype(np.int32)),
        longest=longest,
        select_N=tensor(select_N),
        target_N=tensor(batch.token_ids[flat_N].astype(np.int64)),
        temperature_N=tensor(batch.temperature[rows][row_M[select_N]]) if batch.tempered else None,
        sequence_N=tensor(sequence_numbers(row_M[select_N])),
        flat_N=flat_N,
    )
