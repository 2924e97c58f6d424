"""Updates are applied exactly once: repeated, joined, conflicting, too early, too late, from an old owner."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import threading

import numpy as np
import pyarrow as pa
import pytest
import zstandard

from gradus_trainer.engine import live_run as live_run_module
from gradus_trainer.problem import Problem
from gradus_trainer.write_log import WriteLog
from tests import tiny
from tests.conftest import ARROW, Service


class Held:
    """Holds the engine thread until released."""

    def __init__(self, service: Service) -> None:
        self._event = threading.Event()
        service.engine.submit(self._event.wait, 20)

    def release(self) -> None:
        self._event.set()


async def test_an_update_answers_as_the_protocol_says(service: Service):
    await service.open()
    status, answer = await service.put(1, tiny.update(1))
    assert status == 200
    assert (answer["update"], answer["version"], answer["applied"], answer["replayed"]) == (1, 1, True, False)
    assert answer["reason"] is None
    assert set(answer["timings"]) == {"decode", "pack", "forward_backward", "optimizer", "log", "total"}
    assert set(answer["usage"]) == {"sequences", "tokens", "loss_tokens", "padding_share", "peak_memory_bytes"}
    assert {"loss", "grad_norm", "entropy", "ratio/mean", "sampler_gap/ess"} <= set(answer["metrics"])
    assert "kl" not in answer["metrics"]
    shown = await service.show()
    assert (shown["version"], shown["next_update"], shown["durable_update"]) == (1, 2, 0)


async def test_the_same_update_again_gives_the_stored_answer(service: Service):
    await service.open()
    body = tiny.update(1)
    _, first = await service.put(1, body)
    digest = (await service.show())["policy_digest"]
    for _ in range(2):
        assert await service.put(1, body) == (200, first | {"replayed": True})
    assert (await service.show())["policy_digest"] == digest
    assert await service.call("GET", "/v1/runs/r/updates/1") == (200, first)


async def test_another_body_for_a_taken_number_is_a_conflict(service: Service):
    await service.open()
    await service.put(1, tiny.update(1))
    status, problem = await service.put(1, tiny.update(1, seed=9))
    assert (status, problem["code"], problem["expected"]) == (409, "update_conflict", 2)


async def test_a_gap_says_what_is_expected(service: Service):
    await service.open()
    status, problem = await service.put(3, tiny.update(3))
    assert (status, problem["code"], problem["expected"]) == (409, "update_gap", 1)
    assert (await service.call("GET", "/v1/runs/r/updates/3"))[1]["code"] == "update_unknown"


async def test_a_wrong_parent_version_is_a_conflict(service: Service):
    await service.open()
    status, problem = await service.put(1, tiny.update(1, parent=1))
    assert (status, problem["code"]) == (409, "version_conflict")


async def test_an_old_lease_is_refused(service: Service):
    await service.open()
    old = service.lease
    await service.open()
    body = tiny.update(1)
    status, problem = await service.put(1, body, Lease=str(old))
    assert (status, problem["code"]) == (412, "stale_lease")
    checkpoint = {"format": 1, "name": "c", "policy": False}
    status, _ = await service.call("POST", "/v1/runs/r/checkpoints", checkpoint, headers={"Lease": str(old)})
    assert status == 412
    assert (await service.call("DELETE", "/v1/runs/r", headers={"Lease": str(old)}))[0] == 412
    assert (await service.put(1, body, Lease="x"))[1]["field"] == "Lease"
    assert (await service.put(1, body))[0] == 200


async def test_a_slow_update_answers_202_and_is_joined(service: Service):
    await service.open()
    held, body = Held(service), tiny.update(1)
    running = {"format": 1, "run": "r", "update": 1, "status": "running"}
    assert await service.put(1, body, Prefer="wait=0") == (202, running)
    assert await service.put(1, body, Prefer="wait=0.01") == (202, running)
    assert await service.call("GET", "/v1/runs/r/updates/1", headers={"Prefer": "wait=0"}) == (202, running)
    assert (await service.put(1, tiny.update(1, seed=5)))[1]["code"] == "update_conflict"
    assert (await service.put(2, tiny.update(2)))[1]["expected"] == 1
    assert (await service.call("GET", "/v1/info"))[0] == 200
    assert (await service.call("GET", "/v1/runs/r"))[0] == 200
    waiting = [asyncio.create_task(service.put(1, body)) for _ in range(3)]
    waiting.append(asyncio.create_task(service.call("GET", "/v1/runs/r/updates/1")))
    await asyncio.sleep(0)
    held.release()
    answers = await asyncio.gather(*waiting)
    assert all(status == 200 and answer["version"] == 1 for status, answer in answers)
    assert (await service.show())["version"] == 1


async def test_opening_again_waits_for_the_running_update_and_fences_its_owner(service: Service):
    await service.open()
    held, old = Held(service), service.lease
    await service.put(1, tiny.update(1), Prefer="wait=0")
    opening = asyncio.create_task(service.open())
    while (await service.call("GET", "/v1/runs/r/updates/1", headers={"Prefer": "wait=0"}))[0] != 202:
        await asyncio.sleep(0)
    held.release()
    assert (await opening)["next_update"] == 2
    assert (await service.put(2, tiny.update(2), Lease=str(old)))[1]["code"] == "stale_lease"


async def test_an_update_that_is_not_finite_is_consumed_and_says_so(service: Service):
    await service.open()
    before = (await service.show())["policy_digest"]
    cells = tiny.columns() | {"sample_weight": [3e38] * 6, "advantage": [-1e3] * 6}
    body = tiny.stream(tiny.table(cells, tiny.metadata(1, 0)))
    status, answer = await service.put(1, body)
    assert status == 200
    assert (answer["applied"], answer["reason"], answer["version"]) == (False, "non_finite_loss", 0)
    assert answer["metrics"]["loss"] is None
    shown = await service.show()
    assert (shown["policy_digest"], shown["next_update"], shown["version"]) == (before, 2, 0)
    assert (await service.put(2, tiny.update(2, parent=0)))[1]["version"] == 1


async def test_zstandard_bodies_are_the_same_update(service: Service):
    await service.open()
    packed = zstandard.ZstdCompressor().compress(tiny.update(1))
    status, answer = await service.put(1, packed, **{"Content-Encoding": "zstd"})
    assert status == 200
    assert answer["version"] == 1


async def test_a_failure_in_the_middle_restores_the_run_and_the_number_stays_free(service: Service, monkeypatch):
    await service.open()
    await service.put(1, tiny.update(1))
    before = (await service.show())["policy_digest"]

    def breaks(decoder, optimizer, spec, batch, tokens, **_settings):
        next(decoder.parameters()).data.fill_(7.0)
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        steps = iter([breaks, live_run_module.take_step])
        patch.setattr(live_run_module, "take_step", lambda *given, **named: next(steps)(*given, **named))  # noqa: PLW0108 - next is called late
        status, problem = await service.put(2, tiny.update(2))
    assert (status, problem["code"], problem["retryable"]) == (500, "trainer_failed", True)
    session_digest = await asyncio.wrap_future(service.engine.submit(lambda: None))
    assert session_digest is None
    assert (await service.show())["policy_digest"] == before
    assert (await service.put(2, tiny.update(2)))[1]["version"] == 2


async def test_a_full_disk_changes_nothing(service: Service, monkeypatch):
    await service.open()

    def full(self, update, body):
        raise Problem("storage_full", "the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(WriteLog, "write", full)
        status, problem = await service.put(1, tiny.update(1))
    assert (status, problem["code"]) == (507, "storage_full")
    assert (await service.put(1, tiny.update(1)))[0] == 200


def test_a_full_disk_is_told_by_its_error_number(tmp_path, monkeypatch):
    from gradus_trainer import write_log

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(write_log, "write_file", full)
    with pytest.raises(Problem, match="storage_full"):
        WriteLog(tmp_path / "log").write(1, b"x")


async def test_checkpoints_prune_the_log_and_are_listed(service: Service, tmp_path):
    await service.open()
    for number in (1, 2):
        await service.put(number, tiny.update(number))
    assert len(list((tmp_path / "runs/r/log").iterdir())) == 2
    ask = {"format": 1, "name": "two", "policy": False}
    status, made = await service.call("POST", "/v1/runs/r/checkpoints", ask)
    assert (status, made["update"], made["version"], made["path"]) == (200, 2, 2, None)
    assert list((tmp_path / "runs/r/log").iterdir()) == []
    assert [path.name for path in (tmp_path / "runs/r/durable").iterdir()] == ["2"]
    assert await service.call("POST", "/v1/runs/r/checkpoints", ask) == (200, made)
    _, listed = await service.call("GET", "/v1/runs/r/checkpoints")
    assert listed["checkpoints"] == [{"name": "two", "update": 2, "version": 2, "digest": made["digest"]}]
    shown = await service.show()
    assert (shown["durable_update"], shown["policy_digest"]) == (2, made["digest"])


async def test_updates_go_on_while_a_checkpoint_is_written(service: Service, tmp_path, monkeypatch):
    await service.open()
    await service.put(1, tiny.update(1))
    saving: concurrent.futures.Future[None] = concurrent.futures.Future()
    save = live_run_module.LiveRun.save

    def slowly(self, directory):
        save(self, directory)
        return saving

    monkeypatch.setattr(live_run_module.LiveRun, "save", slowly)
    ask = {"format": 1, "name": "one", "policy": False}
    asked = asyncio.create_task(service.call("POST", "/v1/runs/r/checkpoints", ask))
    while not (tmp_path / "runs/r/durable/1").exists():
        await asyncio.sleep(0)
    assert (await service.put(2, tiny.update(2)))[1]["version"] == 2
    assert not asked.done()
    assert (await service.show())["durable_update"] == 0
    assert sorted(path.name for path in (tmp_path / "runs/r/durable").iterdir()) == ["0", "1"]
    saving.set_result(None)
    status, made = await asked
    assert (status, made["update"], made["version"]) == (200, 1, 1)
    assert [path.name for path in (tmp_path / "runs/r/log").iterdir()] == ["00000002.arrow"]
    assert [path.name for path in (tmp_path / "runs/r/durable").iterdir()] == ["1"]
    assert (await service.show())["durable_update"] == 1


async def test_a_checkpoint_that_fails_late_changes_nothing(service: Service, tmp_path, monkeypatch):
    await service.open()
    await service.put(1, tiny.update(1))
    saving: concurrent.futures.Future[None] = concurrent.futures.Future()
    saving.set_exception(Problem("storage_full", "the disk is full"))
    with monkeypatch.context() as patch:
        patch.setattr(live_run_module.LiveRun, "save", lambda _self, _directory: saving)
        ask = {"format": 1, "name": "one", "policy": False}
        assert (await service.call("POST", "/v1/runs/r/checkpoints", ask))[0] == 507
    assert (await service.show())["durable_update"] == 0
    assert [path.name for path in (tmp_path / "runs/r/log").iterdir()] == ["00000001.arrow"]
    assert (await service.call("POST", "/v1/runs/r/checkpoints", ask))[1]["update"] == 1


async def test_log_probabilities_are_aligned_and_change_nothing(service: Service):
    await service.open()
    before = (await service.show())["policy_digest"]
    done = await service.complete(prompt="<on>abc=", n=4, temperature=0.7)
    ids = [[4, 6, 7, 8, 32, *choice["token_ids"]] for choice in done["choices"]]
    cells = {
        "sample_id": list("abcd"),
        "token_ids": ids,
        "loss_mask": [[0] * 5 + [1] * (len(row) - 5) for row in ids],
        "temperature": [0.7] * 4,
    }
    body = tiny.stream(tiny.table(cells, None))
    status, answer = await service.call("POST", "/v1/runs/r/logprobs", data=body, headers={"Content-Type": ARROW})
    assert status == 200
    table = pa.ipc.open_stream(answer).read_all()
    assert table.column("sample_id").to_pylist() == list("abcd")
    for row, choice in enumerate(done["choices"]):
        scored = table.column("logprob")[row].as_py()
        assert scored[:5] == [0.0] * 5
        np.testing.assert_allclose(scored[5:], choice["logprobs"]["token_logprobs"], atol=1e-5)
        assert all(0 < value <= np.log(tiny.VOCAB) + 1e-6 for value in table.column("entropy")[row].as_py()[5:])
    assert (await service.show())["policy_digest"] == before
