"""Whatever an update's body contains: a typed problem within a second, the weights unchanged, the next update taken."""

from __future__ import annotations

import json
import pickle
import struct
import time
from collections.abc import Callable

import pyarrow as pa
import zstandard

from gradus_trainer.wire.decode import Limits
from tests import tiny
from tests.bad_bodies import (
    backward_offsets,
    compressed,
    dictionary,
    extension,
    file_format,
    lying_offsets,
    nested,
    one_token,
    too_long,
    untrained,
    with_array,
    with_cells,
    with_column,
    with_metadata,
    with_other_key,
    with_row,
    with_text,
    with_token,
    with_twice,
)
from tests.conftest import Service

LIMITS = Limits(tiny.VOCAB, 64, 0)
NAN, INFINITE = float("nan"), float("inf")
STREAM = tiny.update()
BAD: dict[str, tuple[Callable[[], bytes], str, str | None]] = {
    "empty": (lambda: b"", "arrow_malformed", "body"),
    "text": (lambda: b"hello", "arrow_malformed", "body"),
    "pickle": (lambda: pickle.dumps({"token_ids": [1]}), "arrow_malformed", "body"),
    "file format": (file_format, "arrow_malformed", "body"),
    "cut in the schema": (lambda: STREAM[:100], "arrow_malformed", "body"),
    "cut in a batch": (lambda: STREAM[:-40], "arrow_malformed", "body"),
    "no end of stream": (lambda: STREAM[:-8], "arrow_malformed", "body"),
    "bytes after the end": (lambda: STREAM + b"\0" * 8, "arrow_malformed", "body"),
    "two streams": (lambda: STREAM + STREAM, "arrow_malformed", "body"),
    "2 GB of metadata": (lambda: STREAM[:4] + struct.pack("<i", 2**31 - 8) + STREAM[8:], "arrow_malformed", "body"),
    "negative metadata": (lambda: STREAM[:4] + struct.pack("<i", -8) + STREAM[8:], "arrow_malformed", "body"),
    "compressed buffers": (compressed, "arrow_malformed", "body"),
    "offsets beyond the values": (lying_offsets, "arrow_malformed", "body"),
    "offsets that go back": (backward_offsets, "arrow_malformed", "body"),
    "end only": (lambda: b"\xff\xff\xff\xff\0\0\0\0", "arrow_malformed", "body"),
    "dictionary": (lambda: with_array("group_id", dictionary()), "field_type", "group_id"),
    "extension type": (lambda: with_array("advantage", extension()), "field_type", "advantage"),
    "deep nesting": (lambda: with_array("token_ids", nested()), "field_type", "token_ids"),
    "unknown column": (lambda: with_array("rewards", pa.array([1.0] * 6)), "field_unknown", "rewards"),
    "column twice": (with_twice, "field_invalid", "advantage"),
    "int64 ids": (lambda: with_array("token_ids", pa.array([[1, 2]] * 6)), "field_type", "token_ids"),
    "float64 advantage": (lambda: with_array("advantage", pa.array([1.0] * 6)), "field_type", "advantage"),
    "large list": (
        lambda: with_array("token_ids", pa.array([[1]] * 6, pa.large_list(pa.int32()))),
        "field_type",
        "token_ids",
    ),
    "no token_ids": (lambda: with_cells(lambda cells: cells.pop("token_ids")), "field_missing", "token_ids"),
    "no advantage": (lambda: with_cells(lambda cells: cells.pop("advantage")), "field_missing", "advantage"),
    "no log-probability": (
        lambda: with_cells(lambda cells: cells.pop("rollout_logprob")),
        "field_missing",
        "rollout_logprob",
    ),
    "no rows": (lambda: tiny.stream(tiny.table(tiny.columns(), tiny.metadata()).slice(0, 0)), "batch_empty", None),
    "nothing trained": (lambda: with_cells(lambda cells: cells.update(untrained(cells))), "batch_empty", "loss_mask"),
    "token beyond": (lambda: with_token(2, 1, "token_ids", tiny.VOCAB), "token_out_of_range", "token_ids"),
    "token negative": (lambda: with_token(0, 0, "token_ids", -1), "token_out_of_range", "token_ids"),
    "too long": (lambda: too_long(65), "sequence_too_long", "token_ids"),
    "one token": (one_token, "field_invalid", "token_ids"),
    "mask of 2": (lambda: with_token(1, 3, "loss_mask", 2), "field_invalid", "loss_mask"),
    "mask at position 0": (lambda: with_token(1, 0, "loss_mask", 1), "field_invalid", "loss_mask"),
    "mask too short": (lambda: with_row("loss_mask", 4, [0, 1]), "length_mismatch", "loss_mask"),
    "log-probability too short": (lambda: with_row("rollout_logprob", 3, []), "length_mismatch", "rollout_logprob"),
    "NaN log-probability": (lambda: with_token(1, 4, "rollout_logprob", NAN), "value_not_finite", "rollout_logprob"),
    "positive log-probability": (lambda: with_token(1, 4, "rollout_logprob", 0.5), "field_invalid", "rollout_logprob"),
    "log-probability of the prompt": (
        lambda: with_token(1, 0, "rollout_logprob", -1.0),
        "field_invalid",
        "rollout_logprob",
    ),
    "infinite advantage": (lambda: with_row("advantage", 5, INFINITE), "value_not_finite", "advantage"),
    "null advantage": (lambda: with_row("advantage", 5, None), "field_invalid", "advantage"),
    "null row": (lambda: with_row("token_ids", 2, None), "field_invalid", "token_ids"),
    "null token": (lambda: with_token(2, 1, "token_ids", None), "field_invalid", "token_ids"),
    "same sample twice": (lambda: with_row("sample_id", 4, "s1"), "field_invalid", "sample_id"),
    "temperature 0": (lambda: with_column("temperature", [1.0] * 5 + [0.0]), "field_invalid", "temperature"),
    "temperature NaN": (lambda: with_column("temperature", [NAN] * 6), "value_not_finite", "temperature"),
    "negative weight": (lambda: with_column("sample_weight", [-1.0] * 6), "field_invalid", "sample_weight"),
    "version of the future": (
        lambda: with_column("policy_version", [0, 0, 0, 1, 0, 0]),
        "field_invalid",
        "policy_version",
    ),
    "truncated 2": (lambda: with_column("truncated", [2] * 6), "field_invalid", "truncated"),
    "reward NaN": (lambda: with_column("reward", [NAN] * 6), "value_not_finite", "reward"),
    "no metadata": (lambda: tiny.stream(tiny.table(tiny.columns(), None)), "field_missing", "gradus"),
    "other metadata": (with_other_key, "field_unknown", "pandas"),
    "metadata is no JSON": (lambda: with_text("{"), "json_malformed", "gradus"),
    "metadata with NaN": (lambda: with_text(json.dumps(tiny.metadata(denominator=NAN))), "json_malformed", "gradus"),
    "metadata key twice": (
        lambda: with_text(json.dumps(tiny.metadata())[:-1] + ',"update":1}'),
        "json_malformed",
        "gradus",
    ),
    "denominator 0": (lambda: with_metadata(denominator=0), "field_invalid", "gradus.denominator"),
    "denominator missing": (lambda: with_metadata(denominator=None), "field_missing", "gradus.denominator"),
    "update is true": (lambda: with_metadata(update=True), "field_type", "gradus.update"),
    "update is text": (lambda: with_metadata(update="1"), "field_type", "gradus.update"),
    "other update": (lambda: with_metadata(update=2), "field_invalid", "gradus.update"),
    "other run": (lambda: with_metadata(run="x"), "field_invalid", "gradus.run"),
    "negative rate": (lambda: with_metadata(learning_rate=-1), "field_invalid", "gradus.learning_rate"),
    "infinite rate": (
        lambda: with_text(json.dumps(tiny.metadata()).replace("0.01", "1e999")),
        "value_not_finite",
        "gradus.learning_rate",
    ),
    "unknown loss": (lambda: with_metadata(loss={"kind": "ppo"}), "field_invalid", "gradus.loss.kind"),
    "loss with more": (lambda: with_metadata(loss={"kind": "cross_entropy", "x": 1}), "field_unknown", "gradus.loss.x"),
    "loss with less": (
        lambda: with_metadata(loss={"kind": "clipped", "clip_low": 0.2}),
        "field_missing",
        "gradus.loss.clip_high",
    ),
    "unknown importance": (
        lambda: with_metadata(loss=tiny.metadata()["loss"] | {"importance": {"kind": "clip"}}),
        "field_invalid",
        "gradus.loss.importance.kind",
    ),
    "importance with its bounds crossed": (
        lambda: with_metadata(
            loss=tiny.metadata()["loss"] | {"importance": {"kind": "icepop", "low": 2.0, "high": 1.0}}
        ),
        "field_invalid",
        "gradus.loss.importance.high",
    ),
    "negative entropy bonus": (
        lambda: with_metadata(loss=tiny.metadata()["loss"] | {"entropy_coef": -0.1}),
        "field_invalid",
        "gradus.loss.entropy_coef",
    ),
    "unknown normaliser": (lambda: with_metadata(normaliser="mean"), "field_invalid", "gradus.normaliser"),
    "unknown metadata": (lambda: with_metadata(extra=1), "field_unknown", "gradus.extra"),
    "format 2": (lambda: with_metadata(format=2), "field_invalid", "gradus.format"),
    "no reference": (
        lambda: with_metadata(loss=tiny.metadata()["loss"] | {"kl_coef": 0.1}),
        "field_missing",
        "ref_logprob",
    ),
}


async def test_every_bad_body_is_a_typed_problem_and_changes_nothing(service: Service):
    before = (await service.open())["policy_digest"]
    wrong = []
    for name, (make, code, field) in BAD.items():
        body = make()
        start = time.perf_counter()
        status, problem = await service.put(1, body)
        seconds = time.perf_counter() - start
        good = status == problem.get("status") and problem.get("code") == code and seconds < 1
        if not good or (field is not None and problem.get("field") != field):
            wrong.append((name, status, problem, seconds))
    assert wrong == []
    shown = await service.show()
    assert (shown["policy_digest"], shown["next_update"]) == (before, 1)
    assert (await service.put(1, tiny.update(1)))[0] == 200


async def test_rows_are_named(service: Service):
    await service.open()
    for name, row in (("token beyond", 2), ("mask too short", 4), ("infinite advantage", 5), ("too long", 3)):
        _, problem = await service.put(1, BAD[name][0]())
        assert problem["row"] == row, name


async def test_headers_of_a_body_are_judged_too(service: Service):
    await service.open()
    body = tiny.update(1)
    cases = [
        ({"Content-Digest": tiny.digest_header(b"other")}, 400, "digest_mismatch", "Content-Digest"),
        ({"Content-Digest": "sha-256=:AAAA:"}, 422, "field_invalid", "Content-Digest"),
        ({"Content-Digest": "md5=:AAAA:"}, 422, "field_invalid", "Content-Digest"),
        ({"Content-Type": "application/json"}, 415, "media_type_unsupported", "Content-Type"),
        ({"Content-Type": "application/x-pickle"}, 415, "media_type_unsupported", "Content-Type"),
        ({"Content-Encoding": "gzip"}, 415, "media_type_unsupported", "Content-Encoding"),
        ({"Content-Encoding": "zstd"}, 400, "arrow_malformed", "Content-Encoding"),
        ({"Prefer": "wait=soon"}, 422, "field_invalid", "Prefer"),
        ({"Lease": "1.5"}, 422, "field_invalid", "Lease"),
    ]
    for headers, status, code, field in cases:
        found, problem = await service.put(1, body, **headers)
        assert (found, problem["code"], problem["field"]) == (status, code, field)
    assert (await service.put(0, body))[1]["code"] == "field_invalid"
    assert (await service.put(1, body))[0] == 200


async def test_a_body_beyond_the_limit_is_refused_also_when_it_hides_in_zstandard(service: Service):
    await service.open()
    assert (await service.put(1, b"x" * (1 << 20) + b"x"))[1]["code"] == "body_too_large"
    bomb = zstandard.ZstdCompressor().compress(b"\0" * (80 << 20))
    start = time.perf_counter()
    status, problem = await service.put(1, bomb, **{"Content-Encoding": "zstd"})
    assert (status, problem["code"]) == (413, "body_too_large")
    assert time.perf_counter() - start < 1
    cut = zstandard.ZstdCompressor().compress(tiny.update(1))[:-20]
    assert (await service.put(1, cut, **{"Content-Encoding": "zstd"}))[1]["code"] == "arrow_malformed"
    assert (await service.put(1, tiny.update(1)))[0] == 200
