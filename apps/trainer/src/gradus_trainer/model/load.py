"""Hugging Face directories in and out: config.json, model.safetensors, tokenizer.json. Pickle is never read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from gradus_trainer.model.config import Architecture, architecture_from_config, config_document, read_config
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.problem import Problem
from gradus_trainer.tokenizer import Tokenizer, read_tokenizer
from gradus_trainer.versions import require_memory

TRAINING_BYTES = 14
"""Bytes a parameter needs at least while training: weight and gradient in FP32, two moments in BF16, and some room."""


def make_decoder(architecture: Architecture, device: torch.device, compute: torch.dtype) -> Decoder:
    """An uninitialised decoder, when it fits into memory."""
    table = architecture.max_positions * architecture.head_dim * 12
    require_memory(architecture.parameters * TRAINING_BYTES + table, device)
    return Decoder(architecture, device, compute)


def load_directory(directory: Path, device: torch.device, compute: torch.dtype) -> tuple[Decoder, Tokenizer]:
    """Reads a policy; weights of any float dtype become FP32."""
    config = read_config(directory)
    architecture = architecture_from_config(config)
    tokenizer = read_tokenizer(directory, config)
    decoder = make_decoder(architecture, device, compute)
    _fill(decoder, directory)
    return decoder, tokenizer


def _fill(decoder: Decoder, directory: Path) -> None:
    views = hugging_face_views(decoder)
    missing = set(views)
    for file in sorted(directory.glob("*.safetensors")):
        try:
            with safe_open(file, framework="pt") as tensors:
                for name in sorted(missing & set(tensors.keys())):
                    _copy(views[name], tensors.get_tensor(name), name)
                    missing.discard(name)
        except (SafetensorError, OSError) as error:
            raise Problem("policy_unavailable", f"{file.name} cannot be read: {error}", field="policy") from error
    if missing:
        raise Problem("policy_unavailable", f"{directory} has no weight {min(missing)}", field="policy")


def _copy(view: Tensor, tensor: Tensor, name: str) -> None:
    if tensor.shape != view.shape or not tensor.is_floating_point():
        detail = f"{name} is {tensor.dtype} {tuple(tensor.shape)}, expected floats {tuple(view.shape)}"
        raise Problem("policy_unavailable", detail, field="policy")
    view.copy_(tensor)


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes FP32 tensors as safetensors."""
    arrays = {name: tensor.detach().cpu().float().contiguous().numpy() for name, tensor in tensors.items()}
    save_file(arrays, path, metadata={"format": "pt"})


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Reads all tensors of a safetensors file."""
    with safe_open(path, framework="pt") as file:
        # safetensors files have keys() but cannot be iterated
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it cannot be iterated


def save_directory(directory: Path, decoder: Decoder, tokenizer: Tokenizer) -> None:
    """Writes a policy so that transformers, vLLM and `load_directory` read it."""
    document = config_document(decoder.architecture, tokenizer.pad, list(tokenizer.end))
    write_json(directory / "config.json", document)
    tokenizer.save(directory / "tokenizer.json")
    save_tensors(directory / "model.safetensors", hugging_face_views(decoder))


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Writes an object with sorted keys."""
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", "utf-8")
