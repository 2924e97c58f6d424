"""Tokens a second of generation with log-probabilities, 64 + 256 tokens, beside vLLM."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

import torch

from gradus_trainer.bench.rivals import process
from gradus_trainer.bench.shapes import SHAPES
from gradus_trainer.bench_generator.measure import Workload, measure
from gradus_trainer.bench_generator.shapes import random_decoder
from gradus_trainer.sampler.continuous.choose_kernels import make_kernels
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.continuous.weights import Quantisation
from gradus_trainer.versions import choose_compute

COLUMNS = ("case", "tok_s", "vllm_tok_s", "times", "ms_per_step", "filled")
PROMPT_TOKENS, COMPLETION_TOKENS = 64, 256
SEQUENCES = (64, 256, 1024)


def run(shape: str, device: torch.device, rivals: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A line a number of sequences, each with a prompt of its own; then unequal lengths in groups; then FP8."""
    decoder = random_decoder(SHAPES[shape], device, choose_compute("auto", device))
    counts = SEQUENCES if device.type == "cuda" else SEQUENCES[:1]
    equal = {count: Workload(count, 1, PROMPT_TOKENS, COMPLETION_TOKENS) for count in counts}
    unequal = [Workload(count, 16, PROMPT_TOKENS, 2 * COMPLETION_TOKENS, COMPLETION_TOKENS) for count in counts]
    results = []
    kept: tuple[Quantisation, ...] = ("none", "fp8") if device.type == "cuda" else ("none",)
    for quantisation in kept:
        generator = Generator(decoder, make_kernels(device), quantisation)
        for workload in (*equal.values(), *unequal):
            done = measure(decoder, generator, workload, 2)
            results.append({"case": done.pop("what") + (", fp8" if quantisation == "fp8" else ""), **done})
        generator.release()
        del generator
    del decoder
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if "vllm" not in rivals:
        return results
    sizes = [str(PROMPT_TOKENS), str(COMPLETION_TOKENS), ",".join(map(str, counts))]
    found = process.results("vLLM", ("vllm",), "vllm_generate", shape, *sizes)
    if "skipped" in found[0]:
        return results + found
    theirs = {result["sequences"]: result["tok_s"] for result in found}
    for count, result in zip(equal, results, strict=False):
        result["vllm_tok_s"] = theirs[count]
        result["times"] = round(result["tok_s"] / theirs[count], 2)
    return results
