"""Captured steps by batch size: on a GPU a step is one launch, elsewhere it is simply run."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from gradus_trainer.sampler.continuous.row_state import IDLE
from gradus_trainer.sampler.continuous.step import Step


class Graphs:
    """Replays a step of a given size, capturing it the first time. All sizes share one memory pool."""

    def __init__(self, step: Step, state: Tensor) -> None:
        self._step, self._state = step, state
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self.capture_seconds = 0.0

    def launch(self, count: int) -> None:
        """Runs the step over the first `count` positions."""
        if self._state.device.type != "cuda":
            self._step.run(count)
            return
        self.prepare(count)
        self._graphs[count].replay()

    def prepare(self, count: int) -> None:
        """Captures the step of that size unless it is captured."""
        if self._state.device.type == "cuda" and count not in self._graphs:
            self._graphs[count] = self._capture(count)

    def _capture(self, count: int) -> torch.cuda.CUDAGraph:
        """Warming up and capturing happen on idle positions, so no row's keys are touched."""
        start = time.perf_counter()
        kept = self._state.clone()
        self._state.copy_(torch.tensor(IDLE, device=self._state.device)[:, None].expand_as(self._state))
        self._step.run(count)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        shared = next(iter(self._graphs.values())).pool() if self._graphs else None
        with torch.cuda.graph(graph, pool=shared, capture_error_mode="thread_local"):
            self._step.run(count)
        self._state.copy_(kept)
        self.capture_seconds += time.perf_counter() - start
        return graph
