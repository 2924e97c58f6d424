"""A whole GRPO step, 32 prompts x 16 samples, 64 + 256 tokens: generate, score by a rule, update; TRL's beside it."""

from __future__ import annotations

import dataclasses
import gc
import statistics
import time
from typing import Any

import numpy as np
import torch

from gradus_trainer.bench.rivals.process import NOBODY, TRL_MICRO, Rivals
from gradus_trainer.bench.shapes import SHAPES, random_decoder
from gradus_trainer.bench.trainer import moments_that_fit
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.step import take_step
from gradus_trainer.sampler.continuous.choose_kernels import make_kernels
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.decode import Chunk, Completions
from gradus_trainer.sampler.job import Job
from gradus_trainer.tokenizer import Tokenizer
from gradus_trainer.versions import choose_compute, peak_memory
from gradus_trainer.wire.batch import Batch
from gradus_trainer.wire.loss_spec import LossSpec
from gradus_trainer.wire.metadata import UpdateSpec
from gradus_trainer.wire.run_body import OptimizerSpec, RunBody

COLUMNS = ("case", "step_s", "generate_s", "score_s", "train_s", "times", "peak_gb")
MICRO_BATCH_TOKENS = 16384
STEPS, WARM_UP = 7, 2


@dataclasses.dataclass(frozen=True)
class Size:
    """Sequences of one step, all of one length."""

    prompts: int
    samples: int
    prompt: int
    completion: int


GPU_SIZE, CPU_SIZE = Size(32, 16, 64, 256), Size(4, 4, 8, 16)
"""On a CPU the bench only shows that it works."""


def run(shape: str, device: torch.device, rivals: Rivals = NOBODY) -> list[dict[str, Any]]:
    """Ours, then TRL with transformers' generation (its default) and with vLLM in its process."""
    moments = moments_that_fit(SHAPES[shape].parameters, device)
    if moments is None:
        return [{"case": "all", "skipped": f"{SHAPES[shape].parameters / 1e9:.1f}e9 parameters do not fit"}]
    size = GPU_SIZE if device.type == "cuda" else CPU_SIZE
    results = [measure(shape, device, moments, size)]
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    sizes = [str(n) for n in (*dataclasses.astuple(size), TRL_MICRO[shape])]
    if "trl-vllm" in rivals:
        results += rivals.results("TRL with vLLM", ("trl", "vllm"), "trl_step", shape, "vllm", *sizes)
    if "trl" in rivals:
        results += rivals.results("TRL with transformers", ("trl",), "trl_step", shape, "transformers", *sizes)
    for result in results[1:]:
        if "step_s" in result:
            result["times"] = round(result["step_s"] / results[0]["step_s"], 1)
    return results


def measure(shape: str, device: torch.device, moments: str, size: Size) -> dict[str, Any]:
    """Medians over steps of a policy that is trained and sampled, as the service does both."""
    decoder = random_decoder(SHAPES[shape], device, choose_compute("auto", device))
    optimizer = OptimizerSpec(0.9, 0.95, 1e-8, 0.0, 1.0, moments)
    body = RunBody({}, optimizer, MICRO_BATCH_TOKENS, "auto", "auto", {})
    live = LiveRun("bench", body, decoder, _no_tokenizer())
    generator = Generator(live.sampler(), make_kernels(device))
    generator.warm(Job(_chunk(size, decoder.architecture.vocab_size, 0)))
    seconds: dict[str, list[float]] = {"generate_s": [], "score_s": [], "train_s": [], "step_s": []}
    for step in range(STEPS):
        if step == WARM_UP and device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        for name, value in _step(live, generator, _chunk(size, decoder.architecture.vocab_size, step), step).items():
            seconds[name].append(value)
    medians = {name: round(statistics.median(values[WARM_UP:]), 4) for name, values in seconds.items()}
    sequences = size.prompts * size.samples
    spread = [round(min(seconds["step_s"][WARM_UP:]), 3), round(max(seconds["step_s"][WARM_UP:]), 3)]
    generator.release()
    return {
        "case": "Gradus",
        **medians,
        "spread_s": spread,
        "sequences": sequences,
        "tok_s": round(sequences * (size.prompt + size.completion) / medians["train_s"]),
        "generate_tok_s": round(sequences * size.completion / medians["generate_s"]),
        "peak_gb": round(peak_memory(device) / 1e9, 1),
    }


def _step(live: LiveRun, generator: Generator, chunk: Chunk, step: int) -> dict[str, float]:
    """One step. The copy that is sampled from is made new first, which the last update made stale."""
    device = live.decoder.embedding.device
    marks = [_now(device)]
    live.sampler()
    job = Job(chunk)
    generator.run([job])
    done = job.answer.result()
    marks.append(_now(device))
    batch = weighed(chunk, done)
    marks.append(_now(device))
    denominator = float(batch.loss_mask.sum(dtype=np.int64))
    spec = UpdateSpec("bench", step + 1, step, 1e-6, LossSpec("clipped", 0.2, 0.28), "tokens", denominator)
    outcome = take_step(live.decoder, live.optimizer, spec, batch, live.body.micro_batch_tokens)
    marks.append(_now(device))
    if outcome.reason is not None:
        raise RuntimeError(outcome.reason)
    live.version += 1
    names = ("generate_s", "score_s", "train_s")
    phases = {name: end - begin for name, begin, end in zip(names, marks, marks[1:], strict=False)}
    return phases | {"step_s": marks[-1] - marks[0]}


def weighed(chunk: Chunk, done: Completions) -> Batch:
    """Rewards by a rule, (r − mean) / (σ + 1e-4) within a group as advantages, and the rows that are trained on."""
    rewards = np.array([sum(ids) % 7 for ids in done.token_ids], np.float64).reshape(-1, chunk.samples)
    spread = rewards.std(axis=1, ddof=1, keepdims=True) + 1e-4
    advantage = ((rewards - rewards.mean(axis=1, keepdims=True)) / spread).reshape(-1)
    prompts = [chunk.prompts[index // chunk.samples] for index in range(len(done.token_ids))]
    return Batch.of_completions(prompts, done.token_ids, done.logprobs, advantage.astype(np.float32))


def _chunk(size: Size, vocab_size: int, seed: int) -> Chunk:
    random = np.random.default_rng(seed)
    prompts = random.integers(0, vocab_size, (size.prompts, size.prompt)).tolist()
    seeds = [int(value) for value in random.integers(0, 2**62, size.prompts)]
    return Chunk(prompts, size.samples, size.completion, 1.0, seeds, ())


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _no_tokenizer() -> Tokenizer:
    """Nothing is turned to text here."""
    from tokenizers import Tokenizer as Words  # noqa: PLC0415 - only for this
    from tokenizers import models  # noqa: PLC0415 - as above

    return Tokenizer(Words(models.WordLevel({}, unk_token="")), (0,), None)
