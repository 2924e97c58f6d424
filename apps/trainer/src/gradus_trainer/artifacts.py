"""Immutable policies by weight digest: `<artifacts>/<digest>/` is a Hugging Face directory with an artifact.json."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import torch

from gradus_trainer.digest import weights_digest
from gradus_trainer.durable_file import new_directory, storage, write_file
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.gguf import convert, file_digest
from gradus_trainer.model.load import load_directory, save_directory, write_json
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.problem import Problem
from gradus_trainer.tokenizer import Tokenizer

Policy = tuple[Decoder, Tokenizer]


class Artifacts:
    """The artifacts directory. Nothing in it is ever changed, so writing the same digest twice is free."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.root.mkdir(parents=True, exist_ok=True)

    def publish(self, decoder: Decoder, tokenizer: Tokenizer, digest: str) -> Path:
        """Writes a policy under its digest and gives its directory."""
        return self.keep(digest, lambda path: write_artifact(path, decoder, tokenizer, digest))

    def keep(self, digest: str, write: Callable[[Path], None]) -> Path:
        """The directory of a digest, written first when it is not there."""
        path = self.root / digest
        if not (path / "artifact.json").exists():
            write(path)
        return path

    def find(self, digest: str) -> Path:
        """The directory of a policy that is there; its weights are not verified."""
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise Problem("field_invalid", "digest must be 64 hexadecimal digits", field="policy.digest")
        path = self.root / digest
        if not (path / "artifact.json").exists():
            raise Problem("policy_unavailable", f"there is no artifact {digest}", field="policy.digest")
        return path

    def load(self, digest: str, device: torch.device, compute: torch.dtype) -> Policy:
        """Reads a policy and verifies its digest."""
        decoder, tokenizer = load_directory(self.find(digest), device, compute)
        found = weights_digest(hugging_face_views(decoder))
        if found != digest:
            raise Problem("policy_unavailable", f"the artifact {digest} has the weights {found}", field="policy.digest")
        return decoder, tokenizer

    def load_gguf(self, file: Path, device: torch.device, compute: torch.dtype) -> Policy:
        """Reads a GGUF file; the first time it is dequantised to FP32 and kept here."""
        return self.load(self.gguf_digest(file), device, compute)

    def gguf_digest(self, file: Path) -> str:
        """Digest of the artifact that a GGUF file is, which is made the first time."""
        if not file.is_file():
            raise Problem("policy_unavailable", f"{file} is not a file", field="policy.path")
        note = self.root / f"gguf-{file_digest(file)}.json"
        if not note.exists():
            with new_directory(note.with_suffix(".converted")) as directory:
                convert(file, directory)
            decoder, tokenizer = load_directory(note.with_suffix(".converted"), torch.device("cpu"), torch.float32)
            digest = weights_digest(hugging_face_views(decoder))
            self.publish(decoder, tokenizer, digest)
            write_file(note, json.dumps({"format": FORMAT, "digest": digest}).encode())
            _remove(note.with_suffix(".converted"))
        return str(json.loads(note.read_text("utf-8"))["digest"])


def write_artifact(path: Path, decoder: Decoder, tokenizer: Tokenizer, digest: str) -> None:
    """Writes a policy as the artifact of its digest."""
    with storage(), new_directory(path) as directory:
        save_directory(directory, decoder, tokenizer)
        write_note(directory, digest, decoder.architecture.parameters)


def write_note(directory: Path, digest: str, parameters: int) -> None:
    """Writes the artifact.json that makes a Hugging Face directory an artifact."""
    write_json(directory / "artifact.json", {"format": FORMAT, "digest": digest, "parameters": parameters})


def _remove(directory: Path) -> None:
    for file in directory.iterdir():
        file.unlink()
    directory.rmdir()
