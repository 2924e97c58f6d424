"""The rows that a rank holds, from a seed or from a Hugging Face directory; no rank reads what it does not keep."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gradus_trainer.engine.torchrun.group import Group
from gradus_trainer.engine.torchrun.sharding import local, places, rows_here
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.initialise import initial
from gradus_trainer.model.weights import weight_shapes
from gradus_trainer.problem import Problem

Read = Callable[[str, int, int], Tensor]
"""(Hugging Face name, first row, end) -> these rows."""


@torch.no_grad()
def fill(decoder: Decoder, group: Group, read: Read) -> None:
    """Writes every row of this rank."""
    parameters = dict(decoder.named_parameters())
    for name, place in places(decoder).items():
        parameter = parameters[place.parameter]
        first, end = rows_here(parameter, group)
        start, stop = max(first, place.start), min(end, place.stop)
        if start < stop:
            rows = read(name, start - place.start, stop - place.start)
            local(parameter)[start - first : stop - first].copy_(rows)


def from_seed(decoder: Decoder, seed: int) -> Read:
    """Fresh weights, equal to those of one process: each tensor is made whole and cut."""
    shapes, std = weight_shapes(decoder.architecture), decoder.architecture.init_std
    return lambda name, start, stop: initial(name, shapes[name], std, seed)[start:stop]


class Weights:
    """The safetensors files of a directory, open while the context lasts."""

    def __init__(self, directory: Path, decoder: Decoder) -> None:
        self._directory = directory
        self._shapes = weight_shapes(decoder.architecture)
        self._files: dict[str, Any] = {}
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Weights:
        for path in sorted(self._directory.glob("*.safetensors")):
            try:
                file = self._open.enter_context(safe_open(path, framework="pt"))
            except (SafetensorError, OSError) as error:
                raise Problem("policy_unavailable", f"{path.name} cannot be read: {error}", field="policy") from error
            # safetensors files have keys() but cannot be iterated
            for name in file.keys():  # noqa: SIM118 - it cannot be iterated
                self._files.setdefault(name, file)
        missing = set(self._shapes) - set(self._files)
        if missing:
            raise Problem("policy_unavailable", f"{self._directory} has no weight {min(missing)}", field="policy")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._open.close()

    def rows(self, name: str, start: int, stop: int) -> Tensor:
        """Some rows of a weight, which must be floats of the architecture's shape."""
        view = self._files[name].get_slice(name)
        shape = tuple(view.get_shape())
        rows: Tensor = view[start:stop]
        if shape != self._shapes[name] or not rows.is_floating_point():
            detail = f"{name} is {rows.dtype} {shape}, expected floats {self._shapes[name]}"
            raise Problem("policy_unavailable", detail, field="policy")
        return rows
