"""What crosses between host and device at a step: new states go down, chosen tokens come up, neither waits."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradus_trainer.sampler.continuous.row_state import FIELDS
from gradus_trainer.sampler.continuous.step import Buffers

RING = 4
"""Host buffers in turn: one is written again only after the host has read a later step."""


@dataclasses.dataclass(frozen=True)
class InFlight:
    """A launched step: the rows it was launched for, by serial number, and where its tokens will be."""

    serial_P: NDArray[np.int64]
    _host: Tensor
    _done: torch.cuda.Event | None

    def wait(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """(token [P], log-probability [P]) once the device has them."""
        if self._done is not None:
            self._done.synchronize()
        width = len(self.serial_P)
        token_P, logprob_P = self._host.numpy()[:, :width].copy()
        return token_P, logprob_P.view(np.float32)


class DeviceLink:
    """Copies on the current stream, from and to pinned memory on a GPU."""

    def __init__(self, buffers: Buffers) -> None:
        self._state, self._out = buffers.state, buffers.out
        self._cuda = self._state.device.type == "cuda"
        positions = self._state.shape[1]
        self._down = [self._host(FIELDS + 1, positions, torch.int64) for _ in range(RING)]
        self._up = [self._host(2, positions, torch.int32) for _ in range(RING)]
        self._turn = 0

    def _host(self, rows: int, positions: int, dtype: torch.dtype) -> Tensor:
        return torch.zeros(rows, positions, dtype=dtype, pin_memory=self._cuda)

    def change(self, states: dict[int, tuple[int, ...]]) -> None:
        """Overwrites the states of some positions."""
        if not states:
            return
        down = self._down[self._turn].view(-1)[: (FIELDS + 1) * len(states)].view(FIELDS + 1, -1)
        down.numpy()[:] = np.array([(position, *state) for position, state in states.items()], np.int64).T
        sent = down.to(self._state.device, non_blocking=True)
        self._state.index_copy_(1, sent[0], sent[1:])

    def reorder(self, order_P: NDArray[np.int64]) -> None:
        """Position i takes over the state of position order[i]."""
        order = torch.from_numpy(order_P).to(self._state.device)
        self._state.copy_(self._state.index_select(1, order))

    def launched(self, serial_P: NDArray[np.int64]) -> InFlight:
        """To be called after a step was launched: asks for its tokens."""
        up = self._up[self._turn]
        self._turn = (self._turn + 1) % RING
        up.copy_(self._out, non_blocking=True)
        done = None
        if self._cuda:
            done = torch.cuda.Event()
            done.record()
        return InFlight(serial_P, up, done)
