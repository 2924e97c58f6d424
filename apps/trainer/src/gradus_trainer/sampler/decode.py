"""Decodes one chunk: prompts prefilled once, rows of a prompt share its cache, finished rows are dropped as it drains.

Bits depend on the chunk alone: rows never meet rows of another request, and dropping is a function of the tokens.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradus_trainer.model.decoder import Decoder
from gradus_trainer.sampler.cache import GROWTH, Cache
from gradus_trainer.sampler.choose import choose
from gradus_trainer.sampler.uniform import row_seeds, uniforms

KEEP_SHARE = 0.8
"""Rows are compacted when fewer than this share of the decoded ones is still running."""
DRAWS_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Chunk:
    """A request: prompts as ids, `samples` rows each, one seed a prompt. Temperature 0 is greedy."""

    prompts: list[list[int]]
    samples: int
    max_tokens: int
    temperature: float
    group_seeds: list[int]
    stop: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Completions:
    """Rows in (prompt, sample) order: ids, with the stop token as the last one if there is one; log-probabilities."""

    token_ids: list[list[int]]
    logprobs: list[list[float]]
    stopped: list[bool]


class Abandoned(Exception):
    """Nobody waits for the chunk any more."""


def _wanted() -> bool:
    return False


@torch.inference_mode()
def decode(decoder: Decoder, chunk: Chunk, abandoned: Callable[[], bool] = _wanted) -> Completions:
    """Samples every row of a chunk; asks before each step whether it was abandoned, and then raises Abandoned."""
    state = _Decoding(decoder, chunk)
    state.prefill()
    for step in range(chunk.max_tokens):
        if abandoned():
            raise Abandoned
        if not state.take(step):
            break
        if step + 1 < chunk.max_tokens:
            state.advance()
    return state.completions()


class _Decoding:
    """Tensors of a chunk while it is decoded. `rows_B` are the original row numbers of the live rows."""

    def __init__(self, decoder: Decoder, chunk: Chunk) -> None:
        self.decoder, self.chunk = decoder, chunk
        self.device = decoder.embedding.device
        count = len(chunk.prompts) * chunk.samples
        self.seeds: NDArray[np.uint64] = row_seeds(chunk.group_seeds, chunk.samples)
        self.rows_B = torch.arange(count, device=self.device)
        self.finished_B = torch.zeros(count, dtype=torch.bool, device=self.device)
        self.tokens = torch.zeros(count, min(chunk.max_tokens, GROWTH), dtype=torch.int64, device=self.device)
        self.logprobs = torch.zeros(self.tokens.shape, device=self.device)
        self.lengths = torch.zeros(count, dtype=torch.int64, device=self.device)
        self.stopped = torch.zeros(count, dtype=torch.bool, device=self.device)
        self.stop = torch.tensor(chunk.stop, dtype=torch.int64, device=self.device)
        self.draws: Tensor | None = None

    def prefill(self) -> None:
        """Runs each prompt once and gives its cache to its samples."""
        prompts, samples = self.chunk.prompts, self.chunk.samples
        longest = max(len(prompt) for prompt in prompts)
        padding = torch.tensor([longest - len(prompt) for prompt in prompts], device=self.device)
        ids = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
        ids_BT = torch.tensor(ids, dtype=torch.int64, device=self.device)
        decoder = self.decoder
        self.cache = Cache(decoder.architecture, len(prompts), longest, decoder.compute, decoder.embedding)
        self.cache.set_padding(padding)
        positions_BT = (torch.arange(longest, device=self.device)[None] - padding[:, None]).clamp_(min=0)
        last = torch.arange(1, len(prompts) + 1, device=self.device) * longest - 1
        hidden_BH = decoder(ids_BT, decoder.rope_at(positions_BT), self.cache.attend_prefill, last)
        self.cache.length = longest
        group_B = torch.arange(len(prompts), device=self.device).repeat_interleave(samples)
        self.cache.take(group_B, longest + min(self.chunk.max_tokens, GROWTH))
        self.positions_B = (longest - padding).index_select(0, group_B)
        self.logits_BV = self._logits(hidden_BH).index_select(0, group_B)

    def _logits(self, hidden_BH: Tensor) -> Tensor:
        return (hidden_BH.to(self.decoder.compute) @ self.decoder.head.to(self.decoder.compute).t()).float()

    def take(self, step: int) -> bool:
        """Chooses token number `step` of every live row and records it; says whether any row goes on."""
        token_B, logprob_B = choose(self.logits_BV, self.chunk.temperature, self._uniform(step))
        running_B = ~self.finished_B
        self._make_room(step)
        self.tokens[self.rows_B, step] = token_B
        self.logprobs[self.rows_B, step] = logprob_B
        self.lengths[self.rows_B] += running_B
        if self.stop.numel():
            now_B = torch.isin(token_B, self.stop) & running_B
            self.stopped[self.rows_B] |= now_B
            self.finished_B |= now_B
        self.next_B = token_B
        return self._compact()

    def _uniform(self, step: int) -> Tensor | None:
        if self.chunk.temperature == 0.0:
            return None
        if step % DRAWS_AT_ONCE == 0 or self.draws is None:
            count = min(DRAWS_AT_ONCE, self.chunk.max_tokens - step)
            draws = uniforms(self.seeds[self.rows_B.cpu().numpy()], step, count)
            self.draws = torch.from_numpy(draws).to(self.device)
        return self.draws[:, step % DRAWS_AT_ONCE]

    def _make_room(self, step: int) -> None:
        if step < self.tokens.shape[1]:
            return
        extra = min(step, self.chunk.max_tokens - step)
        self.tokens = torch.nn.functional.pad(self.tokens, (0, extra))
        self.logprobs = torch.nn.functional.pad(self.logprobs, (0, extra))

    def _compact(self) -> bool:
        live = self.finished_B.numel() - int(self.finished_B.sum())
        if live == 0:
            return False
        if live < KEEP_SHARE * self.finished_B.numel():
            keep = (~self.finished_B).nonzero().squeeze(1)
            self.cache.take(keep, self.cache.key.shape[3])
            self.rows_B, self.next_B, self.positions_B, self.finished_B = (
                x.index_select(0, keep) for x in (self.rows_B, self.next_B, self.positions_B, self.finished_B)
            )
            self.draws = None if self.draws is None else self.draws.index_select(0, keep)
        return True

    def advance(self) -> None:
        """Runs the chosen tokens through the policy: one position for every live row."""
        cache, slots = self.cache, self.cache.key.shape[3]
        if cache.length == slots:
            everything = torch.arange(self.rows_B.shape[0], device=self.device)
            cache.take(everything, slots + max(GROWTH, slots // 2))
        rope = self.decoder.rope_at(self.positions_B[:, None])
        hidden_B1H = self.decoder(self.next_B[:, None], rope, cache.attend_step)
        cache.length += 1
        self.positions_B = self.positions_B + 1
        self.logits_BV = self._logits(hidden_B1H.squeeze(1))

    def completions(self) -> Completions:
        """The rows as lists, cut to their lengths."""
        tokens, logprobs = self.tokens.tolist(), self.logprobs.tolist()
        lengths = self.lengths.tolist()
        return Completions(
            [row[:length] for row, length in zip(tokens, lengths, strict=True)],
            [row[:length] for row, length in zip(logprobs, lengths, strict=True)],
            self.stopped.tolist(),
        )
