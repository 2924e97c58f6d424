"""The border between this decoder's parameters and Hugging Face names: one name-to-view mapping for everything.

Initialising, loading, saving, digests and optimizer moments all go through `hugging_face_views`, so a fused matrix
never shows outside.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Block, Decoder

Of = Callable[[Tensor], Tensor]


def hugging_face_views(decoder: Decoder, of: Of = lambda parameter: parameter.detach()) -> dict[str, Tensor]:
    """Views by Hugging Face name, in name order. `of` maps a parameter to a tensor of its shape (itself, a moment)."""
    views = {"model.embed_tokens.weight": of(decoder.embedding), "model.norm.weight": of(decoder.final_norm)}
    if decoder.untied_head is not None:
        views["lm_head.weight"] = of(decoder.untied_head)
    for layer, block in enumerate(decoder.blocks):
        assert isinstance(block, Block)
        views |= {f"model.layers.{layer}.{name}": view for name, view in _block_views(block, of).items()}
    return dict(sorted(views.items()))


def _block_views(block: Block, of: Of) -> dict[str, Tensor]:
    query, key = block.heads * block.head_dim, block.kv_heads * block.head_dim
    gate, up = of(block.gate_up).chunk(2)
    views = {
        "input_layernorm.weight": of(block.input_norm),
        "post_attention_layernorm.weight": of(block.mlp_norm),
        "self_attn.o_proj.weight": of(block.out),
        "mlp.gate_proj.weight": gate,
        "mlp.up_proj.weight": up,
        "mlp.down_proj.weight": of(block.down),
    }
    for part, parameter in (("weight", block.qkv), ("bias", block.qkv_bias)):
        if parameter is not None:
            split = of(parameter).split((query, key, key))
            views |= {f"self_attn.{name}_proj.{part}": view for name, view in zip("qkv", split, strict=True)}
    if block.query_norm is not None and block.key_norm is not None:
        views["self_attn.q_norm.weight"] = of(block.query_norm)
        views["self_attn.k_norm.weight"] = of(block.key_norm)
    return views


def weight_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a checkpoint of this architecture must have; nothing is allocated."""
    skeleton = Decoder(architecture, torch.device("meta"), torch.float32)
    return {name: tuple(view.shape) for name, view in hugging_face_views(skeleton).items()}
