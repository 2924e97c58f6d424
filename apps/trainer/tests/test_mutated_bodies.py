"""Bodies that are cut up, flooded or mutated: decoded as one, or a typed problem within a second."""

from __future__ import annotations

import random
import struct
import time

import pyarrow as pa
import pytest

from gradus_trainer.problem import Problem
from gradus_trainer.wire.decode import Limits, decode_update
from gradus_trainer.wire.framing import check_stream
from tests import tiny

LIMITS = Limits(tiny.VOCAB, 64, 0)


def test_many_record_batches_are_one_batch():
    made = tiny.table(tiny.columns(), tiny.metadata())
    _, whole = decode_update(tiny.stream(made), LIMITS)
    _, pieces = decode_update(split(made), LIMITS)
    assert whole.token_ids.tolist() == pieces.token_ids.tolist()
    assert whole.offsets.tolist() == pieces.offsets.tolist()
    assert whole.sample_id == pieces.sample_id


def split(made: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=1)
    return sink.getvalue().to_pybytes()


def test_a_flood_of_messages_is_refused_quickly():
    made = tiny.table(tiny.columns(), tiny.metadata())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema) as writer:
        for _ in range(5000):
            writer.write_table(made.slice(0, 1))
    start = time.perf_counter()
    with pytest.raises(Problem, match="arrow_malformed"):
        decode_update(sink.getvalue().to_pybytes(), LIMITS)
    assert time.perf_counter() - start < 1


def test_mutated_bodies_decode_or_are_problems():
    """Flips, cuts, swaps and inserts bytes of valid bodies; seeded, so that a failure can be repeated."""
    randomness = random.Random(20261124)
    bodies = [tiny.update(1), split(tiny.table(tiny.columns(), tiny.metadata()))]
    refused, slowest = 0, 0.0
    codes: set[int] = set()
    for _ in range(600):
        body = bytearray(randomness.choice(bodies))
        for _ in range(randomness.choice([1, 1, 2, 8])):
            mutate(body, randomness)
        start = time.perf_counter()
        try:
            decode_update(bytes(body), LIMITS)
        except Problem as problem:
            refused += 1
            codes.add(problem.status)
        slowest = max(slowest, time.perf_counter() - start)
    assert refused > 200
    assert codes <= {400, 422}
    assert slowest < 1


def mutate(body: bytearray, randomness: random.Random) -> None:
    place = randomness.randrange(len(body) - 8)
    kind = randomness.randrange(5)
    if kind == 0:
        body[place] ^= 1 << randomness.randrange(8)
    elif kind == 1:
        body[place] = randomness.choice([0, 0xFF, 0x7F, 0x80])
    elif kind == 2:
        aligned = place // 4 * 4
        body[aligned : aligned + 4] = struct.pack("<i", randomness.choice([-1, 0, 2**31 - 1, -(2**31), 1 << 20]))
    elif kind == 3:
        del body[place : place + randomness.choice([1, 4, 8, 64])]
    else:
        aligned = place // 8 * 8
        body[aligned : aligned + 8] = struct.pack("<q", randomness.choice([-1, 2**62, 2**31, 7]))


def test_the_walk_accepts_what_pyarrow_writes():
    check_stream(tiny.update(1), {name: str(kind) for name, kind in WIRE_TYPES.items()})


WIRE_TYPES = {
    "sample_id": "utf8",
    "group_id": "utf8",
    "token_ids": "list<int32>",
    "loss_mask": "list<uint8>",
    "rollout_logprob": "list<float32>",
    "advantage": "float32",
}
