"""Replays a run directory into Weights & Biases: `python wandb_replay.py RUN [--project P] [--entity E]`.

Needs the package wandb and nothing of ours. The W&B run has the run's name as its identity, and each line of
metrics.ndjson its number as W&B's step: a second replay of a run that went on adds what is new.
WANDB_MODE=offline writes a directory for `wandb sync`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import wandb

# W&B takes no longer identity; a run's name ends in the digest, which is what tells runs apart
ID_LENGTH = 64


def lines(file: Path) -> list[dict[str, Any]]:
    """Whole lines: the last one of a run that goes on may be half written."""
    text = file.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def axis_of(row: dict[str, Any]) -> str:
    """Name of the count of steps that a row's metrics are drawn over."""
    return "step" if row["stage"] == "train" else f"{row['stage']}/step"


def spelt(row: dict[str, Any]) -> dict[str, float]:
    """Metrics of training under their names, others below their stage."""
    stage = row["stage"]
    below = "" if stage == "train" else f"{stage}/"
    named = {
        name if name.startswith(f"{stage}/") else below + name: value
        for name, value in row["metrics"].items()
        if value is not None
    }
    return {**named, axis_of(row): row["step"]}


def evaluations(run: Path) -> list[dict[str, Any]]:
    """Readings of all evaluation sets, the last step of each set last."""
    files = sorted((run / "eval").glob("*/*.json"))
    return [json.loads(file.read_text(encoding="utf-8"))["reading"] for file in files]


def replay(run: Path, project: str, entity: str | None, directory: str | None) -> None:
    """Sends what W&B does not have yet, and the summary."""
    manifest = json.loads((run / "resolved.json").read_text(encoding="utf-8"))["manifest"]
    lineage = json.loads((run / "lineage.json").read_text(encoding="utf-8"))
    config = {**manifest, "gradus": {"commit": lineage["commit"], "device": lineage["trainer"]["device"]}}
    rows = lines(run / "metrics.ndjson")
    known = {"id": run.name[-ID_LENGTH:], "name": run.name, "resume": "allow"}
    with wandb.init(project=project, entity=entity, dir=directory, config=config, **known) as tracked:
        axes = {name: axis_of(row) for row in rows for name in spelt(row)}
        for name, axis in axes.items():
            if name != axis:
                tracked.define_metric(name, step_metric=axis)
        for number, row in enumerate(rows):
            # `step` is that of a run which is resumed online: earlier lines are there
            if number >= tracked.step:
                tracked.log(spelt(row), step=number)
        for reading in evaluations(run):
            if reading["accuracy"] is not None:
                tracked.summary[f"eval/{reading['set']}/accuracy"] = reading["accuracy"]
        tracked.summary["finished"] = (run / "report.html").exists()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Replay a run directory of Gradus into Weights & Biases.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--project", default="gradus")
    parser.add_argument("--entity")
    parser.add_argument("--dir", help="where W&B keeps its files")
    given = parser.parse_args()
    replay(given.run.resolve(), given.project, given.entity, given.dir)
