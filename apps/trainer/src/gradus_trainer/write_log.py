"""The bodies of updates that are not yet in a checkpoint, one file an update, written before anything is applied."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gradus_trainer.durable_file import storage, write_file
from gradus_trainer.problem import Problem
from gradus_trainer.seal import damaged

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""What every body ends with: the decoder refuses one that does not."""


class WriteLog:
    """The log of one run. Bodies are kept decompressed, as they were validated, each followed by its SHA-256.

    Files of earlier versions are the bodies alone. They are told by their last bytes: no flipped bit makes a digest
    the end of a stream, and the end of a stream that rots is taken for a digest, which it is not.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def _path(self, update: int) -> Path:
        return self._directory / f"{update:08d}.arrow"

    def write(self, update: int, body: bytes) -> None:
        """Makes a body durable."""
        with storage():
            write_file(self._path(update), body + hashlib.sha256(body).digest())

    def read(self, update: int) -> bytes:
        """The body of an update. One that is not as it was written is refused, by its name."""
        path = self._path(update)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise _damaged(path, "it is not there") from error
        if content.endswith(END_OF_STREAM):
            return content
        size = hashlib.sha256().digest_size
        body, digest = content[:-size], content[-size:]
        if hashlib.sha256(body).digest() != digest:
            raise _damaged(path, "its bytes are not those that were written")
        return body

    def drop(self, update: int) -> None:
        """Forgets one body, whose update was not applied."""
        self._path(update).unlink(missing_ok=True)

    def keep_between(self, durable: int, applied: int) -> None:
        """Forgets bodies that a checkpoint holds and those that were never applied."""
        for path in self._directory.iterdir():
            if path.suffix != ".arrow" or not durable < int(path.stem) <= applied:
                path.unlink()


def _damaged(path: Path, reason: str) -> Problem:
    return damaged("the log of updates", path, reason)
