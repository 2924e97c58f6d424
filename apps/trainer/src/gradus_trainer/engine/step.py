"""One optimizer update: micro-batches forward and backward, one clipped AdamW step, the metrics of the protocol."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import torch
from torch import Tensor

from gradus_trainer.engine.metrics import Metrics, finite, token_metrics
from gradus_trainer.engine.micro_batch import MicroBatch, lay_out, split_rows, token_limit
from gradus_trainer.engine.normaliser import token_coefficients
from gradus_trainer.losses.clipped import clipped
from gradus_trainer.losses.cross_entropy import cross_entropy
from gradus_trainer.model.attention import causal_attention
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.token_logprob import token_logprob
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.metadata import LossSpec, UpdateSpec


@dataclasses.dataclass(frozen=True)
class StepOutcome:
    """What an update did. `reason` is null when it was applied."""

    reason: str | None
    metrics: Metrics
    timings: dict[str, float]


@dataclasses.dataclass(frozen=True)
class TokenColumns:
    """Flat per-token inputs of the loss, aligned to the batch's `token_ids`."""

    coefficient: Floats
    old_logprob: Floats | None
    advantage: Floats | None
    ref_logprob: Floats | None


def token_columns(batch: Batch, spec: UpdateSpec) -> TokenColumns:
    """What the loss needs; `old_logprob` wins over the sampler's log-probability."""
    return TokenColumns(
        coefficient=token_coefficients(batch, spec.normaliser, spec.denominator),
        old_logprob=batch.old_logprob if batch.old_logprob is not None else batch.rollout_logprob,
        advantage=batch.token_advantages(),
        ref_logprob=batch.ref_logprob,
    )


def forward(decoder: Decoder, micro: MicroBatch) -> tuple[Tensor, Tensor]:
    """(log-probability [N], entropy [N]) of the trained tokens of a micro-batch."""
    rope = decoder.rope_from_start(micro.inputs_BT.shape[1])
    hidden_NH = decoder(micro.inputs_BT, rope, causal_attention, micro.select_N)
    return token_logprob(hidden_NH, decoder.head, micro.target_N, micro.temperature_N, decoder.compute)


def weighted_loss(spec: LossSpec, logprob_N: Tensor, columns: TokenColumns, micro: MicroBatch) -> Tensor:
    """Σ c·l over the trained tokens of a micro-batch."""

    def of(column: Floats | None) -> Tensor | None:
        return None if column is None else torch.from_numpy(column[micro.flat_N]).to(logprob_N.device)

    coefficient_N, old_N, advantage_N = of(columns.coefficient), of(columns.old_logprob), of(columns.advantage)
    assert coefficient_N is not None
    if spec.kind == "cross_entropy":
        return (coefficient_N * cross_entropy(logprob_N)).sum()
    assert old_N is not None
    assert advantage_N is not None
    return (coefficient_N * clipped(logprob_N, old_N, advantage_N, of(columns.ref_logprob), spec)).sum()


def take_step(
    decoder: Decoder, optimizer: Optimizer, spec: UpdateSpec, batch: Batch, micro_batch_tokens: int
) -> StepOutcome:
    """Applies one update in place, or leaves the weights alone when loss or gradient is not finite."""
    timings = {"pack": 0.0, "forward_backward": 0.0, "optimizer": 0.0}
    clock = time.perf_counter
    columns = token_columns(batch, spec)
    device = decoder.embedding.device
    collected: list[tuple[MicroBatch, Tensor, Tensor]] = []
    losses: list[Tensor] = []
    for rows in split_rows(batch.lengths, token_limit(micro_batch_tokens, device)):
        start = clock()
        micro = lay_out(batch, rows, device)
        packed = clock()
        timings["pack"] += packed - start
        if micro.flat_N.size:
            logprob_N, entropy_N = forward(decoder, micro)
            loss = weighted_loss(spec.loss, logprob_N, columns, micro)
            loss.backward()
            losses.append(loss.detach())
            collected.append((micro, logprob_N.detach(), entropy_N))
        timings["forward_backward"] += clock() - packed
    start = clock()
    loss_value = float(torch.stack(losses).double().sum())
    norm = optimizer.gradient_norm()
    norm_value = float(norm)
    timings["forward_backward"] += clock() - start
    reason = _refusal(loss_value, norm_value)
    start = clock()
    if reason is None:
        optimizer.step(spec.learning_rate, norm)
    else:
        optimizer.forget_gradients()
    timings["optimizer"] = clock() - start
    logprob, entropy = gather(batch, collected)
    metrics = {"loss": loss_value, "grad_norm": norm_value, **token_metrics(batch, spec.loss, logprob, entropy)}
    return StepOutcome(reason, finite(metrics), timings)


def _refusal(loss: float, norm: float) -> str | None:
    if not math.isfinite(loss):
        return "non_finite_loss"
    return None if math.isfinite(norm) else "non_finite_gradient"


def gather(batch: Batch, collected: list[tuple[MicroBatch, Tensor, Tensor]]) -> tuple[Floats, Floats]:
    """Log-probabilities and entropies of all micro-batches, flat and aligned to `token_ids`, 0 where not trained."""
    logprob = np.zeros(len(batch.token_ids), np.float32)
    entropy = np.zeros(len(batch.token_ids), np.float32)
    for micro, logprob_N, entropy_N in collected:
        logprob[micro.flat_N] = logprob_N.cpu().numpy()
        entropy[micro.flat_N] = entropy_N.cpu().numpy()
    return logprob, entropy


@torch.no_grad()
def score(decoder: Decoder, batch: Batch, micro_batch_tokens: int) -> tuple[Floats, Floats]:
    """Log-probabilities and entropies under the current policy; changes nothing."""
    collected, device = [], decoder.embedding.device
    for rows in split_rows(batch.lengths, token_limit(micro_batch_tokens, device)):
        micro = lay_out(batch, rows, device)
        if micro.flat_N.size:
            collected.append((micro, *forward(decoder, micro)))
    return gather(batch, collected)
