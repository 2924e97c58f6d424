"""Writing a staged state beside training: every rank writes its file, rank 0 seals the directory."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch.distributed as dist

from gradus_trainer.durable_file import storage, sync
from gradus_trainer.engine.torchrun.checkpoint import STATE, Staged
from gradus_trainer.engine.torchrun.group import Group
from gradus_trainer.model.load import write_json
from gradus_trainer.problem import Problem
from gradus_trainer.seal import seal
from gradus_trainer.tokenizer import Tokenizer

LOOK_SECONDS = 0.02
"""How often rank 0 looks whether the others have written."""
BEGUN_LOOK = datetime.timedelta(seconds=1)
"""How long the others wait for rank 0 before they look whether it has failed."""
Told = Callable[[Problem | None], None]
log = logging.getLogger("gradus.saving")


@dataclasses.dataclass(frozen=True)
class Head:
    """What rank 0 writes beside the shards: configuration, tokenizer, counters. `number` tells savings apart."""

    number: int
    config: dict[str, Any]
    tokenizer: Tokenizer
    state: dict[str, Any]

    def write(self, directory: Path) -> None:
        """Writes these files."""
        write_json(directory / "config.json", self.config)
        self.tokenizer.save(directory / "tokenizer.json")
        write_json(directory / STATE, self.state)


class Saving:
    """One thread a rank. Ranks tell each other through the store, never in a collective that training might use."""

    def __init__(self, group: Group) -> None:
        self._group = group
        # a store answers one caller at a time, and the main thread waits in its own for the next command
        self._store = group.store.clone()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saving")

    def begin(self, staged: Staged, path: Path, head: Head, told: Told) -> None:
        """Queues the writing of a state; on rank 0 `told` is called when it is wholly on disk, or never will be."""
        self._thread.submit(self._save, staged, path, head, told)

    def _save(self, staged: Staged, path: Path, head: Head, told: Told) -> None:
        key = f"saved/{head.number}"
        temporary = path.with_name(path.name + ".tmp")
        problem: Problem | None = None
        try:
            if self._group.rank == 0:
                self._prepare(temporary, head)
                self._store.set(f"{key}/begun", b"1")
            else:
                self._until_begun(key)
            with storage():
                digests = staged.write(temporary)
            self._store.set(f"{key}/digests/{self._group.rank}", json.dumps(digests).encode())
        except Exception as error:
            log.exception("a checkpoint could not be written")
            problem = error if isinstance(error, Problem) else Problem("trainer_failed", f"checkpoint: {error!r}")
            self._store.set(f"{key}/failed", problem.code.encode())
        self._store.add(f"{key}/done", 1)
        if self._group.rank == 0:
            told(self._finish(temporary, path, key, problem))

    def _until_begun(self, key: str) -> None:
        """Until rank 0 has made the directory. In short looks: if it failed, it never says that it has."""
        while True:
            with contextlib.suppress(dist.DistStoreError):
                self._store.wait([f"{key}/begun"], BEGUN_LOOK)
                return
            if self._store.check([f"{key}/failed"]):
                raise Problem(self._store.get(f"{key}/failed").decode(), "another rank could not write the checkpoint")

    def _prepare(self, temporary: Path, head: Head) -> None:
        with storage():
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            head.write(temporary)

    def _finish(self, temporary: Path, path: Path, key: str, problem: Problem | None) -> Problem | None:
        while self._store.add(f"{key}/done", 0) < self._group.size:
            time.sleep(LOOK_SECONDS)
        if problem is None and self._store.check([f"{key}/failed"]):
            problem = Problem(self._store.get(f"{key}/failed").decode(), "a rank could not write its shard")
        if problem is None:
            try:
                with storage():
                    seal(temporary, self._digests(key))
                    for file in temporary.iterdir():
                        sync(file)
                    sync(temporary)
                    shutil.rmtree(path, ignore_errors=True)
                    temporary.replace(path)
                    sync(path.parent)
            except (OSError, Problem) as error:
                problem = error if isinstance(error, Problem) else Problem("trainer_failed", f"checkpoint: {error}")
        if problem is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        for suffix in ("begun", "done", "failed", *(f"digests/{rank}" for rank in range(self._group.size))):
            with contextlib.suppress(RuntimeError):
                self._store.delete_key(f"{key}/{suffix}")
        return problem

    def _digests(self, key: str) -> dict[str, str]:
        """Of all shards, as the ranks that wrote them told."""
        told: dict[str, str] = {}
        for rank in range(self._group.size):
            told |= json.loads(self._store.get(f"{key}/digests/{rank}"))
        return told

    def stop(self) -> None:
        """Waits for what is being written."""
        self._thread.shutdown(wait=True)
