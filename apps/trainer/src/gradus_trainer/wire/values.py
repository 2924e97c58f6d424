"""Rules on the values of a batch: ids, masks, lengths, finite floats. The first offending row is named."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus_trainer.problem import Problem
from gradus_trainer.wire.batch import Batch

LOGPROB_SLACK = 1e-4
"""A sampler's rounding may make a log-probability this much greater than 0."""


def check_tokens(batch: Batch, vocab_size: int, max_positions: int) -> None:
    """Lengths, ids and masks."""
    lengths = batch.lengths
    if (lengths > max_positions).any():
        row = int(np.flatnonzero(lengths > max_positions)[0])
        detail = f"{int(lengths[row])} tokens, at most {max_positions} are possible"
        raise Problem("sequence_too_long", detail, field="token_ids", row=row)
    if (lengths < 2).any():
        row = int(np.flatnonzero(lengths < 2)[0])
        raise Problem("field_invalid", "a sequence needs at least 2 tokens", field="token_ids", row=row)
    outside = (batch.token_ids < 0) | (batch.token_ids >= vocab_size)
    _refuse(batch, outside, "token_ids", f"a token is not in 0 … {vocab_size - 1}", "token_out_of_range")
    _refuse(batch, batch.loss_mask > 1, "loss_mask", "loss_mask must be 0 or 1")
    if batch.loss_mask[batch.offsets[:-1]].any():
        row = int(np.flatnonzero(batch.loss_mask[batch.offsets[:-1]])[0])
        raise Problem("field_invalid", "position 0 cannot be trained on", field="loss_mask", row=row)
    if not batch.loss_mask.any():
        raise Problem("batch_empty", "loss_mask is 0 everywhere", field="loss_mask")


def check_floats(batch: Batch) -> None:
    """Finite everywhere; ranges of temperature, weight and the sampler's log-probabilities."""
    for name in ("rollout_logprob", "token_advantage", "old_logprob", "ref_logprob"):
        values = getattr(batch, name)
        if values is not None:
            _refuse(batch, ~np.isfinite(values), name, f"{name} is not finite", "value_not_finite")
    for name in ("advantage", "temperature", "sample_weight"):
        values = getattr(batch, name)
        if values is not None:
            _refuse_row(~np.isfinite(values), name, f"{name} is not finite", "value_not_finite")
    _refuse_row(batch.temperature <= 0, "temperature", "temperature must be greater than 0")
    _refuse_row(batch.sample_weight < 0, "sample_weight", "sample_weight must not be negative")
    rollout = batch.rollout_logprob
    if rollout is not None:
        _refuse(batch, rollout > LOGPROB_SLACK, "rollout_logprob", "a log-probability is greater than 0")
        _refuse(batch, (rollout != 0) & (batch.loss_mask == 0), "rollout_logprob", "must be 0 where loss_mask is 0")


def _refuse(batch: Batch, bad: NDArray[Any], field: str, detail: str, code: str = "field_invalid") -> None:
    if bad.any():
        position = int(np.argmax(bad))
        row = int(np.searchsorted(batch.offsets, position, side="right")) - 1
        raise Problem(code, detail, field=field, row=row)


def _refuse_row(bad: NDArray[Any], field: str, detail: str, code: str = "field_invalid") -> None:
    if bad.any():
        raise Problem(code, detail, field=field, row=int(np.argmax(bad)))
