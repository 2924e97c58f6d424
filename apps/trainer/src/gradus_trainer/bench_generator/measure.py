"""One figure: tokens a second of a batch of sequences, after a run that captures every graph it needs."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import torch

from gradus_trainer.model.decoder import Decoder
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.decode import Chunk
from gradus_trainer.sampler.job import Job


@dataclasses.dataclass(frozen=True)
class Workload:
    """`sequences` in groups of `samples`. With `mean` they end at random with that mean, at `tokens` at the latest."""

    sequences: int
    samples: int = 1
    prompt: int = 64
    tokens: int = 256
    mean: int | None = None

    @property
    def name(self) -> str:
        """How the table calls it."""
        length = f"{self.tokens} tokens" if self.mean is None else f"mean {self.mean}, at most {self.tokens}"
        return f"{self.sequences} in groups of {self.samples}, {length}"

    def chunk(self, vocab_size: int, seed: int) -> Chunk:
        """Random prompts. Random weights choose nearly uniformly, so stop tokens end a row with their share."""
        random = np.random.default_rng(seed)
        prompts = random.integers(0, vocab_size, (self.sequences // self.samples, self.prompt)).tolist()
        stop = () if self.mean is None else tuple(range(round(vocab_size / self.mean)))
        seeds = [int(value) for value in random.integers(0, 2**62, len(prompts))]
        return Chunk(prompts, self.samples, self.tokens, 1.0, seeds, stop)


def synchronize(device: torch.device) -> None:
    """Waits for a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(
    decoder: Decoder, generator: Generator, workload: Workload, repeats: int
) -> tuple[dict[str, Any], list[list[int]]]:
    """The best and all rates of `repeats` runs of different requests; and for each run the length of every sequence."""
    device, vocab_size = decoder.embedding.device, decoder.architecture.vocab_size
    rates: list[float] = []
    lengths: list[list[int]] = []
    generator.warm(Job(workload.chunk(vocab_size, 0)))
    for repeat in range(repeats + 1):
        job = Job(workload.chunk(vocab_size, repeat))
        before = dataclasses.replace(generator.counters)
        synchronize(device)
        start = time.perf_counter()
        generator.run([job])
        done = job.answer.result()
        seconds = time.perf_counter() - start
        drawn = [len(ids) for ids in done.token_ids]
        tokens = sum(drawn)
        after = generator.counters
        steps, positions = after.steps - before.steps, after.positions - before.positions
        finite = all(np.isfinite(row).all() and max(row) <= 1e-4 for row in done.logprobs)
        if not finite:
            raise AssertionError("a log-probability is not finite or above zero")
        if repeat:
            rates.append(tokens / seconds)
            lengths.append(drawn)
    figure = {
        "what": workload.name,
        "tok_s": round(max(rates)),
        "all_tok_s": [round(rate) for rate in rates],
        "ms_per_step": round(1e3 * seconds / steps, 3),
        "filled": round(tokens / positions, 3),
        "mean_tokens": round(float(np.mean(lengths)), 1),
        "waves": after.waves - before.waves,
        "capture_s": round(generator.capture_seconds, 1),
    }
    return figure, lengths
