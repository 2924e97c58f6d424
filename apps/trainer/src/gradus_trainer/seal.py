"""What a directory held when it was written: a digest of each of its files, checked before any of them is believed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.problem import Problem

NAME = "seal.json"


def seal(directory: Path) -> None:
    """Writes the digests of all files of a directory beside them."""
    digests = {path.name: _digest(path) for path in sorted(directory.iterdir()) if path.name != NAME}
    (directory / NAME).write_text(json.dumps({"format": FORMAT, "files": digests}), "utf-8")


def check(directory: Path) -> None:
    """Refuses a directory of which a byte has changed, naming the file. One without a seal is older and believed."""
    path = directory / NAME
    if not directory.is_dir():
        raise _damaged(directory, "it is not there")
    if not path.exists():
        return
    try:
        stored = json.loads(path.read_text("utf-8"))
        files = stored["files"] if stored["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "it cannot be read") from error
    if not isinstance(files, dict):
        raise _damaged(path, "it is of another version")
    for found in directory.iterdir():
        if found.name != NAME and found.name not in files:
            raise _damaged(found, "it was not there when the checkpoint was written")
    for name, digest in files.items():
        file = directory / name
        if not file.is_file() or _digest(file) != digest:
            raise _damaged(file, "its bytes are not those that were written")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, reason: str) -> Problem:
    return damaged("a checkpoint", path, reason)


def damaged(what: str, path: Path, reason: str) -> Problem:
    """What is said of a file of the state directory that is not as it was written, with the way out."""
    way_out = (
        "remove the trainer's state directory and run again: the run directory has every update, and they are sent anew"
    )
    return Problem("policy_unavailable", f"{what} is damaged: {path}: {reason}; {way_out}", field=path.name)
