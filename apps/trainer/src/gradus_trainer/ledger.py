"""What was promised, in SQLite: runs with their leases, updates with their answers, named checkpoints."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

from gradus_trainer.problem import Problem

_TABLES = """
create table if not exists run (
  name text primary key, body text not null, lease integer not null, durable_update integer not null,
  durable_version integer not null, next_update integer not null, version integer not null) strict;
create table if not exists applied (
  run text not null, number integer not null, digest text not null, answer text not null,
  primary key (run, number)) strict, without rowid;
create table if not exists checkpoint (
  run text not null, name text not null, number integer not null, answer text not null,
  primary key (run, name)) strict, without rowid;
"""


@dataclasses.dataclass(frozen=True)
class RunRow:
    """Where a run stands on disk. Updates up to `durable_update` are in its checkpoint, the rest in its log."""

    body: dict[str, Any]
    lease: int
    durable_update: int
    durable_version: int
    next_update: int
    version: int


class Ledger:
    """One file for all runs of a state directory. Every write is one flushed transaction; any thread may call."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Folds the journal into the file and closes it."""
        with self._lock:
            self._connection.close()

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                if "full" in str(error):
                    raise Problem("storage_full", "the disk of the ledger is full") from error
                raise

    def run(self, name: str) -> RunRow | None:
        """A run, or None when there is none of that name."""
        rows = self._rows(
            "select body, lease, durable_update, durable_version, next_update, version from run where name = ?", name
        )
        return RunRow(json.loads(rows[0][0]), *rows[0][1:]) if rows else None

    def create_run(self, name: str, body: dict[str, Any]) -> None:
        """Records a new run whose first checkpoint (update 0) is on disk."""
        self._rows("insert into run values (?, ?, 0, 0, 0, 1, 0)", name, json.dumps(body))

    def next_lease(self, name: str) -> int:
        """Grants the next fencing number."""
        return int(self._rows("update run set lease = lease + 1 where name = ? returning lease", name)[0][0])

    def applied(self, run: str, number: int) -> tuple[str, dict[str, Any]] | None:
        """(digest, answer) of an update."""
        rows = self._rows("select digest, answer from applied where run = ? and number = ?", run, number)
        return (rows[0][0], json.loads(rows[0][1])) if rows else None

    def mark_applied(self, run: str, number: int, digest: str, version: int, answer: dict[str, Any]) -> None:
        """Consumes an update number with its answer."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            self._rows("insert into applied values (?, ?, ?, ?)", run, number, digest, json.dumps(answer))
            self._rows("update run set next_update = ?, version = ? where name = ?", number + 1, version, run)

    def mark_durable(self, run: str, name: str, number: int, version: int, answer: dict[str, Any]) -> None:
        """Records a checkpoint that is on disk; an older one of the same name gives way."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            self._rows("insert or replace into checkpoint values (?, ?, ?, ?)", run, name, number, json.dumps(answer))
            self._rows("update run set durable_update = ?, durable_version = ? where name = ?", number, version, run)

    def checkpoint(self, run: str, name: str) -> dict[str, Any] | None:
        """The answer that a named checkpoint got."""
        rows = self._rows("select answer from checkpoint where run = ? and name = ?", run, name)
        return json.loads(rows[0][0]) if rows else None

    def checkpoints(self, run: str) -> list[dict[str, Any]]:
        """Answers of all named checkpoints, oldest update first."""
        rows = self._rows("select answer from checkpoint where run = ? order by number, name", run)
        return [json.loads(row[0]) for row in rows]
