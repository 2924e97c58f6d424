"""Hidden states of a packed stream: embedding, the shared layer function over every layer, the final norm."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gradus_trainer.model.decoder import Block, Decoder
from gradus_trainer.model.packed_block import BlockShape, Layer, weights_of


def block_shape(decoder: Decoder) -> BlockShape:
    """What the layers of a decoder are specialised for."""
    a = decoder.architecture
    return BlockShape(a.heads, a.kv_heads, a.head_dim, a.norm_epsilon, decoder.compute)


def _run_layer(block: Block, layer: Layer, x_TH: Tensor, *stream: Any) -> Tensor:
    return layer(x_TH, weights_of(block), *stream)


def packed_hidden(
    decoder: Decoder, layer: Layer, inputs_T: Tensor, positions_T: Tensor, offsets_S: Tensor, longest: int
) -> Tensor:
    """[T] token ids to [T, H] after the final norm, in the compute dtype."""
    x_TH = F.embedding(inputs_T, decoder.embedding).to(decoder.compute)
    cosine_TD, sine_TD = decoder.rope_cosine[positions_T], decoder.rope_sine[positions_T]
    for block in decoder.blocks:
        assert isinstance(block, Block)
        x_TH = block.through(_run_layer, layer, x_TH, cosine_TD, sine_TD, offsets_S, longest)
    weight = decoder.final_norm
    normed_TH = F.rms_norm(x_TH.float(), weight.shape, weight.float(), decoder.architecture.norm_epsilon)
    return normed_TH.to(decoder.compute)


def activation_bytes(decoder: Decoder, checkpointing: str) -> int:
    """Bytes that backward keeps of each token, about: what the layers save and one layer's work."""
    a, size = decoder.architecture, torch.empty((), dtype=decoder.compute).element_size()
    query, key = a.heads * a.head_dim, a.kv_heads * a.head_dim
    attention = 2 * a.hidden_size + 3 * query + 4 * key
    ends = 2 * a.hidden_size
    feed_forward = a.hidden_size + 3 * a.intermediate_size
    kept = {"off": attention + ends + feed_forward, "selective": attention + ends, "full": a.hidden_size}[checkpointing]
    return size * (a.layers * kept + 2 * (attention + ends + feed_forward))
