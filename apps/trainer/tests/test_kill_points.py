"""kill -9 at each transition of the trainer: the same updates, sent again, give the weights of a run left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gradus_trainer.kill_point import TRANSITIONS, kill_point, nothing
from tests import tiny
from tests.process import Process

UPDATES = 4


def finish(process: Process) -> str:
    """Sends what is left, with a checkpoint in the middle, as an orchestrator does."""
    number = process.open()["next_update"]
    for update in range(number, UPDATES + 1):
        status, answer = process.put(update, tiny.update(update))
        assert (status, answer["version"]) == (200, update)
        if update == 2:
            process.checkpoint("two")
    return process.checkpoint("end")["digest"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    with Process(tmp_path_factory.mktemp("uninterrupted")) as process:
        return finish(process)


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_killed_at_a_transition(uninterrupted: str, tmp_path: Path, monkeypatch, transition: str):
    monkeypatch.setenv("NODE_ENV", "test")
    monkeypatch.setenv("GRADUS_KILL_AT", f"trainer.{transition}#{1 if transition in {'saved', 'durable'} else 2}")
    with Process(tmp_path) as process:
        with pytest.raises(OSError):  # noqa: PT011 - the connection broke, in whatever words
            finish(process)
        assert process.child.wait(20) == -9
    monkeypatch.delenv("GRADUS_KILL_AT")
    with Process(tmp_path) as process:
        opened = process.open()
        # the number is consumed exactly where it was marked
        expected = {"log": 2, "apply": 2, "applied": 3, "saved": 3, "durable": 3}[transition]
        assert (opened["next_update"], opened["version"]) == (expected, expected - 1)
        assert opened["durable_update"] == (2 if transition == "durable" else 0)
        if expected == 3:
            assert process.put(2, tiny.update(2))[1]["replayed"]
        assert finish(process) == uninterrupted


def test_a_kill_point_is_for_tests_alone(tmp_path: Path):
    assert kill_point({}) is nothing
    assert kill_point({"GRADUS_KILL_AT": "step_generated:torn#1"}) is nothing
    command = [
        sys.executable,
        "-c",
        "import os; from gradus_trainer.kill_point import kill_point; kill_point(os.environ)",
    ]
    for environment, reason in [
        ({"GRADUS_KILL_AT": "trainer.log#1"}, "NODE_ENV is not test"),
        ({"GRADUS_KILL_AT": "trainer.lunch#1", "NODE_ENV": "test"}, "trainer.lunch#1 is not"),
    ]:
        ended = subprocess.run(
            command, env=environment | {"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 2
        assert reason in ended.stderr
