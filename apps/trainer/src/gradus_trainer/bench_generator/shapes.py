"""The policies that are measured: public shapes with random weights."""

from __future__ import annotations

import torch
from torch import nn

from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.rope import rope_table


def _shape(family: str, sizes: tuple[int, ...], tied: bool) -> Architecture:
    vocab, hidden, intermediate, layers, heads, kv_heads, head_dim = sizes
    return Architecture(
        family, vocab, hidden, intermediate, layers, heads, kv_heads, head_dim, 1e-6, 10000.0, 4096, tied
    )


SHAPES = {
    "tiny": _shape("llama", (1024, 128, 256, 2, 4, 2, 32), True),
    "135m": _shape("llama", (49152, 576, 1536, 30, 9, 3, 64), True),  # SmolLM2-135M
    "0.6b": _shape("qwen3", (151936, 1024, 3072, 28, 16, 8, 128), True),  # Qwen3-0.6B
    "1.5b": _shape("qwen2", (151936, 1536, 8960, 28, 12, 2, 128), True),  # Qwen2.5-1.5B
    "8b": _shape("llama", (128256, 4096, 14336, 32, 32, 8, 128), False),  # Llama-3.1-8B
}


def random_decoder(architecture: Architecture, device: torch.device, dtype: torch.dtype, seed: int = 0) -> Decoder:
    """A decoder whose matrices are in `dtype` from the start, so that no FP32 copy has to fit beside it."""
    decoder = Decoder(architecture, torch.device("meta"), dtype).requires_grad_(False)
    generator = torch.Generator(device).manual_seed(seed)
    for module in decoder.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.ndim > 1:
                made = torch.empty(parameter.shape, dtype=dtype, device=device)
                made.normal_(0.0, architecture.init_std, generator=generator)
            else:
                made = torch.full(parameter.shape, 0.0 if name == "qkv_bias" else 1.0, device=device)
            setattr(module, name, nn.Parameter(made, requires_grad=False))
    decoder.rope_cosine, decoder.rope_sine = rope_table(architecture, device)
    return decoder
