"""Where to publish to: one engine, how the weights get there, and how near its log-probabilities must be."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import urlsplit

from gradus_trainer.problem import Problem
from gradus_trainer.wire.fields import Fields

MAX_TARGETS = 64
TOLERANCE = 0.05
"""Mean |log-probability difference| that BF16 kernels of two programs stay well below, and wrong weights do not."""
TRANSPORT = ["auto", "ipc", "nccl", "directory"]
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclasses.dataclass(frozen=True)
class Target:
    """`url` has no path and no trailing slash. `model` None: the only one that the engine serves."""

    url: str
    transport: str
    directory: Path | None
    model: str | None
    api_key: str | None
    tolerance: float


def read_targets(fields: Fields) -> list[Target]:
    """The `targets` of a publish body: at least one, no engine twice."""
    values = fields.array("targets", MAX_TARGETS)
    if not values:
        raise fields.refuse("targets", "must not be empty")
    targets = [_read_target(Fields(value, f"targets[{index}]")) for index, value in enumerate(values)]
    if len({target.url for target in targets}) != len(targets):
        raise fields.refuse("targets", "names the same url twice")
    return targets


def _read_target(fields: Fields) -> Target:
    fields.choice("kind", ["vllm"])
    url = fields.text("url").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise fields.refuse("url", "must be http(s)://HOST[:PORT]")
    transport = fields.choice("transport", TRANSPORT, default="auto")
    if transport == "ipc" and parts.hostname not in LOOPBACK:
        raise fields.refuse("transport", "ipc shares memory of one host: the url must be on loopback")
    directory = _optional_text(fields, "directory")
    if directory is not None and not Path(directory).is_absolute():
        raise fields.refuse("directory", "must be an absolute path")
    if transport == "directory" and directory is None:
        raise Problem("field_missing", f"{fields.path('directory')} is missing", field=fields.path("directory"))
    target = Target(
        url,
        transport,
        None if directory is None else Path(directory),
        _optional_text(fields, "model"),
        _optional_text(fields, "api_key"),
        fields.number("tolerance", above=0, default=TOLERANCE),
    )
    fields.close()
    return target


def _optional_text(fields: Fields, name: str) -> str | None:
    if not fields.has(name):
        fields.skip(name)
        return None
    return fields.text(name)
