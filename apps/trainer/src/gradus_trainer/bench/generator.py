"""Tokens a second of generation with log-probabilities, 64 + 256 tokens, beside vLLM; and the gap to the trainer.

vLLM gets the lengths that ours drew, sequence by sequence, and an engine of its own for FP8. Its scales are one a
matrix, ours one a row.
"""

from __future__ import annotations

import gc
import json
import tempfile
from pathlib import Path
from typing import Any

import torch

from gradus_trainer.bench.rivals.process import NOBODY, Rivals
from gradus_trainer.bench.shapes import SHAPES
from gradus_trainer.bench_generator.gap import gap
from gradus_trainer.bench_generator.measure import Workload, measure
from gradus_trainer.bench_generator.shapes import random_decoder
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.sampler.continuous.choose_kernels import make_kernels
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.continuous.weights import Quantisation
from gradus_trainer.versions import choose_compute

COLUMNS = ("case", "tok_s", "vllm_tok_s", "times", "ms_per_step", "filled", "mean_abs", "k3")
PROMPT_TOKENS, COMPLETION_TOKENS = 64, 256
SEQUENCES = (64, 256, 1024)
REPEATS = 2
QUANTISATIONS: dict[str, tuple[Quantisation, ...]] = {"cuda": ("none", "fp8"), "cpu": ("none",)}
"""What is timed by the kind of device; a CPU has no FP8 product, it only shows the gap."""


def run(shape: str, device: torch.device, rivals: Rivals = NOBODY) -> list[dict[str, Any]]:
    """A line a number of sequences, each with a prompt of its own; then unequal lengths in groups; then FP8; gaps."""
    decoder = random_decoder(SHAPES[shape], device, choose_compute("auto", device))
    kept = QUANTISATIONS[device.type]
    drawn: dict[Quantisation, list[dict[str, Any]]] = {quantisation: [] for quantisation in kept}
    results = []
    for quantisation in kept:
        results += _ours(decoder, quantisation, drawn[quantisation])
    for quantisation in ("none", "fp8"):
        gaps = gap(decoder, make_kernels(device), quantisation)
        results.append({"case": _named("gap to the trainer", quantisation), **gaps})
    del decoder
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if "vllm" in rivals:
        for quantisation in kept:
            results += _beside(results, rivals, shape, quantisation, drawn[quantisation])
    return results


def _ours(decoder: Decoder, quantisation: Quantisation, drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures of ours; what a rival is to do the same is added to `drawn`."""
    device = decoder.embedding.device
    counts = SEQUENCES if device.type == "cuda" else SEQUENCES[:1]
    equal = [Workload(count, 1, PROMPT_TOKENS, COMPLETION_TOKENS) for count in counts]
    unequal = [Workload(count, 16, PROMPT_TOKENS, 2 * COMPLETION_TOKENS, COMPLETION_TOKENS) for count in counts]
    generator = Generator(decoder, make_kernels(device), quantisation)
    results = []
    for workload in (*equal, *unequal):
        figure, lengths = measure(decoder, generator, workload, REPEATS)
        case = _named(figure.pop("what"), quantisation)
        results.append({"case": case, **figure})
        drawn.append({"case": case, "prompt": workload.prompt, "samples": workload.samples, "lengths": lengths})
    generator.release()
    return results


def _beside(
    results: list[dict[str, Any]], rivals: Rivals, shape: str, quantisation: Quantisation, drawn: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Writes vLLM's rates beside ours; gives what it did not do, and why."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workloads.json"
        file.write_text(json.dumps(drawn), "utf-8")
        found = rivals.results(_named("vLLM", quantisation), ("vllm",), "vllm_generate", shape, quantisation, str(file))
    theirs = {result["case"]: result["tok_s"] for result in found if "tok_s" in result}
    for result in results:
        if (rate := theirs.get(result["case"])) is not None:
            result["vllm_tok_s"] = rate
            result["times"] = round(result["tok_s"] / rate, 2)
    return [result for result in found if "skipped" in result]


def _named(case: str, quantisation: Quantisation) -> str:
    return case + (", fp8" if quantisation == "fp8" else "")
