"""python -m gradus_trainer.bench.merge FOLDER FILE...: joins results of one hardware into <date>-<hardware>.json."""

from __future__ import annotations

import argparse
import datetime
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Key = tuple[str, str, str]


def file_name(hardware: str, date: datetime.date) -> str:
    """2026-01-31-nvidia-h200.json."""
    slug = re.sub(r"[^a-z0-9]+", "-", hardware.lower()).strip("-")
    return f"{date.isoformat()}-{slug}.json"


def merge(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One document; of two results with the same shape, part and case the later one that was measured stays.

    Hardware must be one.
    """
    if len({document["hardware"] for document in documents}) != 1:
        raise ValueError("results of different hardware are different files")
    kept: dict[Key, dict[str, Any]] = {}
    for document in documents:
        source = {"command": document.get("command"), "torch": document.get("torch")}
        for result in document["results"]:
            own = {name: value for name, value in source.items() if value is not None}
            key = (result["shape"], result["part"], result["case"])
            if "skipped" not in result or key not in kept:
                kept[key] = own | result
    return {"hardware": documents[0]["hardware"], "results": list(kept.values())}


def main() -> None:
    """Reads, merges (with the file of the day, if it is there), writes."""
    parser = argparse.ArgumentParser(prog="gradus_trainer.bench.merge", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--date", type=datetime.date.fromisoformat, default=datetime.datetime.now(datetime.UTC).date())
    arguments = parser.parse_args()
    documents = [json.loads(file.read_text("utf-8")) for file in arguments.files]
    path = arguments.folder / file_name(documents[0]["hardware"], arguments.date)
    if path.exists():
        documents.insert(0, json.loads(path.read_text("utf-8")))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(merge(documents), indent=2) + "\n", "utf-8")
    # says what was written
    print(path)  # noqa: T201 - says which file it wrote


if __name__ == "__main__":
    main()
