"""What an update reports: means over all trained tokens, computed once from the collected log-probabilities."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.loss_spec import Importance, LossSpec

Metrics = dict[str, float | None]


def finite(metrics: dict[str, float]) -> Metrics:
    """The same with null where a value is not finite, as JSON needs it."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def token_metrics(batch: Batch, spec: LossSpec, logprob: Floats, entropy: Floats) -> dict[str, float]:
    """Metrics of the protocol but loss and gradient norm. `logprob` and `entropy` are flat, aligned to `token_ids`."""
    trained = batch.loss_mask == 1
    p = logprob[trained].astype(np.float64)
    metrics = {"entropy": float(entropy[trained].mean(dtype=np.float64))}
    with np.errstate(over="ignore", invalid="ignore"):
        if spec.kind != "cross_entropy":
            metrics |= _policy_metrics(batch, spec, trained, p)
        if batch.rollout_logprob is not None:
            metrics |= _gap_metrics(batch.rollout_logprob[trained].astype(np.float64), p)
    return metrics


def _policy_metrics(
    batch: Batch, spec: LossSpec, trained: NDArray[np.bool_], p: NDArray[np.float64]
) -> dict[str, float]:
    advantages = batch.token_advantages()
    assert advantages is not None
    corrected = spec.importance.kind != "none"
    before = _before_update(batch, corrected, trained, p)
    sequence = batch.row_of_token()[trained]
    difference = p - before
    ratio = np.exp(_sequence_mean(difference, sequence) if spec.kind == "gspo" else difference)
    advantage = advantages[trained]
    metrics = {
        "ratio/mean": float(ratio.mean()),
        "ratio/min": float(ratio.min()),
        "ratio/max": float(ratio.max()),
        "clip_ratio/low_mean": float(((ratio < 1 - spec.clip_low) & (advantage < 0)).mean()),
        "clip_ratio/high_mean": float(((ratio > 1 + spec.clip_high) & (advantage > 0)).mean()),
    }
    if corrected:
        assert batch.rollout_logprob is not None
        metrics |= _importance_metrics(before - batch.rollout_logprob[trained], sequence, spec.importance)
    if spec.kl_coef > 0 and batch.ref_logprob is not None:
        metrics["kl"] = float(_k3(batch.ref_logprob[trained] - p).mean())
    return metrics


def _before_update(
    batch: Batch, corrected: bool, trained: NDArray[np.bool_], p: NDArray[np.float64]
) -> NDArray[np.float64]:
    """o, as losses/token_loss.py chooses it."""
    if batch.old_logprob is None and corrected:
        return p
    old = batch.old_logprob if batch.old_logprob is not None else batch.rollout_logprob
    assert old is not None
    return old[trained].astype(np.float64)


def _importance_metrics(
    difference: NDArray[np.float64], sequence: NDArray[np.int64], spec: Importance
) -> dict[str, float]:
    """Mean of exp(o − m) before the correction, and the shares of tokens that it lowers or drops."""
    ratio = np.exp(difference)
    judged = np.exp(_sequence_mean(difference, sequence)) if spec.kind == "sequence_mask" else ratio
    outside = (judged < spec.low) | (judged > spec.high)
    dropped = spec.kind != "truncate"
    return {
        "importance/mean": float(ratio.mean()),
        "importance/capped_share": 0.0 if dropped else float(outside.mean()),
        "importance/masked_share": float(outside.mean()) if dropped else 0.0,
    }


def _sequence_mean(value: NDArray[np.float64], sequence: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.maximum(np.bincount(sequence), 1)
    means: NDArray[np.float64] = (np.bincount(sequence, weights=value) / counts)[sequence]
    return means


def _gap_metrics(m: NDArray[np.float64], p: NDArray[np.float64]) -> dict[str, float]:
    """Distance of the trainer's log-probabilities p from the sampler's m."""
    difference = p - m
    weight = np.exp(difference)
    return {
        "sampler_gap/k1": float(-difference.mean()),
        "sampler_gap/k3": float(_k3(difference).mean()),
        "sampler_gap/max_abs": float(np.abs(difference).max()),
        "sampler_gap/ess": float(weight.sum() ** 2 / (len(weight) * (weight**2).sum())),
    }


def _k3(difference: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.expm1(difference) - difference
    return result
