"""One optimizer update: micro-batches forward and backward, one clipped AdamW step, the metrics of the protocol."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gradus_trainer.engine.metrics import Metrics, finite, token_metrics
from gradus_trainer.engine.normaliser import token_coefficients
from gradus_trainer.engine.team import ALONE, Team
from gradus_trainer.engine.trunk import Trained, Trunk, trunk_of
from gradus_trainer.losses.token_loss import Policies, token_loss
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.head_loss import Objective, Targets, head_loss
from gradus_trainer.model.token_logprob import token_logprob
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.versions import peak_memory
from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.loss_spec import LossSpec
from gradus_trainer.wire.metadata import UpdateSpec


@dataclasses.dataclass(frozen=True)
class StepOutcome:
    """What an update did. `reason` is null when it was applied. `padding_share` is of all positions computed."""

    reason: str | None
    metrics: Metrics
    timings: dict[str, float]
    padding_share: float
    peak_memory_bytes: int


@dataclasses.dataclass(frozen=True)
class TokenColumns:
    """Flat per-token inputs of the loss, aligned to the batch's `token_ids`."""

    coefficient: Floats
    old_logprob: Floats | None
    rollout_logprob: Floats | None
    advantage: Floats | None
    ref_logprob: Floats | None


def token_columns(batch: Batch, spec: UpdateSpec) -> TokenColumns:
    """What the loss needs."""
    return TokenColumns(
        coefficient=token_coefficients(batch, spec.normaliser, spec.denominator),
        old_logprob=batch.old_logprob,
        rollout_logprob=batch.rollout_logprob,
        advantage=batch.token_advantages(),
        ref_logprob=batch.ref_logprob,
    )


def objective_of(spec: LossSpec, columns: TokenColumns, micro: Trained) -> Objective:
    """Σ c·l over trained tokens of a micro-batch; its columns are on the device from here on."""

    def of(column: Floats | None) -> Tensor | None:
        return None if column is None else torch.from_numpy(column[micro.flat_N]).to(micro.target_N.device)

    coefficient_N = of(columns.coefficient)
    assert coefficient_N is not None
    policies = Policies(
        sequence_N=micro.sequence_N,
        advantage_N=of(columns.advantage),
        old_N=of(columns.old_logprob),
        rollout_N=of(columns.rollout_logprob),
        reference_N=of(columns.ref_logprob),
    )

    def objective(logprob_n: Tensor, entropy_n: Tensor, part: slice) -> Tensor:
        return (coefficient_N[part] * token_loss(spec, logprob_n, entropy_n, policies.part(part))).sum()

    return objective


def take_step(
    decoder: Decoder,
    optimizer: Optimizer,
    spec: UpdateSpec,
    batch: Batch,
    micro_batch_tokens: int,
    *,
    checkpointing: str = "auto",
    team: Team = ALONE,
) -> StepOutcome:
    """Applies one update in place, or leaves the weights alone when loss or gradient is not finite."""
    clock = time.perf_counter
    start = clock()
    trunk = trunk_of(decoder, micro_batch_tokens, checkpointing)
    share = team.share(decoder, batch)
    columns = token_columns(share.batch, spec)
    # everything is laid out first: a copy to a device would wait for the work before it
    micros = [micro for micro in trunk.lay_out(share.batch) if micro.flat_N.size]
    own = [] if share.idle else micros
    objectives = [objective_of(spec.loss, columns, micro) for micro in own]
    packed = clock()
    done = []
    count = team.most(len(own))
    for index in range(count):
        team.begin(decoder, index + 1 == count)
        if index < len(own):
            done.append(_backpropagate(decoder, trunk, spec.loss, own[index], objectives[index]))
        else:
            _backpropagate(decoder, trunk, IDLE, micros[0], _nothing)
    loss_value = team.total(float(torch.stack([loss for loss, _, _ in done]).double().sum()) if done else 0.0)
    norm = optimizer.gradient_norm()
    norm_value = float(norm)
    found = [(micro, logprob_N, entropy_N) for micro, (_, logprob_N, entropy_N) in zip(own, done, strict=True)]
    logprob, entropy = team.whole(batch, share, gather(share.batch, found))
    computed = clock()
    reason = _refusal(loss_value, norm_value)
    if reason is None:
        optimizer.step(spec.learning_rate, norm)
    else:
        optimizer.forget_gradients()
    timings = {"pack": packed - start, "forward_backward": computed - packed, "optimizer": clock() - computed}
    # a CUDA device is still busy with the optimizer while the host counts
    metrics = {"loss": loss_value, "grad_norm": norm_value, **token_metrics(batch, spec.loss, logprob, entropy)}
    ran = own + micros[:1] * (count - len(own))
    padding = team.padding_share(trunk, share, sum(micro.positions for micro in ran))
    return StepOutcome(reason, finite(metrics), timings, padding, team.most(peak_memory(decoder.embedding.device)))


IDLE = LossSpec("cross_entropy")
"""What a rank without work computes beside the others, with a weight of 0."""


def _nothing(logprob_n: Tensor, _entropy_n: Tensor, _part: slice) -> Tensor:
    return (0.0 * logprob_n).sum()


def _backpropagate(
    decoder: Decoder, trunk: Trunk, spec: LossSpec, micro: Trained, objective: Objective
) -> tuple[Tensor, Tensor, Tensor]:
    """Adds the gradient of one micro-batch; (loss, log-probability [N], entropy [N])."""
    hidden, select_N = trunk.hidden(micro)
    targets = Targets(
        target_N=micro.target_N,
        temperature_N=micro.temperature_N,
        select_N=select_N,
        compute=decoder.compute,
        whole=spec.whole_sequences,
        pull=spec.entropy_coef > 0,
    )
    loss, logprob_N, entropy_N = head_loss(hidden, decoder.head, targets, objective)
    loss.backward()
    return loss.detach(), logprob_N, entropy_N


def _refusal(loss: float, norm: float) -> str | None:
    if not math.isfinite(loss):
        return "non_finite_loss"
    return None if math.isfinite(norm) else "non_finite_gradient"


def gather(batch: Batch, found: Sequence[tuple[Trained, Tensor, Tensor]]) -> list[Floats]:
    """Log-probabilities and entropies of all micro-batches, flat and aligned to `token_ids`, 0 where not trained."""
    logprob = np.zeros(len(batch.token_ids), np.float32)
    entropy = np.zeros(len(batch.token_ids), np.float32)
    for micro, logprob_N, entropy_N in found:
        logprob[micro.flat_N] = logprob_N.cpu().numpy()
        entropy[micro.flat_N] = entropy_N.cpu().numpy()
    return [logprob, entropy]


@torch.no_grad()
def score(decoder: Decoder, batch: Batch, micro_batch_tokens: int, team: Team = ALONE) -> tuple[Floats, Floats]:
    """Log-probabilities and entropies under the current policy; changes nothing."""
    trunk = trunk_of(decoder, micro_batch_tokens)
    share = team.share(decoder, batch)
    micros = [micro for micro in trunk.lay_out(share.batch) if micro.flat_N.size]
    own = 0 if share.idle else len(micros)
    found = []
    for index in range(team.most(own)):
        micro = micros[index if index < own else 0]
        hidden, select_N = trunk.hidden(micro)
        hidden_NH = hidden if select_N is None else hidden.index_select(0, select_N)
        scores = token_logprob(hidden_NH, decoder.head, micro.target_N, micro.temperature_N, decoder.compute)
        if index < own:
            found.append((micro, *scores))
    team.rest(decoder)
    logprob, entropy = team.whole(batch, share, gather(share.batch, found))
    return logprob, entropy
