"""How a batch runs through the decoder's layers: right-padded micro-batches on a CPU, packed bins on CUDA."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradus_trainer.engine.choose_attention import attention_named, choose_attention
from gradus_trainer.engine.micro_batch import MicroBatch, lay_out, padding_share, split_rows, token_limit
from gradus_trainer.engine.packed_batch import PackedBatch, lay_out_packed
from gradus_trainer.engine.packing import pack
from gradus_trainer.model.attention import causal_attention
from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.packed_block import packed_layer
from gradus_trainer.model.packed_forward import activation_bytes, block_shape, packed_hidden
from gradus_trainer.model.token_logprob import CUDA_CHUNK_LOGITS
from gradus_trainer.versions import free_memory
from gradus_trainer.wire.batch import Batch
from gradus_trainer.wire.run_body import CHECKPOINTING

log = logging.getLogger("gradus.trunk")


class Trained(Protocol):
    """What every layout says of its N trained tokens; `select_N` points into the flat hidden states."""

    select_N: Tensor
    target_N: Tensor
    temperature_N: Tensor | None
    sequence_N: Tensor
    flat_N: NDArray[np.int64]

    @property
    def positions(self) -> int:
        """Positions that are computed."""


class Trunk(Protocol):
    """Layout and forward pass of one decoder."""

    @property
    def attention(self) -> str:
        """Name of the attention kernel."""

    def lay_out(self, batch: Batch) -> list[Any]:
        """Micro-batches that together hold every row once."""

    def hidden(self, micro: Any) -> tuple[Tensor, Tensor | None]:
        """(hidden states, which of them belong to the trained tokens; None when those alone are given)."""

    def padding_share(self, batch: Batch) -> float:
        """Share of positions that hold no token of the batch."""


@dataclasses.dataclass(frozen=True)
class Padded:
    """Rows of like length side by side. The last layer drops what is not trained on."""

    decoder: Decoder
    tokens: int
    attention: str = "padded"

    def lay_out(self, batch: Batch) -> list[MicroBatch]:
        """See Trunk."""
        device = self.decoder.embedding.device
        return [lay_out(batch, rows, device) for rows in split_rows(batch.lengths, self.tokens)]

    def hidden(self, micro: MicroBatch) -> tuple[Tensor, Tensor | None]:
        """See Trunk."""
        rope = self.decoder.rope_from_start(micro.inputs_BT.shape[1])
        return self.decoder(micro.inputs_BT, rope, causal_attention, micro.select_N), None

    def padding_share(self, batch: Batch) -> float:
        """See Trunk."""
        return padding_share(batch, self.tokens)


@dataclasses.dataclass(frozen=True)
class Packed:
    """Streams of one static length."""

    decoder: Decoder
    tokens: int
    attention: str
    checkpointing: str
    compiled: bool

    def lay_out(self, batch: Batch) -> list[PackedBatch]:
        """See Trunk."""
        return lay_out_packed(batch, pack(batch.lengths - 1, self.tokens), self.decoder.embedding.device)

    def hidden(self, micro: PackedBatch) -> tuple[Tensor, Tensor | None]:
        """See Trunk."""
        mode = self.mode(len(micro.inputs_T)) if torch.is_grad_enabled() else "off"
        layer = packed_layer(block_shape(self.decoder), attention_named(self.attention), mode, self.compiled)
        stream = (micro.inputs_T, micro.positions_T, micro.offsets_S, micro.longest)
        return self.decoder.through(packed_hidden, layer, *stream), micro.select_N

    def mode(self, positions: int) -> str:
        """What of a stream of so many positions is computed again in backward."""
        if self.checkpointing != "auto" or self.decoder.embedding.device.type != "cuda":
            return "off" if self.checkpointing == "auto" else self.checkpointing
        needed = {mode: positions * activation_bytes(self.decoder, mode) for mode in CHECKPOINTING}
        return choose_checkpointing(_free_bytes(self.decoder), needed)

    def padding_share(self, batch: Batch) -> float:
        """See Trunk."""
        return pack(batch.lengths - 1, self.tokens).padding_share(batch.lengths - 1)


def trunk_of(decoder: Decoder, micro_batch_tokens: int, checkpointing: str = "auto") -> Trunk:
    """The trunk that suits the decoder's device."""
    device = decoder.embedding.device
    if device.type == "cpu":
        return Padded(decoder, token_limit(micro_batch_tokens, device))
    a = decoder.architecture
    attention = choose_attention(device, a.heads, a.kv_heads, a.head_dim, decoder.compute)
    # the plain attention asks for offsets on the host, which a compiled layer cannot
    return Packed(decoder, micro_batch_tokens, attention, checkpointing, compiled=attention != "plain")


def choose_checkpointing(free: int, needed: dict[str, int]) -> str:
    """The first mode that fits, from least to most computed again.

    Again in backward come: cheap element-wise work alone (off), the feed-forward part too, the whole layer.
    """
    return next((mode for mode in CHECKPOINTING if needed[mode] <= free), CHECKPOINTING[-1])


WHOLE_GRADIENT_SHARE = 0.125
"""A sharded policy keeps gradients whole between micro-batches, which spares communication, when they take no more."""


def whole_gradients_fit(architecture: Architecture, device: torch.device) -> bool:
    """Says whether a device has room for all gradients of a policy beside its own part of everything."""
    if device.type != "cuda":
        return True
    total = torch.cuda.get_device_properties(device).total_memory
    return 4 * architecture.parameters <= WHOLE_GRADIENT_SHARE * total


def _free_bytes(decoder: Decoder) -> int:
    """What activations may take: free memory less gradients, the head's chunk and matrices in the compute dtype."""
    device = decoder.embedding.device
    gradients, copies = _gradient_and_copy_bytes(decoder)
    head = 6 * CUDA_CHUNK_LOGITS + 8 * decoder.head.numel()
    return free_memory(device) - gradients - head - copies - (2 << 30)


def _gradient_and_copy_bytes(decoder: Decoder) -> tuple[int, int]:
    """Bytes of gradients that are still to come, and of parameters in the compute dtype."""
    architecture = decoder.architecture
    whole = architecture.parameters
    # a parameter that is cut over ranks says what is here
    here = sum(
        parameter.to_local().numel() if hasattr(parameter, "to_local") else parameter.numel()
        for parameter in decoder.parameters()
    )
    if here == whole:
        return (0 if decoder.embedding.grad is not None else 4 * whole), 2 * whole
    ends = architecture.vocab_size * architecture.hidden_size * (1 if architecture.tied_embeddings else 2)
    layer = (whole - ends) // architecture.layers
    kept = whole if whole_gradients_fit(architecture, decoder.embedding.device) else ends + 2 * layer
    # embedding and head stay gathered; of the layers one is computed while the next comes
    return 4 * (here + kept), 2 * (ends + 2 * layer)
