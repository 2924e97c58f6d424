"""Arrow bytes to a validated batch. Whatever the bytes are, the outcome is a batch or a problem."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gradus_trainer.generated.wire import COLUMN
from gradus_trainer.problem import Problem
from gradus_trainer.wire.batch import Batch
from gradus_trainer.wire.framing import check_stream
from gradus_trainer.wire.metadata import UpdateSpec, read_metadata
from gradus_trainer.wire.values import check_floats, check_tokens

UPDATE_COLUMNS = {name: str(rule["type"]) for name, rule in COLUMN.items()}
LOGPROB_COLUMNS = {name: UPDATE_COLUMNS[name] for name in ("sample_id", "token_ids", "loss_mask", "temperature")}


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the policy allows: ids below `vocab_size`, rows up to `max_positions` tokens, versions up to `version`."""

    vocab_size: int
    max_positions: int
    version: int


def decode_update(body: bytes, limits: Limits) -> tuple[UpdateSpec, Batch]:
    """Validates the body of an update whole."""
    table = _read_table(body, UPDATE_COLUMNS, [name for name, rule in COLUMN.items() if rule["required"]])
    spec = read_metadata(table.schema)
    batch = _batch_of(table, limits)
    _check_needed(spec, batch)
    return spec, batch


def decode_logprobs(body: bytes, limits: Limits) -> Batch:
    """Validates the body of a log-probability request."""
    return _batch_of(_read_table(body, LOGPROB_COLUMNS, ["sample_id", "token_ids", "loss_mask"]), limits)


def _read_table(body: bytes, columns: Mapping[str, str], required: list[str]) -> pa.Table:
    check_stream(body, columns)
    try:
        with pa.ipc.open_stream(pa.BufferReader(body)) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Problem("arrow_malformed", f"the Arrow stream is not valid: {error}", field="body") from error
    for name in required:
        if name not in table.column_names:
            raise Problem("field_missing", f"the column {name} is missing", field=name)
    if table.num_rows == 0:
        raise Problem("batch_empty", "the batch has no rows", field="token_ids")
    return table.combine_chunks()


def _column(table: pa.Table, name: str) -> pa.Array:
    chunks = table.column(name).chunks
    array = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    if array.null_count:
        row = int(pc.index(pc.is_null(array), True).as_py())
        raise Problem("field_invalid", f"{name} is null", field=name, row=row)
    return array


def _flat(table: pa.Table, name: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Values of a list column one after another, and the offsets of its rows from 0."""
    array = _column(table, name)
    offsets = array.offsets.to_numpy().astype(np.int64)
    values = array.flatten()
    if values.null_count:
        raise Problem("field_invalid", f"{name} has a null inside a list", field=name)
    return values.to_numpy(zero_copy_only=True), offsets - offsets[0]


def _batch_of(table: pa.Table, limits: Limits) -> Batch:
    token_ids, offsets = _flat(table, "token_ids")
    columns: dict[str, Any] = {"token_ids": token_ids}
    for name in table.column_names:
        kind = UPDATE_COLUMNS[name]
        if name == "token_ids":
            continue
        if not kind.startswith("list"):
            columns[name] = _column(table, name)
            continue
        values, own = _flat(table, name)
        if not np.array_equal(own, offsets):
            row = int(np.flatnonzero(np.diff(own) != np.diff(offsets))[0])
            raise Problem("length_mismatch", f"{name} is not as long as token_ids", field=name, row=row)
        columns[name] = values
    rows = len(offsets) - 1
    sample_id = columns["sample_id"].to_pylist()
    _check_unique(sample_id)
    scalars = {name: _scalar(columns, name, rows) for name in ("temperature", "sample_weight", "advantage")}
    batch = Batch(
        sample_id=sample_id,
        offsets=offsets,
        token_ids=token_ids,
        loss_mask=columns["loss_mask"],
        temperature=scalars["temperature"] if scalars["temperature"] is not None else np.ones(rows, np.float32),
        sample_weight=scalars["sample_weight"] if scalars["sample_weight"] is not None else np.ones(rows, np.float32),
        advantage=scalars["advantage"],
        **{name: columns.get(name) for name in ("rollout_logprob", "token_advantage", "old_logprob", "ref_logprob")},
    )
    check_tokens(batch, limits.vocab_size, limits.max_positions)
    check_floats(batch)
    _check_logged(columns, rows, limits.version)
    return batch


def _scalar(columns: dict[str, Any], name: str, rows: int) -> NDArray[Any] | None:
    values = columns.get(name)
    if values is None:
        return None
    array: NDArray[Any] = values.to_numpy(zero_copy_only=True)
    assert len(array) == rows
    return array


def _check_unique(sample_id: list[str]) -> None:
    first: set[str] = set()
    if len(set(sample_id)) == len(sample_id):
        return
    for row, name in enumerate(sample_id):
        if name in first:
            raise Problem("field_invalid", f"sample_id {name[:80]!r} is there twice", field="sample_id", row=row)
        first.add(name)


def _check_logged(columns: dict[str, Any], rows: int, version: int) -> None:
    reward = _scalar(columns, "reward", rows)
    if reward is not None and not np.isfinite(reward).all():
        row = int(np.flatnonzero(~np.isfinite(reward))[0])
        raise Problem("value_not_finite", "reward is not finite", field="reward", row=row)
    for name, high in (("truncated", 1), ("policy_version", version)):
        values = _scalar(columns, name, rows)
        if values is not None and ((values < 0) | (values > high)).any():
            row = int(np.flatnonzero((values < 0) | (values > high))[0])
            raise Problem("field_invalid", f"{name} must be between 0 and {high}", field=name, row=row)


def _check_needed(spec: UpdateSpec, batch: Batch) -> None:
    """Refuses a batch that lacks a column its loss needs."""
    kind = spec.loss.kind
    if kind == "cross_entropy":
        return
    if batch.rollout_logprob is None and batch.old_logprob is None:
        raise Problem("field_missing", f"{kind} needs rollout_logprob or old_logprob", field="rollout_logprob")
    if batch.rollout_logprob is None and spec.loss.importance.kind != "none":
        raise Problem("field_missing", "importance needs rollout_logprob", field="rollout_logprob")
    if batch.advantage is None and batch.token_advantage is None:
        raise Problem("field_missing", f"{kind} needs advantage or token_advantage", field="advantage")
    if spec.loss.kl_coef > 0 and batch.ref_logprob is None:
        raise Problem("field_missing", "kl_coef > 0 needs ref_logprob", field="ref_logprob")
