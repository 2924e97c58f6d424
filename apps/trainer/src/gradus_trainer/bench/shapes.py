"""Sizes of public models, to be filled with random weights, and what a step on them costs at least."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Decoder

PEAK = 989e12
"""Dense BF16 operations a second of an H100 or H200 SXM, by its data sheet."""


def _shape(
    family: str, sizes: tuple[int, int, int, int, int, int, int], *, tied: bool, positions: int = 16384
) -> Architecture:
    hidden, layers, heads, kv_heads, head_dim, intermediate, vocabulary = sizes
    return Architecture(
        family=family,
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=intermediate,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        norm_epsilon=1e-5,
        rope_theta=1e4,
        max_positions=positions,
        tied_embeddings=tied,
    )


SHAPES = {
    "tiny": _shape("llama", (64, 2, 4, 2, 16, 128, 512), tied=True, positions=4096),
    # SmolLM2-135M, Qwen3-0.6B, Qwen2.5-1.5B, Qwen3-4B, Llama-3.1-8B
    "135m": _shape("llama", (576, 30, 9, 3, 64, 1536, 49152), tied=True),
    "0.6b": _shape("qwen3", (1024, 28, 16, 8, 128, 3072, 151936), tied=True),
    "1.5b": _shape("qwen2", (1536, 28, 12, 2, 128, 8960, 151936), tied=True),
    "4b": _shape("qwen3", (2560, 36, 32, 8, 128, 9728, 151936), tied=True),
    "8b": _shape("llama", (4096, 32, 32, 8, 128, 14336, 128256), tied=False),
}


def random_decoder(architecture: Architecture, device: torch.device, compute: torch.dtype) -> Decoder:
    """A decoder with normal weights that are made on the device."""
    decoder = Decoder(architecture, device, compute)
    generator = torch.Generator(device).manual_seed(1)
    with torch.no_grad():
        for parameter in decoder.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 0.02, generator=generator)
            else:
                parameter.fill_(1.0)
    return decoder


def matrix_parameters(a: Architecture) -> int:
    """Parameters that every token is multiplied with: those of the layers and of the head, not of the embedding."""
    attention = a.hidden_size * a.head_dim * (2 * a.heads + 2 * a.kv_heads)
    return a.layers * (attention + 3 * a.hidden_size * a.intermediate_size) + a.hidden_size * a.vocab_size


def training_operations(a: Architecture, lengths: Sequence[int]) -> float:
    """Forward and backward: 6 a matrix parameter and token, and half of the attention's square (it is causal).

    Nothing that is computed again is counted.
    """
    attention = 6.0 * a.layers * a.heads * a.head_dim * sum(length * length for length in lengths)
    return 6.0 * matrix_parameters(a) * sum(lengths) + attention
