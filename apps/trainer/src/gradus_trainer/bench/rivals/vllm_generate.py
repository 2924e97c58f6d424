"""vLLM's offline generation: vllm_generate SHAPE none|fp8 WORKLOADS.json

A workload is {case, prompt, samples, lengths}: tokens of a prompt, sequences that share one, and for each run the
length of every sequence. Prints a RESULT line a workload: output tokens a second, with log-probabilities, its best run.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from vllm import LLM, SamplingParams

from gradus_trainer.bench.rivals import checkpoint
from gradus_trainer.bench.shapes import SHAPES

MOST = 1024
OPTIONS = {"temperature": 1.0, "ignore_eos": True, "detokenize": False, "logprobs": 0}


def main() -> None:
    """Starts the engine once, then measures each workload."""
    shape, quantisation, file = sys.argv[1:4]
    workloads = json.loads(Path(file).read_text("utf-8"))
    longest = max(workload["prompt"] + max(map(max, workload["lengths"])) for workload in workloads)
    engine = start(shape, quantisation, longest)
    source = random.Random(1)  # noqa: S311 - prompts, no secrets
    for workload in workloads:
        rate = measure(engine, workload, source, SHAPES[shape].vocab_size)
        # the line that the bench reads
        print("RESULT", json.dumps({"case": workload["case"], "tok_s": round(rate)}), flush=True)  # noqa: T201 - read by the process that started it


def start(shape: str, quantisation: str, longest: int) -> LLM:
    """An engine with random weights. It shares prompts of a group as ours does, by its prefix cache."""
    place = Path(tempfile.mkdtemp())
    checkpoint.write(shape, place, weights=False)
    return LLM(
        model=str(place),
        load_format="dummy",
        skip_tokenizer_init=True,
        dtype="bfloat16",
        quantization=None if quantisation == "none" else quantisation,
        max_model_len=longest,
        max_num_seqs=MOST,
        max_num_batched_tokens=16384,
        enable_prefix_caching=True,
        gpu_memory_utilization=0.6,
        logprobs_mode="processed_logprobs",
        generation_config="vllm",
        compilation_config={"cudagraph_capture_sizes": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, MOST]},
    )


def measure(engine: LLM, workload: dict[str, Any], source: random.Random, vocab_size: int) -> float:
    """Tokens a second of the best run, each with the lengths that ours had in one of its runs."""
    count, samples = len(workload["lengths"][0]), workload["samples"]
    groups = [[source.randrange(2, vocab_size) for _ in range(workload["prompt"])] for _ in range(count // samples)]
    prompts = [{"prompt_token_ids": groups[row // samples]} for row in range(count)]
    engine.generate(prompts, SamplingParams(max_tokens=8, **OPTIONS), use_tqdm=False)
    rates: list[float] = []
    for lengths in workload["lengths"]:
        wanted = [SamplingParams(max_tokens=length, **OPTIONS) for length in lengths]
        # what the run before it left would be a prompt for nothing
        engine.reset_prefix_cache()
        start = time.perf_counter()
        done = engine.generate(prompts, wanted, use_tqdm=False)
        rates.append(sum(lengths) / (time.perf_counter() - start))
        if [len(row.outputs[0].token_ids) for row in done] != lengths:
            raise AssertionError("a completion has another length")
    return max(rates)


if __name__ == "__main__":
    main()
