"""A shared directory: the weights appear there as a whole checkpoint, and the engine reloads from it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file

from gradus_trainer.durable_file import new_directory
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.model.config import config_document
from gradus_trainer.model.load import write_json
from gradus_trainer.publish.control import Control
from gradus_trainer.publish.failure import PublishFailed
from gradus_trainer.publish.staged import Staged

NEEDED = frozenset({"/collective_rpc"})


async def send(control: Control, run: LiveRun, staged: Staged, directory: Path, writing: asyncio.Lock) -> None:
    """Writes `<directory>/<run>-<version>`, lets the engine read it, then removes those of other versions."""
    place = directory / f"{run.name}-{staged.version}"
    try:
        async with writing:
            await asyncio.to_thread(write, place, run, staged)
    except (OSError, SafetensorError) as error:
        raise PublishFailed("update", f"{place} cannot be written: {error}") from error
    reload = {"method": "reload_weights", "kwargs": {"weights_path": str(place)}}
    await control.call("update", "POST", "/collective_rpc", reload)
    await asyncio.to_thread(_remove_others, place, run.name)


def write(place: Path, run: LiveRun, staged: Staged) -> None:
    """A Hugging Face directory in the staged dtype; another engine may have had it written already."""
    if (place / "model.safetensors").exists():
        return
    with new_directory(place) as made:
        document = config_document(run.architecture, run.tokenizer.pad, list(run.tokenizer.end))
        write_json(made / "config.json", document)
        run.tokenizer.save(made / "tokenizer.json")
        tensors = {name: tensor.cpu().contiguous() for name, tensor in staged.tensors.items()}
        save_file(tensors, made / "model.safetensors", metadata={"format": "pt"})


def _remove_others(place: Path, run: str) -> None:
    for other in place.parent.glob(f"{run}-*"):
        if other != place and other.name.removeprefix(f"{run}-").isdigit():
            shutil.rmtree(other, ignore_errors=True)
