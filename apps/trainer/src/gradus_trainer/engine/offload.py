"""Handing a GPU's memory over: weights and moments go to the host and come back, with the same bits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.versions import give_back_memory


def offload(runs: Sequence[LiveRun], device: torch.device) -> int:
    """Frees what the runs hold on the device; says how many bytes that was. Runs on the engine thread."""
    before = held_bytes(device)
    try:
        for run in runs:
            run.offloaded = True
            run.forget_sampler()
            run.move(torch.device("cpu"))
    except BaseException:
        onload(runs, device)  # the host may have no room: all of it is on one side or on the other
        raise
    give_back_memory(device)
    return before - held_bytes(device)


def onload(runs: Sequence[LiveRun], device: torch.device) -> int:
    """Brings it back; says how many bytes the device holds more. Copies for generation are made when asked for."""
    before = held_bytes(device)
    for run in runs:
        run.move(device)
        run.offloaded = False
    return held_bytes(device) - before


def held_bytes(device: torch.device) -> int:
    """What the allocator has of the device, in use or kept for reuse; 0 on a CPU."""
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else 0
