"""Fresh weights from a seed: normal matrices and embedding, norms of one, biases of zero."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.weights import hugging_face_views


def initialise(decoder: Decoder, seed: int) -> None:
    """Fills every parameter in place. Each has its own stream, named by seed and parameter, so order cannot matter."""
    for name, view in hugging_face_views(decoder).items():
        view.copy_(initial(name, tuple(view.shape), decoder.architecture.init_std, seed))


def initial(name: str, shape: tuple[int, ...], std: float, seed: int) -> Tensor:
    """The fresh value of one parameter by its Hugging Face name."""
    if name.endswith(("norm.weight", "layernorm.weight")):
        return torch.ones(shape)
    if name.endswith(".bias"):
        return torch.zeros(shape)
    return torch.randn(shape, generator=_stream(seed, name)) * std


def _stream(seed: int, name: str) -> torch.Generator:
    key = hashlib.sha256(f"gradus/init/{seed}/{name}".encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(key[:8], "little") >> 1)
