"""SHA-256 of weights and of files, spelled as the protocol spells them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from gradus_trainer.problem import Problem


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Digest of tensors by name, which are taken in name order."""
    return stream_digest((name, weights[name]) for name in sorted(weights))


def stream_digest(weights: Iterable[tuple[str, Tensor]]) -> str:
    """Digest of name-sorted FP32 tensors: name, 0, `float32`, 0, shape joined by commas, 0, little-endian bytes."""
    digest = hashlib.sha256()
    for name, weight in weights:
        tensor = weight.detach().to("cpu", torch.float32).contiguous()
        shape = ",".join(str(size) for size in tensor.shape)
        digest.update(name.encode() + b"\0float32\0" + shape.encode() + b"\0")
        digest.update(tensor.numpy().astype("<f4", copy=False).data)
    return digest.hexdigest()


def bytes_digest(body: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def content_digest(header: str | None) -> str | None:
    """The hexadecimal SHA-256 that a Content-Digest header (RFC 9530) states; None without a header."""
    if header is None:
        return None
    for member in header.split(","):
        name, _, value = member.strip().partition("=")
        if name == "sha-256" and len(value) > 2 and value[0] == value[-1] == ":":
            try:
                raw = base64.b64decode(value[1:-1], validate=True)
            except binascii.Error:
                break
            if len(raw) == hashlib.sha256().digest_size:
                return raw.hex()
    raise Problem("field_invalid", "Content-Digest must be sha-256=:<base64>:", field="Content-Digest")
