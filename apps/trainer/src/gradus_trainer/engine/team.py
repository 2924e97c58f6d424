"""Who takes part in an update: one process, or the ranks of a group that each compute their share of the rows."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradus_trainer.engine.trunk import Trunk
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.wire.batch import Batch, Floats


@dataclasses.dataclass(frozen=True)
class Share:
    """The rows of one rank, as a batch of their own. An idle rank has one row of another's, to keep it company."""

    batch: Batch
    rows: NDArray[np.int64]
    idle: bool = False


class Team(Protocol):
    """What an update asks of the others. Every rank must make the same calls in the same order."""

    def share(self, decoder: Decoder, batch: Batch) -> Share:
        """The rows of this rank."""

    def most(self, count: int) -> int:
        """The largest count of any rank."""

    def begin(self, decoder: Decoder, last: bool) -> None:
        """Called before each micro-batch's forward pass; `last` says that gradients must be whole after it."""

    def rest(self, decoder: Decoder) -> None:
        """Gives back what a forward pass without a backward pass gathered."""

    def total(self, value: float) -> float:
        """Sum over ranks, the same on each."""

    def padding_share(self, trunk: Trunk, share: Share, positions: int) -> float:
        """Share of positions that hold no token of the batch; `positions` is how many this rank computed."""

    def whole(self, batch: Batch, share: Share, values: list[Floats]) -> list[Floats]:
        """Flat per-token values of all ranks' shares, aligned to the whole batch's `token_ids`."""


class Alone:
    """One process that computes everything that is trained on."""

    def share(self, decoder: Decoder, batch: Batch) -> Share:
        """See Team."""
        del decoder
        trained = np.flatnonzero(batch.trained_per_row() > 0)
        return Share(batch if len(trained) == batch.rows else batch.take(trained), trained)

    def most(self, count: int) -> int:
        """See Team."""
        return count

    def begin(self, decoder: Decoder, last: bool) -> None:
        """See Team."""

    def rest(self, decoder: Decoder) -> None:
        """See Team."""

    def total(self, value: float) -> float:
        """See Team."""
        return value

    def padding_share(self, trunk: Trunk, share: Share, positions: int) -> float:
        """See Team."""
        del positions
        return trunk.padding_share(share.batch)

    def whole(self, batch: Batch, share: Share, values: list[Floats]) -> list[Floats]:
        """See Team."""
        if len(share.rows) == batch.rows:
            return values
        places, whole = batch.tokens_of(share.rows), []
        for value in values:
            whole.append(np.zeros(len(batch.token_ids), np.float32))
            whole[-1][places] = value
        return whole


ALONE = Alone()
