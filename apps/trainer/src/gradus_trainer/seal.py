"""What a directory held when it was written: a digest of each of its files, checked before any of them is believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.problem import Problem

NAME = "seal.json"


def seal(directory: Path, known: Mapping[str, str] | None = None) -> None:
    """Writes the digests of all files of a directory beside them; `known` ones were told by who wrote the files."""
    told = known or {}
    names = sorted(path.name for path in directory.iterdir() if path.name != NAME)
    if unseen := told.keys() - set(names):
        raise FileNotFoundError(f"{directory / min(unseen)} was written and cannot be seen here")
    digests = {name: told[name] if name in told else file_digest(directory / name) for name in names}
    (directory / NAME).write_text(json.dumps({"format": FORMAT, "files": digests}), "utf-8")


def check(directory: Path) -> None:
    """Refuses a directory of which a byte has changed, naming the file. One without a seal is older and believed."""
    verify(directory, sealed(directory))


def sealed(directory: Path) -> dict[str, str]:
    """Digests by name, when these and no other files are there; none without a seal."""
    path = directory / NAME
    if not directory.is_dir():
        raise _damaged(directory, "it is not there")
    if not path.exists():
        return {}
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
    for name in files:
        if not (directory / name).is_file():
            raise _damaged(directory / name, "it is not there")
    return files


def verify(directory: Path, digests: Mapping[str, str]) -> None:
    """Reads these files and refuses the first whose bytes are others."""
    for name, digest in digests.items():
        if file_digest(directory / name) != digest:
            raise _damaged(directory / name, "its bytes are not those that were written")


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
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
