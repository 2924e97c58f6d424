"""Whether an engine holds the trainer's weights: it samples a little, and both say how likely that was."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.engine.step import score
from gradus_trainer.publish.failure import PublishFailed
from gradus_trainer.publish.staged import require_version
from gradus_trainer.wire.batch import Batch, Floats

PROMPTS, PROMPT_TOKENS, SAMPLED_TOKENS = 8, 16, 16


@dataclasses.dataclass(frozen=True)
class Served:
    """Sampled tokens and the engine's log-probabilities of them, nats, row by row."""

    prompts: list[list[int]]
    token_ids: list[list[int]]
    logprobs: list[list[float]]


def prompts_of(version: int, vocab_size: int, max_positions: int) -> list[list[int]]:
    """Random tokens, other ones for each version."""
    random = np.random.default_rng(version)
    length = max(1, min(PROMPT_TOKENS, max_positions - SAMPLED_TOKENS))
    rows: list[list[int]] = random.integers(0, vocab_size, (PROMPTS, length)).tolist()
    return rows


def request(model: str, prompts: list[list[int]], max_positions: int) -> dict[str, Any]:
    """The body of `/v1/completions`: a few sampled tokens a prompt with their log-probabilities at temperature 1."""
    return {
        "model": model,
        "prompt": prompts,
        "n": 1,
        "max_tokens": min(SAMPLED_TOKENS, max_positions - len(prompts[0])),
        "temperature": 1.0,
        "top_p": 1.0,
        "ignore_eos": True,
        "logprobs": 0,
        "return_token_ids": True,
    }


def read_answer(prompts: list[list[int]], answer: Any) -> Served:
    """What the engine sampled; refuses an answer that does not say it for every prompt."""
    try:
        choices = sorted(answer["choices"], key=lambda choice: choice["index"])
        ids = [[int(token) for token in choice["token_ids"]] for choice in choices]
        logprobs = [[float(value) for value in choice["logprobs"]["token_logprobs"]] for choice in choices]
    except (KeyError, TypeError, ValueError) as error:
        raise PublishFailed("check", f"the completions have no token_ids and logprobs: {error!r}") from error
    aligned = all(len(row) == len(values) > 0 for row, values in zip(ids, logprobs, strict=True))
    if len(ids) != len(prompts) or not aligned:
        raise PublishFailed("check", f"{len(prompts)} completions were asked for and {len(ids)} came")
    if not all(math.isfinite(value) for values in logprobs for value in values):
        raise PublishFailed("check", "the engine gave a log-probability that is not finite")
    return Served(prompts, ids, logprobs)


def measure(run: LiveRun, version: int, served: Served) -> dict[str, float]:
    """The gap between both. Runs on the engine thread."""
    require_version(run, version)
    batch = _batch(served, run.architecture.vocab_size)
    logprob, _ = score(run.decoder, batch, run.body.micro_batch_tokens)
    return gap(logprob[batch.loss_mask == 1], np.concatenate([np.asarray(row) for row in served.logprobs]))


def gap(trainer: Floats, served: Sequence[float] | Floats) -> dict[str, float]:
    """Of d = trainer − served over all tokens: mean and greatest |d|, k1 = −mean d, k3 = mean(exp(d) − d − 1)."""
    d = np.asarray(trainer, np.float64) - np.asarray(served, np.float64)
    return {
        "tokens": len(d),
        "mean_abs": float(np.abs(d).mean()),
        "max_abs": float(np.abs(d).max()),
        "k1": float(-d.mean()),
        "k3": float((np.exp(np.minimum(d, 80.0)) - d - 1).mean()),
    }


def _batch(served: Served, vocab_size: int) -> Batch:
    if any(not 0 <= token < vocab_size for row in (*served.prompts, *served.token_ids) for token in row):
        raise PublishFailed("check", f"the engine sampled a token outside 0 … {vocab_size - 1}")
    return Batch.of_completions(served.prompts, served.token_ids)
