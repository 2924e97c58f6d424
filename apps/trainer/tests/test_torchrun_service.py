"""The service over workers under torchrun: a worker that is killed costs an answer, never an update or its order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.restore import open_policy
from gradus_trainer.engine.step import score
from gradus_trainer.engine.torchrun.link import HEAD, MAGIC, Link, LinkBroken
from gradus_trainer.engine.torchrun.workers import Job, Workers
from gradus_trainer.problem import Problem
from gradus_trainer.wire.decode import Limits, decode_logprobs
from gradus_trainer.wire.run_body import read_run_body
from tests import tiny
from tests.conftest import ARROW
from tests.process import Process


def workers_of(front: int) -> list[int]:
    """Process ids of the ranks below a front, from /proc: its launcher's children."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = stat.read_text().partition(" ")
        except OSError:
            continue
        parents.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(int(number))
    return sorted(rank for launcher in parents.get(front, []) for rank in parents.get(launcher, []))


def scores_are_those_of_one_process(process: Process, root: Path) -> None:
    """The log-probability route, against the same fresh policy in this process."""
    cells = tiny.columns(5)
    asked = {name: cells[name] for name in ("sample_id", "token_ids", "loss_mask")}
    body = tiny.stream(tiny.table(asked, None))
    headers = {"Authorization": f"Bearer {process.token}", "Content-Type": ARROW}
    url = process.first_line["url"] + "/v1/runs/r/logprobs"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        table = pa.ipc.open_stream(answer.read()).read_all()
    decoder, _ = open_policy(read_run_body(tiny.run_body()), Artifacts(root / "own"), torch.device("cpu"))
    expected = score(decoder, decode_logprobs(body, Limits(tiny.VOCAB, 64, 0)), 64)
    for name, values in zip(("logprob", "entropy"), expected, strict=True):
        found = np.concatenate([np.array(row) for row in table.column(name).to_pylist()])
        np.testing.assert_allclose(found, values, rtol=1e-5, atol=1e-6)
        assert np.abs(values).max() > 1


def test_a_killed_worker_costs_an_answer_and_nothing_else(tmp_path: Path) -> None:
    """Killed while an update runs on the others: weights are equal, to the bit, to those of a run without the kill."""
    with Process(tmp_path, "--nproc", "2") as process:
        opened = process.open()
        assert (opened["version"], opened["parameters"]) == (0, 16576)
        scores_are_those_of_one_process(process, tmp_path)
        assert process.put(1, tiny.update(1))[1]["version"] == 1
        made = process.checkpoint("one", policy=True)
        assert (tmp_path / "artifacts" / made["digest"] / "model.safetensors").exists()
        second = process.put(2, tiny.update(2))[1]

        ranks = workers_of(process.child.pid)
        assert len(ranks) == 2
        # stopped in its tracks, one rank keeps the other inside the update until it is killed
        os.kill(ranks[1], signal.SIGSTOP)
        assert process.put(3, tiny.update(3), "wait=0")[0] == 202
        assert process.call("GET", "/healthz")[0] == 200
        os.kill(ranks[1], signal.SIGKILL)
        status, problem = process.call("GET", "/v1/runs/r/updates/3", Prefer="wait=60")
        assert (status, problem["code"], problem["retryable"]) == (503, "workers_lost", True)
        third = process.put(3, tiny.update(3), "wait=120")[1]
        assert (third["version"], third["replayed"]) == (3, False)
        assert process.put(2, tiny.update(2))[1] == second | {"replayed": True}
        asked = {"model": "r", "prompt": "a"}
        target = {"kind": "vllm", "url": "http://127.0.0.1:9"}
        whole = {"format": 1, "version": 3, "targets": [target]}
        refused = [
            process.post("POST", "/v1/completions", asked),
            process.post("POST", "/v1/engine/offload", {}),
            process.post("POST", "/v1/runs/r/publish", whole),
        ]
        assert [(status, problem["code"]) for status, problem in refused] == [(422, "policy_unavailable")] * 3
        digest = process.call("GET", "/v1/runs/r")[1]["policy_digest"]

        process.lease = process.post("PUT", "/v1/runs/calm", tiny.run_body())[1]["lease"]
        calm = [process.put(number, tiny.update(number, run="calm"), run="calm")[1] for number in (1, 2, 3)]
        assert process.call("GET", "/v1/runs/calm")[1]["policy_digest"] == digest
        assert [answer["metrics"] for answer in calm][1:] == [second["metrics"], third["metrics"]]
        ranks = workers_of(process.child.pid)
        process.child.terminate()
        assert process.child.wait(60) == 0
    assert not [rank for rank in ranks if Path(f"/proc/{rank}").exists()]


def test_a_front_that_is_killed_takes_its_workers_along(tmp_path: Path) -> None:
    """Workers of a dead front would hold a GPU's memory for ever."""
    with Process(tmp_path, "--nproc", "1") as process:
        process.open()
        ranks = workers_of(process.child.pid)
        assert len(ranks) == 1
        process.kill()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{rank}/stat").exists() for rank in ranks):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_damaged_shard_is_refused_by_name_whichever_rank_finds_it(tmp_path: Path) -> None:
    """Rank 0 alone answers, and reads only some of the files."""
    with Process(tmp_path, "--nproc", "2") as process:
        process.open()
        assert process.put(1, tiny.update(1))[1]["version"] == 1
        process.checkpoint("one", policy=False)
        process.child.terminate()
        assert process.child.wait(60) == 0
    (durable,) = (tmp_path / "state/runs/r/durable").iterdir()
    shards = sorted(durable.glob("shard-*"))
    assert len(shards) == 2
    with Process(tmp_path, "--nproc", "2") as process:
        for path in (*shards, durable / "state.json"):
            whole = path.read_bytes()
            path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 4]) + whole[-8:])
            status, problem = process.post("PUT", "/v1/runs/r", tiny.run_body())
            assert (status, problem["code"], problem["field"]) == (422, "policy_unavailable", path.name)
            path.write_bytes(whole)
        assert process.open()["version"] == 1


@pytest.fixture
def ends() -> tuple[Link, Link]:
    """A connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname())
        near, _ = server.accept()
    return Link(near), Link(far)


def test_messages_arrive_whole_and_nonsense_is_refused(ends: tuple[Link, Link]) -> None:
    """Length and kind are judged before anything is kept."""
    near, far = ends
    body = os.urandom(3 << 20)
    sending = threading.Thread(target=near.send, args=({"do": "step", "name": "ä"}, body))
    sending.start()
    assert far.receive() == ({"do": "step", "name": "ä"}, body)
    sending.join()
    near._socket.sendall(HEAD.pack(MAGIC, 1 << 31, 0))
    with pytest.raises(LinkBroken, match="not a message"):
        far.receive()
    near.close()
    with pytest.raises(LinkBroken, match="closed"):
        far.receive()


def test_workers_must_know_the_token() -> None:
    """Without it a connection never becomes the workers; with it, it does, and what is asked is answered."""
    workers = Workers(Job(processes=0, replicas=1), "secret")
    stranger = Link(socket.create_connection(workers.address))
    with pytest.raises(LinkBroken):
        stranger.prove("guess", front=False)
    assert not workers.alive
    with pytest.raises(Problem, match="no workers came"):
        workers.require(0.05)
    other = Workers(Job(processes=0, replicas=1), "secret")
    threading.Timer(0.05, other.leave).start()
    with pytest.raises(Problem, match="shutting_down"):
        other.require(60)
    other.stop()
    rank = Link(socket.create_connection(workers.address))
    rank.prove("secret", front=False)
    rank.send({"ready": 2})
    assert workers.require(10) == 1

    def answer() -> None:
        asked, body = rank.receive()
        rank.send({"id": asked["id"], "said": body.decode()})
        rank.receive()
        rank.close()

    answering = threading.Thread(target=answer)
    answering.start()
    assert workers.ask({"do": "digest"}, b"hello")[0]["said"] == "hello"
    with pytest.raises(Problem, match="workers_lost"):
        workers.ask({"do": "digest"})
    answering.join()
    assert not workers.alive
    workers.stop()


def test_workers_that_cannot_start_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after the ten minutes that a large job may take to come."""
    monkeypatch.setattr(
        Workers, "_start", lambda _self: subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    )
    workers = Workers(Job(processes=1, replicas=1), "secret")
    with pytest.raises(Problem, match="ended with status 3 before they were ready"):
        workers.require(60)
    workers.stop()
