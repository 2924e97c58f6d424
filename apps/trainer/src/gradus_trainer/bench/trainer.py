"""Whole optimizer updates as the service makes them of a decoded batch: layout, forward, backward, clip, AdamW."""

from __future__ import annotations

import dataclasses
import gc
import statistics
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gradus_trainer.bench.batches import equal_lengths, log_normal_lengths, random_batch, update_spec
from gradus_trainer.bench.rivals.process import NOBODY, TRL_MICRO, Rivals
from gradus_trainer.bench.shapes import PEAK, SHAPES, random_decoder, training_operations
from gradus_trainer.engine.step import take_step
from gradus_trainer.engine.trunk import Packed, trunk_of
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.versions import choose_compute, peak_memory
from gradus_trainer.wire.run_body import OptimizerSpec

COLUMNS = ("case", "tok_s", "mfu", "step_s", "optimizer_ms", "padding", "peak_gb", "mode")
WARM_UP, REPEATS = 2, 5
PROFILE_ROWS = 24
PACKED_TOKENS = 16384
BINS = {"tiny": 1, "135m": 8, "0.6b": 4, "1.5b": 4, "4b": 2, "8b": 2}
ROOM = 14 << 30
"""What activations, the head's chunk and BF16 matrices take at least beside parameters, gradients and moments."""


@dataclasses.dataclass(frozen=True)
class Case:
    """`tokens` bounds a micro-batch."""

    name: str
    lengths: NDArray[np.int64]
    tokens: int


def cases_of(shape: str) -> list[Case]:
    """64 equal rows of 256, as others measure; and bins of 16k with the lengths of reasoning."""
    longest = min(8192, SHAPES[shape].max_positions)
    packed = log_normal_lengths(BINS[shape] * PACKED_TOKENS * 63 // 64, longest)
    return [Case("64 x 256", equal_lengths(64, 256), PACKED_TOKENS), Case("packed 16k", packed, PACKED_TOKENS)]


def run(
    shape: str, device: torch.device, checkpointing: str = "auto", profile: bool = False, rivals: Rivals = NOBODY
) -> list[dict[str, Any]]:
    """Results of a shape, one a case; a shape that does not fit says so."""
    architecture = SHAPES[shape]
    moments = moments_that_fit(architecture.parameters, device)
    if moments is None:
        return [{"case": "all", "skipped": f"{architecture.parameters / 1e9:.1f}e9 parameters do not fit"}]
    decoder = random_decoder(architecture, device, choose_compute("auto", device))
    optimizer = Optimizer(decoder, OptimizerSpec(0.9, 0.95, 1e-8, 0.0, 1.0, moments))
    results = []
    for case in cases_of(shape):
        result: dict[str, Any] = {"shape": shape, "part": "trainer", "moments": moments}
        result |= measure(decoder, optimizer, case, checkpointing)
        if profile:
            result["profile"] = _profile(decoder, optimizer, case, checkpointing)
        results.append(result)
    del decoder, optimizer
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return results + (_trl(shape, rivals) if "trl" in rivals else [])


def _trl(shape: str, rivals: Rivals) -> list[dict[str, Any]]:
    """TRL's step without its generation, on 4 x 16 sequences of 64 + 192 tokens."""
    micro = min(16, TRL_MICRO[shape])
    found = rivals.results(
        "64 x 256, TRL", ("trl",), "trl_step", shape, "transformers", "4", "16", "64", "192", str(micro)
    )
    return [
        result if "skipped" in result else result | {"step_s": result["train_s"], "mode": f"micro-batches of {micro}"}
        for result in found
    ]


def moments_that_fit(parameters: int, device: torch.device) -> str | None:
    """FP32 moments where there is room, else BF16 ones, else None."""
    if device.type != "cuda":
        return "float32"
    room = torch.cuda.get_device_properties(device).total_memory - ROOM
    return next((name for name, size in (("float32", 16), ("bfloat16", 12)) if size * parameters <= room), None)


def measure(decoder: Decoder, optimizer: Optimizer, case: Case, checkpointing: str) -> dict[str, Any]:
    """Median of several updates after warm-up."""
    batch = random_batch(case.lengths, decoder.architecture.vocab_size)
    device = decoder.embedding.device
    times, phases = [], []
    start = time.perf_counter()
    warm = 0.0
    for repeat in range(WARM_UP + REPEATS):
        if repeat == WARM_UP:
            warm = time.perf_counter() - start
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
        spec = update_spec(batch, repeat + 1)
        _wait(device)
        began = time.perf_counter()
        outcome = take_step(decoder, optimizer, spec, batch, case.tokens, checkpointing=checkpointing)
        _wait(device)
        if outcome.reason is not None:
            raise RuntimeError(f"{case.name}: {outcome.reason}")
        times.append(time.perf_counter() - began)
        phases.append(outcome.timings)
    seconds, computed = statistics.median(times[WARM_UP:]), times[WARM_UP:]
    trunk = trunk_of(decoder, case.tokens, checkpointing)
    optimizer_seconds = statistics.median(
        whole - phase["pack"] - phase["forward_backward"]
        for whole, phase in zip(computed, phases[WARM_UP:], strict=True)
    )
    tokens = int(case.lengths.sum())
    operations = training_operations(decoder.architecture, (case.lengths - 1).tolist())
    return {
        "case": case.name,
        "tokens": tokens,
        "rows": len(case.lengths),
        "tok_s": round(tokens / seconds),
        "mfu": round(operations / seconds / PEAK, 4),
        "step_s": round(seconds, 4),
        "spread_s": [round(min(computed), 4), round(max(computed), 4)],
        "pack_ms": round(1e3 * phases[-1]["pack"], 1),
        "optimizer_ms": round(1e3 * optimizer_seconds, 1),
        "padding": round(trunk.padding_share(batch), 4),
        "peak_gb": round(peak_memory(device) / 1e9, 1),
        "mode": f"{trunk.attention}, {trunk.mode(case.tokens)}" if isinstance(trunk, Packed) else "padded",
        "warm_up_s": round(warm, 1),
    }


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _profile(decoder: Decoder, optimizer: Optimizer, case: Case, checkpointing: str) -> list[dict[str, Any]]:
    """Prints where the time of one update goes, and gives it by kernel, the costliest first."""
    batch = random_batch(case.lengths, decoder.architecture.vocab_size)
    kinds = [torch.profiler.ProfilerActivity.CPU]
    if decoder.embedding.is_cuda:
        kinds = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=kinds) as profiler:
        take_step(decoder, optimizer, update_spec(batch, 1), batch, case.tokens, checkpointing=checkpointing)
        _wait(decoder.embedding.device)
    sort = "self_device_time_total" if decoder.embedding.is_cuda else "self_cpu_time_total"
    events = profiler.key_averages()
    table = events.table(sort_by=sort, row_limit=PROFILE_ROWS, max_name_column_width=90)
    # the person at the terminal asked for it
    print(f"{case.name}\n{table}")  # noqa: T201 - the profile is what was asked for
    costliest = sorted(events, key=lambda event: -getattr(event, sort))[:PROFILE_ROWS]
    return [
        {"kernel": event.key, "calls": event.count, "ms": round(getattr(event, sort) / 1e3, 3)} for event in costliest
    ]
