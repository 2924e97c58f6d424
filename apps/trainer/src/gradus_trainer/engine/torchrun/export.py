"""A sharded policy as a Hugging Face directory and as a digest: every rank gathers, rank 0 writes or hashes."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from gradus_trainer.artifacts import write_note
from gradus_trainer.digest import stream_digest
from gradus_trainer.durable_file import new_directory, storage
from gradus_trainer.engine.torchrun.group import Group
from gradus_trainer.engine.torchrun.sharding import full_tensors
from gradus_trainer.model.config import config_document
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.load import save_tensors, write_json
from gradus_trainer.tokenizer import Tokenizer

FILE_BYTES = 4 << 30
"""A file of weights is closed when it has so many: what rank 0 holds in host memory at once."""


@torch.no_grad()
def policy_digest(decoder: Decoder, group: Group) -> str:
    """Digest of the weights on rank 0, an empty text elsewhere."""
    tensors = full_tensors(decoder)
    if group.rank == 0:
        return stream_digest(tensors)
    for _ in tensors:
        pass
    return ""


class _Files:
    """Weights on their way into files of bounded size, then the index that transformers and vLLM read."""

    def __init__(self, directory: Path, most: int) -> None:
        self._directory, self._most = directory, most
        self._open: dict[str, Tensor] = {}
        self._bytes = self._total = 0
        self._written: list[list[str]] = []

    def add(self, name: str, tensor: Tensor) -> None:
        self._open[name] = tensor.to("cpu", torch.float32, copy=True)
        self._bytes += 4 * tensor.numel()
        if self._bytes >= self._most:
            self._flush()

    def _flush(self) -> None:
        save_tensors(self._directory / f"part-{len(self._written)}.safetensors", self._open)
        self._written.append(list(self._open))
        self._total += self._bytes
        self._open, self._bytes = {}, 0

    def close(self) -> None:
        if self._open:
            self._flush()
        count = len(self._written)
        places: dict[str, str] = {}
        for number, names in enumerate(self._written):
            file = "model.safetensors" if count == 1 else f"model-{number + 1:05d}-of-{count:05d}.safetensors"
            (self._directory / f"part-{number}.safetensors").rename(self._directory / file)
            places |= dict.fromkeys(names, file)
        if count > 1:
            index = {"metadata": {"total_size": self._total}, "weight_map": places}
            (self._directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")


@torch.no_grad()
def export(
    decoder: Decoder, tokenizer: Tokenizer, group: Group, path: Path, digest: str, *, file_bytes: int = FILE_BYTES
) -> None:
    """Writes an artifact. A full disk is told after all ranks have gathered, since none may leave the others alone."""
    tensors = full_tensors(decoder)
    try:
        if group.rank == 0:
            with storage(), new_directory(path) as directory:
                files = _Files(directory, file_bytes)
                for name, tensor in tensors:
                    files.add(name, tensor)
                files.close()
                write_json(
                    directory / "config.json",
                    config_document(decoder.architecture, tokenizer.pad, list(tokenizer.end)),
                )
                tokenizer.save(directory / "tokenizer.json")
                write_note(directory, digest, decoder.architecture.parameters)
    finally:
        for _ in tensors:
            pass
