"""The bodies of updates that are not yet in a checkpoint, one file an update, written before anything is applied."""

from __future__ import annotations

from pathlib import Path

from gradus_trainer.durable_file import storage, write_file


class WriteLog:
    """The log of one run. Bodies are kept decompressed, as they were validated."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def _path(self, update: int) -> Path:
        return self._directory / f"{update:08d}.arrow"

    def write(self, update: int, body: bytes) -> None:
        """Makes a body durable."""
        with storage():
            write_file(self._path(update), body)

    def read(self, update: int) -> bytes:
        """The body of an update."""
        return self._path(update).read_bytes()

    def drop(self, update: int) -> None:
        """Forgets one body, whose update was not applied."""
        self._path(update).unlink(missing_ok=True)

    def keep_between(self, durable: int, applied: int) -> None:
        """Forgets bodies that a checkpoint holds and those that were never applied."""
        for path in self._directory.iterdir():
            if path.suffix != ".arrow" or not durable < int(path.stem) <= applied:
                path.unlink()
