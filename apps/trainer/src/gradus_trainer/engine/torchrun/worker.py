"""A rank of the job: does what the front asks, in the same order as every other rank.

Rank 0 has the connection to the front. The others wait on the store, not in a collective, which would time out while
nothing is asked. A rank that fails in the middle of a command leaves, and torchrun starts all of them again: half of an
update on some ranks is nothing to go on from, and the front replays what was lost.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from gradus_trainer.engine.torchrun.checkpoint import state_document
from gradus_trainer.engine.torchrun.export import export, policy_digest
from gradus_trainer.engine.torchrun.group import Group, join
from gradus_trainer.engine.torchrun.link import Link, LinkBroken, connect
from gradus_trainer.engine.torchrun.saving import Head, Saving
from gradus_trainer.engine.torchrun.sharded_run import ShardedRun
from gradus_trainer.generated.wire import TOKEN_VARIABLE
from gradus_trainer.model.config import config_document
from gradus_trainer.problem import Problem
from gradus_trainer.versions import choose_device, prepare_torch
from gradus_trainer.wire.run_body import read_run_body

WAIT = datetime.timedelta(minutes=5)
"""How long one look into the store waits; then it looks again."""
log = logging.getLogger("gradus.worker")
Answer = tuple[dict[str, Any], bytes]


class Worker:
    """The runs of one rank and what can be asked about them."""

    def __init__(self, group: Group, link: Link | None) -> None:
        self._group, self._link = group, link
        self._runs: dict[str, ShardedRun] = {}
        self._saving = Saving(group)

    def execute(self, asked: dict[str, Any], body: bytes) -> Answer:
        """One command. A Problem is the same on all ranks; anything else ends the rank."""
        return {
            "open": self._open,
            "step": self._step,
            "score": self._score,
            "digest": self._digest,
            "save": self._save,
            "publish": self._publish,
            "close": self._close,
        }[asked["do"]](asked, body)

    def _open(self, asked: dict[str, Any], body: bytes) -> Answer:
        self._close(asked, body)
        directory = None if asked["directory"] is None else Path(asked["directory"])
        problem = None
        try:
            run = ShardedRun(read_run_body(json.loads(body)), directory, self._group, durable=asked["durable"])
        except Problem as error:
            problem = error
        if (agreed := self._group.agree(problem)) is not None:
            raise agreed
        self._runs[asked["run"]] = run
        return {}, b""

    def _step(self, asked: dict[str, Any], body: bytes) -> Answer:
        return dataclasses.asdict(self._runs[asked["run"]].step(body, asked["version"])), b""

    def _score(self, asked: dict[str, Any], body: bytes) -> Answer:
        logprob, entropy = self._runs[asked["run"]].score(body, asked["version"])
        return {}, np.concatenate((logprob, entropy)).astype("<f4").tobytes()

    def _digest(self, asked: dict[str, Any], _body: bytes) -> Answer:
        return {"digest": policy_digest(self._runs[asked["run"]].decoder, self._group)}, b""

    def _publish(self, asked: dict[str, Any], _body: bytes) -> Answer:
        run = self._runs[asked["run"]]
        problem = None
        try:
            export(run.decoder, run.tokenizer, self._group, Path(asked["directory"]), asked["digest"])
        except Problem as error:
            problem = error
        if (agreed := self._group.agree(problem)) is not None:
            raise agreed
        return {}, b""

    def _save(self, asked: dict[str, Any], _body: bytes) -> Answer:
        run, number = self._runs[asked["run"]], int(asked["id"])
        staged = run.stage()
        architecture, tokenizer = run.decoder.architecture, run.tokenizer
        config = config_document(architecture, tokenizer.pad, list(tokenizer.end))
        state = state_document(asked["update"], asked["version"], staged.steps, run.shards())

        def told(problem: Problem | None) -> None:
            if self._link is not None:
                try:
                    self._link.send({"saved": number, "problem": _problem(problem)})
                except LinkBroken:
                    log.warning("the front is gone, nobody is told of a checkpoint")

        self._saving.begin(staged, Path(asked["directory"]), Head(number, config, tokenizer, state), told)
        return {}, b""

    def _close(self, asked: dict[str, Any], _body: bytes) -> Answer:
        run = self._runs.pop(asked["run"], None)
        if run is not None:
            run.free()
        return {}, b""

    def stop(self) -> None:
        """Finishes what is being written."""
        self._saving.stop()


def _problem(problem: Problem | None) -> dict[str, Any] | None:
    return None if problem is None else {"code": problem.code, "detail": problem.detail, "field": problem.field}


def lead(group: Group, link: Link) -> None:
    """Rank 0: passes each command on, takes its part, and answers; ends when told to stop."""
    worker, number = Worker(group, link), 0
    link.send({"ready": group.size, "replicas": group.replicas, "device": group.device.type, "pid": os.getpid()})
    while True:
        asked, body = link.receive()
        group.store.set(str(number), json.dumps(asked | {"bytes": len(body)}).encode())
        if number:
            # all ranks have finished the command before, so none will read it again
            group.store.delete_key(str(number - 1))
        if asked["do"] == "stop":
            # rank 0 may host the store, so it stays until all have read this
            group.most(0)
            break
        _spread(body, len(body))
        try:
            header, payload = worker.execute(asked, body)
        except Problem as problem:
            header, payload = {"problem": _problem(problem)}, b""
        group.most(0)
        link.send({"id": asked["id"], **header}, payload)
        number += 1
    worker.stop()


def follow(group: Group) -> None:
    """Every other rank: waits for commands on the store."""
    worker, number = Worker(group, None), 0
    while True:
        try:
            group.store.wait([str(number)], WAIT)
        except dist.DistStoreError:
            continue
        asked = json.loads(group.store.get(str(number)))
        if asked["do"] == "stop":
            group.most(0)
            break
        body = _spread(b"", asked["bytes"])
        try:
            worker.execute(asked, body)
        except Problem as problem:
            log.warning("rank %d: %s", group.rank, problem)
        group.most(0)
        number += 1
    worker.stop()


def _spread(body: bytes, size: int) -> bytes:
    """The body of a command, from rank 0 to all ranks."""
    if not size:
        return b""
    held = torch.frombuffer(bytearray(body), dtype=torch.uint8) if body else torch.empty(size, dtype=torch.uint8)
    dist.broadcast(held, 0)
    return body or held.numpy().tobytes()


def main() -> None:
    """Runs one rank, as torchrun starts it."""
    parser = argparse.ArgumentParser(prog="gradus_trainer.engine.torchrun.worker")
    parser.add_argument("--front", required=True, help="HOST:PORT of the front")
    parser.add_argument("--replicas", type=int, default=1, help="whole copies of the policy; they divide the ranks")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    # planning alone is what checkpoint.py wants; torch warns of it at each save
    warnings.filterwarnings("ignore", message="torch.distributed is disabled")
    device = choose_device(arguments.device)
    prepare_torch(device, arguments.threads)
    group = join(arguments.replicas, device.type)
    if group.rank == 0:
        host, _, port = arguments.front.rpartition(":")
        lead(group, connect(host, int(port), os.environ[TOKEN_VARIABLE]))
    else:
        follow(group)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
