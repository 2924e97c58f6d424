"""Measures whole updates on the ranks of a torchrun job, with the same work for every rank whatever their number.

torchrun --standalone --nproc-per-node N bench/ranks.py [--shape 0.6b 1.5b] [--replicas 1] prints one JSON object a
shape. With --nproc-per-node 1 and --inline it is the engine of one process, which the others are compared with.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from typing import Any

import torch
import torch.distributed as dist

from gradus_trainer.bench.batches import log_normal_lengths, random_batch, update_spec
from gradus_trainer.bench.shapes import PEAK, SHAPES, random_decoder, training_operations
from gradus_trainer.bench.trainer import BINS, PACKED_TOKENS
from gradus_trainer.engine.step import take_step
from gradus_trainer.engine.team import ALONE, Team
from gradus_trainer.engine.torchrun.group import Group, join
from gradus_trainer.engine.torchrun.optimizer import ShardedOptimizer
from gradus_trainer.engine.torchrun.sharding import local, shard
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.versions import choose_compute, choose_device, prepare_torch
from gradus_trainer.wire.run_body import OptimizerSpec

WARM_UP, REPEATS = 3, 7
SPEC = OptimizerSpec(0.9, 0.95, 1e-8, 0.0, 1.0)


def main() -> None:
    """Measures each shape."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=["0.6b", "1.5b"])
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--inline", action="store_true")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    prepare_torch(device, 0)
    group = join(arguments.replicas, device.type)
    for shape in arguments.shape:
        result = measure(shape, group, inline=arguments.inline)
        if group.rank == 0:
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()
    dist.destroy_process_group()


def make(shape: str, group: Group, *, inline: bool) -> tuple[Decoder, Optimizer, Team]:
    """A policy with random weights and its optimizer."""
    architecture, compute = SHAPES[shape], choose_compute("auto", group.device)
    if inline:
        whole = random_decoder(architecture, group.device, compute)
        return whole, Optimizer(whole, SPEC), ALONE
    decoder = shard(architecture, compute, group)
    with torch.no_grad():
        for parameter in decoder.parameters():
            if parameter.ndim > 1:
                local(parameter).normal_(0.0, 0.02)
            else:
                local(parameter).fill_(1.0)
    return decoder, ShardedOptimizer(decoder, SPEC, group), group


def measure(shape: str, group: Group, *, inline: bool) -> dict[str, Any]:
    """Median of several updates after warm-up."""
    decoder, optimizer, team = make(shape, group, inline=inline)
    architecture, on_cuda = SHAPES[shape], group.device.type == "cuda"
    ranks = 1 if inline else group.size
    tokens = ranks * BINS[shape] * PACKED_TOKENS * 63 // 64
    lengths = log_normal_lengths(tokens, min(8192, architecture.max_positions))
    batch = random_batch(lengths, architecture.vocab_size)
    times, outcome = [], None
    for repeat in range(WARM_UP + REPEATS):
        group.most(0)
        if on_cuda:
            torch.cuda.synchronize()
        if repeat == WARM_UP and on_cuda:
            torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        outcome = take_step(decoder, optimizer, update_spec(batch, repeat + 1), batch, PACKED_TOKENS, team=team)
        if on_cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    assert outcome is not None
    seconds = statistics.median(times[WARM_UP:])
    operations = training_operations(architecture, (lengths - 1).tolist())
    result = {
        "shape": shape,
        "engine": "inline" if inline else "torchrun",
        "ranks": ranks,
        "replicas": 1 if inline else group.replicas,
        "tokens": int(lengths.sum()),
        "tok_s": round(int(lengths.sum()) / seconds),
        "tok_s_rank": round(int(lengths.sum()) / seconds / ranks),
        "mfu": round(operations / seconds / PEAK / ranks, 4),
        "step_s": round(seconds, 4),
        "spread_s": [round(min(times[WARM_UP:]), 4), round(max(times[WARM_UP:]), 4)],
        "optimizer_ms": round(1e3 * outcome.timings["optimizer"], 1),
        "padding": round(outcome.padding_share, 4),
        "peak_gb": round(outcome.peak_memory_bytes / 1e9, 1),
        "loss": outcome.metrics["loss"],
        "grad_norm": outcome.metrics["grad_norm"],
    }
    del decoder, optimizer
    gc.collect()
    if on_cuda:
        torch.cuda.empty_cache()
    return result


if __name__ == "__main__":
    main()
