"""
Executes notebooks headless and says which of their cells fail: those that raise, and those tagged `shows` that show
neither a picture nor HTML. notebooks.mjs calls it: notebooks.py OUT FOLDER NOTEBOOK... (kernels run in FOLDER, and are
found through JUPYTER_PATH).
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

RICH = ("image/png", "image/svg+xml", "text/html")
AFTER_IDLE = 0.3
SECONDS = 300


class TolerantClient(NotebookClient):
    """Reads what Deno's kernel says: `transient: null`, and outputs after it has said that it is idle."""

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        if msg["content"].get("transient", {}) is None:
            msg["content"]["transient"] = {}
        return super().process_message(msg, cell, cell_index)

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: Any, cell_index: int) -> None:
        await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        try:
            async with asyncio.timeout(AFTER_IDLE):
                await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        except TimeoutError:
            pass


def shows(cell: Any) -> bool:
    """Whether an output is a picture or a table; text alone is what says that there is nothing to show."""
    shown = (output.get("data", {}) for output in cell.outputs)
    return any(data.get(kind) for data in shown for kind in RICH)


def execute(source: Path, out: Path, folder: Path) -> list[str]:
    """Runs one notebook, keeps what it showed under `out`, and returns what is wrong with it."""
    notebook = nbformat.read(source, as_version=4)
    client = TolerantClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(folder)}})
    wrong = []
    done: set[str] = set()
    client.on_cell_executed = lambda cell, **_: done.add(cell.id)
    try:
        client.execute()
    except CellExecutionError as error:
        wrong.append(f"{source.name}: {error}")
    nbformat.write(notebook, out / source.name)
    tagged = [cell for cell in notebook.cells if "shows" in cell.metadata.get("tags", [])]
    empty = [cell.id for cell in tagged if cell.id in done and not shows(cell)]
    wrong += [f"{source.name}: cell {name} should show something and shows nothing" for name in empty]
    if not tagged:
        wrong.append(f"{source.name}: no cell is tagged `shows`, so nothing was checked")
    return wrong


def main() -> int:
    out, folder, *sources = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for source in sources:
        wrong = execute(source, out, folder)
        sys.stdout.write("".join(f"{line}\n" for line in wrong) or f"{source.name}: ok\n")
        sys.stdout.flush()
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
