"""Steps of TRL's GRPOTrainer: trl_step SHAPE transformers|vllm PROMPTS SAMPLES PROMPT_TOKENS COMPLETION_TOKENS MICRO

Prints one RESULT line: median seconds of a step after two, of its generation, and of its training part.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from gradus_trainer.bench.rivals import checkpoint
from gradus_trainer.bench.shapes import SHAPES

STEPS, WARM_UP = 5, 2


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _timed(method: str, seconds: list[float]) -> None:
    """Notes the seconds of every call of a method of the trainer."""
    inner: Callable[..., Any] = getattr(GRPOTrainer, method)

    def outer(self: GRPOTrainer, *arguments: Any, **options: Any) -> Any:
        _wait()
        start = time.perf_counter()
        answer = inner(self, *arguments, **options)
        _wait()
        seconds.append(time.perf_counter() - start)
        return answer

    setattr(GRPOTrainer, method, outer)


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Seconds of every optimizer step, from the end of the one before it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last: float | None = None

    def on_step_begin(self, *_arguments: Any, **_options: Any) -> None:
        """The first step begins here."""
        _wait()
        self._last = self._last or time.perf_counter()

    def on_step_end(self, *_arguments: Any, **_options: Any) -> None:
        """A step ends, the next begins."""
        _wait()
        now = time.perf_counter()
        self.seconds.append(now - (self._last or now))
        self._last = now


def reward(completion_ids: list[list[int]], **_options: Any) -> list[float]:
    """A rule that differs within a group."""
    return [float(sum(ids) % 7) for ids in completion_ids]


def settings(place: Path, generator: str, *, total: int, samples: int, completion: int, micro: int) -> GRPOConfig:
    """TRL's defaults but for what the comparison fixes: one update a step, no KL, BF16, FP32 masters, fused AdamW."""
    cuda = torch.cuda.is_available()
    return GRPOConfig(
        output_dir=str(place / "out"),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=total // micro,
        num_generations=samples,
        max_completion_length=completion,
        temperature=1.0,
        beta=0.0,
        num_iterations=1,
        max_steps=STEPS,
        bf16=cuda,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        use_vllm=generator == "vllm",
        vllm_mode="colocate",
        vllm_gpu_memory_utilization=0.3,
        vllm_max_model_length=512,
        model_init_kwargs={"dtype": "float32"},
        disable_tqdm=True,
        gradient_checkpointing=False,
        optim="adamw_torch_fused" if cuda else "adamw_torch",
    )


def main() -> None:
    """Trains a few steps on random prompts."""
    shape, generator = sys.argv[1:3]
    prompts, samples, length, completion, micro = map(int, sys.argv[3:8])
    place = Path(tempfile.mkdtemp())
    checkpoint.write(shape, place / "model", weights=True)
    source, size = random.Random(0), SHAPES[shape].vocab_size  # noqa: S311 - prompts, no secrets
    texts = [" ".join(f"t{source.randrange(2, size)}" for _ in range(length)) for _ in range(prompts * (STEPS + 1))]
    generate: list[float] = []
    whole: list[float] = []
    _timed("_generate_single_turn", generate)
    _timed("_generate_and_score_completions", whole)
    clock = Clock()
    trainer = GRPOTrainer(
        model=str(place / "model"),
        args=settings(place, generator, total=prompts * samples, samples=samples, completion=completion, micro=micro),
        train_dataset=Dataset.from_dict({"prompt": texts}),
        reward_funcs=reward,
        processing_class=AutoTokenizer.from_pretrained(place / "model", trust_remote_code=False),
        callbacks=[clock],
    )
    trainer.train()
    train = [step - scored for step, scored in zip(clock.seconds, whole, strict=True)]
    found = {
        "step_s": round(statistics.median(clock.seconds[WARM_UP:]), 3),
        "generate_s": round(statistics.median(generate[WARM_UP:]), 3),
        "train_s": round(statistics.median(train[WARM_UP:]), 3),
        "sequences": prompts * samples,
        "micro": micro,
    }
    found["tok_s"] = round(prompts * samples * (length + completion) / found["train_s"])
    # the line that the bench reads
    print("RESULT", json.dumps(found), flush=True)  # noqa: T201 - read by the process that started it


if __name__ == "__main__":
    main()
