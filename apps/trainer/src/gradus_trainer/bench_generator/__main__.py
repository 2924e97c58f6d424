"""python -m gradus_trainer.bench_generator --shape 135m|0.6b|1.5b|8b [--check] [--fp8] [--sequences 64,256,1024]

Prints one JSON object a figure and a table last. The figures with equal lengths have a prompt of their own for every
sequence; those of unequal length come in groups of 16 that share a prompt, as in a GRPO step.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import torch

from gradus_trainer.bench_generator.check import check
from gradus_trainer.bench_generator.gap import fp8_gap
from gradus_trainer.bench_generator.measure import Workload, measure
from gradus_trainer.bench_generator.profile import by_kernel
from gradus_trainer.bench_generator.shapes import SHAPES, random_decoder
from gradus_trainer.sampler.continuous.choose_kernels import make_kernels
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.continuous.kernels import Kernels
from gradus_trainer.sampler.continuous.weights import Quantisation


def say(line: str) -> None:
    """One line of output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gradus_trainer.bench_generator")
    parser.add_argument("--shape", default="135m", help="comma-separated: " + ", ".join(SHAPES))
    parser.add_argument("--sequences", default="64,256,1024")
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--kinds", default="equal,groups,unequal")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--fp8", action="store_true", help="measure with FP8 weights too, and their gap")
    parser.add_argument("--check", action="store_true", help="compare with references first; ends when one differs")
    parser.add_argument("--profile", action="store_true", help="print where the time of a step goes")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def workloads(kinds: str, sequences: str, tokens: int) -> list[Workload]:
    """Equal lengths as in the anchors, in groups as in a GRPO step, and such that end at random."""
    made = []
    for count in map(int, sequences.split(",")):
        if "equal" in kinds.split(","):
            made.append(Workload(count, 1, 64, tokens))
        if "groups" in kinds.split(",") and count % 16 == 0:
            made.append(Workload(count, 16, 64, tokens))
        if "unequal" in kinds.split(","):
            made.append(Workload(count, min(16, count), 64, 2 * tokens, tokens))
    return made


def main() -> None:
    """Checks, measures, prints."""
    arguments = _arguments()
    device = torch.device(arguments.device)
    kernels = make_kernels(device)
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    say(json.dumps({"device": card, "torch": torch.__version__, "kernels": type(kernels).__name__}))
    if arguments.check and not _checked(kernels, device):
        sys.exit(1)
    table: list[dict[str, Any]] = []
    for shape in arguments.shape.split(","):
        table += _measure_shape(shape, arguments, kernels, device)
    for row in table:
        rate = f"{row['tok_s']:>8} tok/s  {row['ms_per_step']:>7} ms/step"
        say(f"{row['shape']:>5} {row['weights']:<5} {rate}  {row['what']}")


def _checked(kernels: Kernels, device: torch.device) -> bool:
    rows = check(kernels, device)
    for name, found, limit in rows:
        if not found <= limit:
            say(f"WRONG {name}: {found:.3g} > {limit:.3g}")
    say(f"checked {len(rows)} results, the largest error {max(found for _, found, _ in rows):.3g}")
    return all(found <= limit for _, found, limit in rows)


def _measure_shape(
    shape: str, arguments: argparse.Namespace, kernels: Kernels, device: torch.device
) -> list[dict[str, Any]]:
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    decoder = random_decoder(SHAPES[shape], device, dtype)
    kept: tuple[Quantisation, ...] = ("none", "fp8") if arguments.fp8 else ("none",)
    rows = []
    for quantisation in kept:
        generator = Generator(decoder, kernels, quantisation)
        for workload in workloads(arguments.kinds, arguments.sequences, arguments.tokens):
            head = {"shape": shape, "weights": "bf16" if quantisation == "none" else quantisation}
            figure, _ = measure(decoder, generator, workload, arguments.repeats)
            rows.append(head | figure)
            say(json.dumps(rows[-1]))
        if arguments.profile:
            for line in by_kernel(decoder, generator, Workload(256, 1, 64, 64)):
                say(line)
        generator.release()
        del generator
    if arguments.fp8:
        say(json.dumps({"shape": shape, "gap": fp8_gap(decoder, kernels)}))
    if device.type == "cuda":
        say(f"peak memory {torch.cuda.max_memory_allocated() / 1e9:.1f} GB")
        torch.cuda.reset_peak_memory_stats()
    return rows


if __name__ == "__main__":
    main()
