"""A disk that is full, breaks or rots: what was durable stays whole, and what is not whole is refused by name."""

from __future__ import annotations

import errno
import os
import random
import shutil
from pathlib import Path

import pytest
import torch

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.restore import RunDirectory
from gradus_trainer.ledger import Ledger
from gradus_trainer.problem import Problem
from gradus_trainer.seal import check, seal
from gradus_trainer.wire.run_body import read_run_body
from gradus_trainer.write_log import END_OF_STREAM, WriteLog
from tests import tiny
from tests.conftest import Service

CHECKPOINT = {"format": 1, "name": "c", "policy": True}


class BadDisk:
    """Fails the n-th flush and every later one, as a full or broken disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, number: int) -> None:
        self.flushes, self._at, self._number = 0, at, number
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self)

    def __call__(self, descriptor: int) -> None:
        self.flushes += 1
        if self.flushes >= self._at:
            raise OSError(self._number, os.strerror(self._number))
        self._fsync(descriptor)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_a_checkpoint_that_fails_at_any_flush_leaves_the_last_one_whole(service: Service, tmp_path, number):
    await service.open()
    await service.put(1, tiny.update(1))
    expected = (await service.show())["policy_digest"]
    at, status = 1, 0
    while status != 200:
        with pytest.MonkeyPatch.context() as monkeypatch:
            BadDisk(monkeypatch, at, number)
            status, answer = await service.call("POST", "/v1/runs/r/checkpoints", CHECKPOINT)
        if status != 200:
            assert (status, answer["code"]) == (507, "storage_full") if number == errno.ENOSPC else status == 500
            assert (await service.show())["durable_update"] == 0
            # what is on disk opens to the same weights: last checkpoint and log
            assert digest_of(tmp_path, tmp_path / f"copy-{at}") == expected
        at += 1
        assert at < 40
    assert at > 5
    assert answer["digest"] == expected
    assert (await service.show())["durable_update"] == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_an_update_that_cannot_be_logged_is_not_applied(service: Service, number):
    opened = await service.open()
    for at in (1, 2):
        with pytest.MonkeyPatch.context() as monkeypatch:
            BadDisk(monkeypatch, at, number)
            status, _ = await service.put(1, tiny.update(1))
        assert status == (507 if number == errno.ENOSPC else 500)
        shown = await service.show()
        assert (shown["policy_digest"], shown["next_update"]) == (opened["policy_digest"], 1)
    assert (await service.put(1, tiny.update(1)))[1]["version"] == 1


def digest_of(state: Path, copy: Path) -> str:
    """Opens a copy of a state directory in an engine of its own, as a restart does. Gives the digest of the weights."""
    copy.mkdir()
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        if (state / name).exists():
            shutil.copy(state / name, copy / name)
    shutil.copytree(state / "runs", copy / "runs")
    ledger = Ledger(copy / "ledger.sqlite")
    engine = Engine(copy, Artifacts(copy / "artifacts"), ledger, torch.device("cpu"), 1)
    run = engine.submit(engine.open, "r", read_run_body(tiny.run_body())).result()
    digest = run.digest()
    engine.stop()
    ledger.close()
    return digest


def test_every_flipped_bit_of_a_checkpoint_is_seen(tmp_path: Path):
    files = {"model.safetensors": 4000, "moments.safetensors": 8000, "state.json": 90, "config.json": 300}
    randomness = random.Random(5)
    durable = tmp_path / "durable"
    durable.mkdir()
    for name, size in files.items():
        (durable / name).write_bytes(randomness.randbytes(size))
    seal(durable)
    check(durable)
    paths = [durable / name for name in files]
    for _ in range(2000):
        path = randomness.choice(paths)
        whole = path.read_bytes()
        place, bit = randomness.randrange(len(whole)), 1 << randomness.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        with pytest.raises(Problem, match=f"{path.name}: its bytes") as raised:
            check(durable)
        assert raised.value.field == path.name
        path.write_bytes(whole)
    check(durable)


def test_a_seal_that_rots_is_seen_too(tmp_path: Path):
    (tmp_path / "weights").write_bytes(b"weights")
    seal(tmp_path)
    path = tmp_path / "seal.json"
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        rotten = bytearray(whole)
        rotten[bit // 8] ^= 1 << bit % 8
        path.write_bytes(rotten)
        with pytest.raises(Problem, match="damaged"):
            check(tmp_path)


async def test_a_damaged_checkpoint_is_refused_by_name_when_its_run_is_opened(service: Service, tmp_path):
    await service.open()
    await service.put(1, tiny.update(1))
    assert (await service.call("POST", "/v1/runs/r/checkpoints", CHECKPOINT))[0] == 200
    moments = tmp_path / "runs/r/durable/1/moments.safetensors"
    whole = bytearray(moments.read_bytes())
    whole[-3] ^= 1
    moments.write_bytes(whole)
    with pytest.raises(Problem, match=r"moments\.safetensors.*remove the trainer's state directory"):
        digest_of(tmp_path, tmp_path / "copy")
    shutil.rmtree(moments.parent)
    with pytest.raises(Problem, match="it is not there"):
        digest_of(tmp_path, tmp_path / "copy2")
    assert RunDirectory(tmp_path, "r").log.is_dir()


def flipped(content: bytes, bit: int) -> bytes:
    """The content with one bit turned over."""
    rotten = bytearray(content)
    rotten[bit // 8] ^= 1 << bit % 8
    return bytes(rotten)


async def test_a_flipped_bit_of_the_log_is_refused_by_name_or_changes_no_weight(service: Service, tmp_path):
    await service.open()
    await service.put(1, tiny.update(1))
    await service.put(2, tiny.update(2))
    expected = (await service.show())["policy_digest"]
    log = tmp_path / "runs/r/log/00000001.arrow"
    whole = log.read_bytes()
    assert not whole.endswith(END_OF_STREAM)
    places = {*range(0, 8 * len(whole), 8 * len(whole) // 60), *range(8 * len(whole) - 8, 8 * len(whole))}
    assert len(places) > 60
    for bit in sorted(places):
        log.write_bytes(flipped(whole, bit))
        with pytest.raises(Problem, match=r"00000001\.arrow: its bytes.*the trainer's state directory") as raised:
            digest_of(tmp_path, tmp_path / f"copy-{bit}")
        assert (raised.value.code, raised.value.field) == ("policy_unavailable", "00000001.arrow")
    log.unlink()
    with pytest.raises(Problem, match="it is not there"):
        digest_of(tmp_path, tmp_path / "copy-none")
    log.write_bytes(whole)
    assert digest_of(tmp_path, tmp_path / "copy-whole") == expected


async def test_a_log_of_an_earlier_version_is_replayed_and_its_rotten_end_is_seen(service: Service, tmp_path):
    await service.open()
    await service.put(1, tiny.update(1))
    expected = (await service.show())["policy_digest"]
    path = tmp_path / "runs/r/log/00000001.arrow"
    body = WriteLog(path.parent).read(1)
    assert body.endswith(END_OF_STREAM)
    path.write_bytes(body)
    assert digest_of(tmp_path, tmp_path / "copy") == expected
    for bit in range(8 * (len(body) - len(END_OF_STREAM)), 8 * len(body)):
        path.write_bytes(flipped(body, bit))
        with pytest.raises(Problem, match="its bytes are not"):
            WriteLog(path.parent).read(1)
