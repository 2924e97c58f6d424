"""kill -9 between and within updates: the same weights and moments, to the bit, as a run that nobody killed."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from tests import tiny
from tests.process import Process

UPDATES = 6


def moments(root: Path) -> bytes:
    (durable,) = (root / "state/runs/r/durable").iterdir()
    return (durable / "moments.safetensors").read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes, list[dict]]:
    root = tmp_path_factory.mktemp("uninterrupted")
    with Process(root) as process:
        process.open()
        answers = [process.put(number, tiny.update(number))[1] for number in range(1, UPDATES + 1)]
        digest = process.checkpoint("end")["digest"]
    return digest, moments(root), [answer["metrics"] for answer in answers]


def test_killed_between_updates(uninterrupted, tmp_path):
    digest, kept, metrics = uninterrupted
    found = []
    with Process(tmp_path) as process:
        process.open()
        found += [process.put(number, tiny.update(number))[1] for number in (1, 2)]
        process.checkpoint("two")
        found.append(process.put(3, tiny.update(3))[1])
        process.kill()
    with Process(tmp_path) as process:
        opened = process.open()
        assert (opened["next_update"], opened["version"], opened["durable_update"]) == (4, 3, 2)
        assert opened["lease"] == 2
        assert process.put(3, tiny.update(3))[1] == found[-1] | {"replayed": True}
        found += [process.put(number, tiny.update(number))[1] for number in range(4, UPDATES + 1)]
        assert process.checkpoint("end")["digest"] == digest
    assert moments(tmp_path) == kept
    assert [answer["metrics"] for answer in found] == metrics


def test_killed_at_any_moment_while_updates_are_sent(uninterrupted, tmp_path):
    digest, kept, _ = uninterrupted
    randomness = random.Random(7)
    for attempt in range(4):
        with Process(tmp_path) as process:
            number = process.open()["next_update"]
            if attempt < 3:
                timer = threading.Timer(randomness.uniform(0.005, 0.05), process.kill)
                timer.start()
            try:
                while number <= UPDATES:
                    status, answer = process.put(number, tiny.update(number))
                    assert status == 200, answer
                    number = answer["update"] + 1
            except OSError:
                continue
            finally:
                if attempt < 3:
                    timer.join()
            if process.child.poll() is None:
                assert process.checkpoint("end")["digest"] == digest
    assert moments(tmp_path) == kept


def test_a_body_that_was_logged_but_not_applied_leaves_its_number_free(tmp_path):
    with Process(tmp_path) as process:
        process.open()
        process.put(1, tiny.update(1))
        process.kill()
    (tmp_path / "state/runs/r/log/00000002.arrow").write_bytes(tiny.update(2))
    (tmp_path / "state/runs/r/log/00000003.arrow.tmp").write_bytes(b"half")
    (tmp_path / "state/runs/r/durable/1.tmp").mkdir()
    with Process(tmp_path) as process:
        assert process.open()["next_update"] == 2
        assert process.put(2, tiny.update(2, seed=50))[0] == 200


def test_sigterm_finishes_the_update_that_runs_and_exits_0(tmp_path):
    body = tiny.stream(tiny.table(tiny.columns(rows=600), tiny.metadata(denominator=4000.0)))
    with Process(tmp_path) as process:
        process.open()
        assert process.put(1, body, "wait=0")[0] == 202
        # accepted is not yet begun: what only waits is given up, and its number stays free
        log, end = tmp_path / "state/runs/r/log/00000001.arrow", time.monotonic() + 20
        while not log.exists() and time.monotonic() < end:
            time.sleep(0.002)
        process.child.terminate()
        assert process.child.wait(60) == 0
    with Process(tmp_path) as process:
        assert process.open()["next_update"] == 2


def test_the_end_of_standard_input_ends_the_process(tmp_path):
    with Process(tmp_path, "--watch-stdin") as process:
        process.open()
        assert process.child.stdin is not None
        process.child.stdin.close()
        process.child.stdin = None
        process.child.wait(10)


def test_one_process_owns_a_state_directory(tmp_path):
    with Process(tmp_path, token=None) as process:
        assert len(process.first_line["token"]) > 20
        assert process.first_line["pid"] == process.child.pid
        assert process.call("GET", "/v1/info")[0] == 200
        with Process(tmp_path) as second:
            assert second.child.wait(20) != 0


def test_the_next_owner_of_a_run_gets_the_state_of_a_trainer_whose_orchestrator_is_stopped(uninterrupted, tmp_path):
    digest, kept, _ = uninterrupted
    with Process(tmp_path) as first:
        first.open()
        for number in (1, 2, 3):
            first.put(number, tiny.update(number))
        with Process(tmp_path, "--take-over") as second:
            opened = second.open()
            assert (opened["next_update"], opened["lease"]) == (4, 2)
            # it left by itself, before the other one read a byte of the state
            assert first.child.wait(1) == 0
            for number in range(4, UPDATES + 1):
                second.put(number, tiny.update(number))
            assert second.checkpoint("end")["digest"] == digest
    assert moments(tmp_path) == kept
