"""python -m gradus_trainer.bench --shape 0.6b --part trainer: measures, writes JSON, prints a short table last."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

# Streams of changing length would else leave holes that nothing fits into. Read when torch is first asked for memory.
os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")

import torch

from gradus_trainer.bench import check, generator, step, trainer
from gradus_trainer.bench.rivals.process import LIMIT_SECONDS, Rivals
from gradus_trainer.bench.shapes import SHAPES
from gradus_trainer.bench.table import table
from gradus_trainer.versions import choose_device, prepare_torch

RIVALS = ("trl", "trl-vllm", "vllm")
PARTS = {"check": check, "trainer": trainer, "generator": generator, "step": step}
"""Modules with COLUMNS and run(shape, device, **options) -> results."""


def main() -> None:
    """Runs one part of one or several shapes."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s %(message)s")
    device = choose_device(arguments.device)
    prepare_torch(device, arguments.threads)
    part = PARTS[arguments.part]
    options: dict[str, Any] = {}
    if arguments.part == "trainer":
        options |= {"checkpointing": arguments.checkpointing, "profile": arguments.profile}
    results = [
        {"shape": shape, "part": arguments.part} | result
        for shape in arguments.shape
        for result in part.run(shape, device, **options, **_rivals(arguments))
    ]
    document = {"hardware": hardware(device), "torch": torch.__version__, "command": command(), "results": results}
    path = _output(arguments)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    # the table is what the command is for
    print(f"{document['hardware']}, torch {torch.__version__}")  # noqa: T201 - the table is what a bench is for
    print(table(results, ("shape", *part.COLUMNS)), flush=True)  # noqa: T201 - as above
    sys.exit(any(result.get("failed") for result in results))


def _rivals(arguments: argparse.Namespace) -> dict[str, Any]:
    """With their own time for each shape. A check has none."""
    return {} if arguments.part == "check" else {"rivals": Rivals(arguments.rivals, arguments.rival_seconds)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gradus_trainer.bench", description=__doc__)
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), required=True)
    parser.add_argument("--part", choices=list(PARTS), required=True)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--checkpointing", choices=["auto", "off", "selective", "full"], default="auto")
    parser.add_argument(
        "--rivals",
        nargs="*",
        choices=RIVALS,
        default=RIVALS,
        help="who is measured beside it, where installed; none where no name follows",
    )
    parser.add_argument(
        "--rival-seconds", type=float, default=LIMIT_SECONDS, help="what they may take together, by shape"
    )
    parser.add_argument("--profile", action="store_true", help="print where one update's time goes, and keep it")
    parser.add_argument(
        "--output", type=Path, help="file of the results; else $OUT/bench-PART-SHAPES.json where OUT is set"
    )
    return parser.parse_args()


def hardware(device: torch.device) -> str:
    """Name of the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"


def command() -> str:
    """The command as a reader would type it."""
    return " ".join(["python -m gradus_trainer.bench", *sys.argv[1:]])


def _output(arguments: argparse.Namespace) -> Path | None:
    if arguments.output is not None:
        given: Path = arguments.output
        return given
    folder: Any = os.environ.get("OUT")
    return Path(folder) / f"bench-{arguments.part}-{'-'.join(arguments.shape)}.json" if folder else None


if __name__ == "__main__":
    main()
