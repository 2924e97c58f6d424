"""A run directory in polars: its metrics and its completions (docs/run-directory.md says what the columns are)."""

import os
from pathlib import Path

import polars as pl


def find(runs: str = "../runs") -> Path:
    """GRADUS_RUN, else the newest run in a directory of runs."""
    named = os.environ.get("GRADUS_RUN")
    return Path(named) if named else max(Path(runs).glob("*/events.ndjson"), key=lambda one: one.stat().st_mtime).parent


def read_metrics(run: Path) -> pl.DataFrame:
    """One row a stage and step, a column a metric; null where it is not defined or the stage does not measure it."""
    return pl.read_ndjson(run / "metrics.ndjson", infer_schema_length=None).unnest("metrics")


def read_rollouts(run: Path) -> pl.DataFrame:
    """One row a trained completion, of all steps."""
    return pl.concat(pl.read_parquet(file) for file in sorted(run.glob("steps/*/rollouts.parquet")))
