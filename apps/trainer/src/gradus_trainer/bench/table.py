"""Results as a short table of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def table(results: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """One line a result; a result that was skipped says why."""
    rows = [list(columns)]
    for result in results:
        cells = [str(result.get(column, "")) for column in columns]
        rows.append([cells[0], f"skipped: {result['skipped']}"] if "skipped" in result else cells)
    widths = [max(len(row[index]) for row in rows if len(row) == len(columns)) for index in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    return "\n".join(lines)
