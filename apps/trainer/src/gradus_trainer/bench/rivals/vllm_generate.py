"""vLLM's offline generation: vllm_generate SHAPE PROMPT_TOKENS COMPLETION_TOKENS SEQUENCES,...

Prints a RESULT line a number of sequences: output tokens a second, with log-probabilities, the best of two runs.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path

from vllm import LLM, SamplingParams

from gradus_trainer.bench.rivals import checkpoint
from gradus_trainer.bench.shapes import SHAPES

REPEATS, MOST = 2, 1024


def main() -> None:
    """Starts the engine once, then measures each batch."""
    shape = sys.argv[1]
    length, completion = map(int, sys.argv[2:4])
    place = Path(tempfile.mkdtemp())
    checkpoint.write(shape, place, weights=False)
    engine = LLM(
        model=str(place),
        load_format="dummy",
        skip_tokenizer_init=True,
        dtype="bfloat16",
        max_model_len=length + completion,
        max_num_seqs=MOST,
        max_num_batched_tokens=16384,
        enable_prefix_caching=False,
        gpu_memory_utilization=0.6,
        logprobs_mode="processed_logprobs",
        generation_config="vllm",
        compilation_config={"cudagraph_capture_sizes": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, MOST]},
    )
    source, size = random.Random(1), SHAPES[shape].vocab_size  # noqa: S311 - prompts, no secrets
    for count in map(int, sys.argv[4].split(",")):
        prompts = [{"prompt_token_ids": [source.randrange(2, size) for _ in range(length)]} for _ in range(count)]
        options = {"temperature": 1.0, "ignore_eos": True, "detokenize": False, "logprobs": 0}
        engine.generate(prompts, SamplingParams(max_tokens=8, **options), use_tqdm=False)
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            done = engine.generate(prompts, SamplingParams(max_tokens=completion, **options), use_tqdm=False)
            seconds.append(time.perf_counter() - start)
            if any(len(row.outputs[0].token_ids) != completion for row in done):
                raise AssertionError("a completion has another length")
        found = {"sequences": count, "tok_s": round(count * completion / min(seconds))}
        # the line that the bench reads
        print("RESULT", json.dumps(found), flush=True)  # noqa: T201 - read by the process that started it


if __name__ == "__main__":
    main()
