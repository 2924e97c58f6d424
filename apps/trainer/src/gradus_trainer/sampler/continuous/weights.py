"""The weights of a decoding step: the decoder's own parameters, never copies, except matrices that are kept in FP8."""

from __future__ import annotations

import dataclasses
from typing import Literal

import torch
from torch import Tensor

from gradus_trainer.model.decoder import Block, Decoder
from gradus_trainer.sampler.continuous.kernels import AttentionWeights, Scaled
from gradus_trainer.sampler.continuous.quantise import FP8, quantise_rows

Quantisation = Literal["none", "fp8"]
FP8_MULTIPLE = 16
"""Both sides of an FP8 product are multiples of this."""


class Projection:
    """One matrix [N, K]; `multiply` is x @ matrixᵀ. With FP8 it owns a quantised copy, else it reads the parameter."""

    def __init__(self, live_NK: Tensor, fp8: bool) -> None:
        self._live_NK = live_NK
        self.fp8 = fp8
        if fp8:
            self._values_NK = torch.empty(live_NK.shape, dtype=FP8, device=live_NK.device)
            self._scale_1N = torch.empty(1, live_NK.shape[0], device=live_NK.device)
            self.refresh()

    def refresh(self) -> None:
        """Quantises the live matrix again, in place; nothing to do when it is read itself."""
        if self.fp8:
            values_NK, scale_N1 = quantise_rows(self._live_NK)
            self._values_NK.copy_(values_NK)
            self._scale_1N.copy_(scale_N1.t())

    def multiply(self, x: Scaled, out_PN: Tensor) -> None:
        """x @ matrixᵀ into `out`, products in the dtype of x, sums in FP32."""
        if not self.fp8:
            torch.mm(x.values, self._live_NK.t(), out=out_PN)
            return
        assert x.scale is not None
        if out_PN.device.type == "cuda":
            torch._scaled_mm(
                x.values,
                self._values_NK.t(),
                x.scale,
                self._scale_1N,
                out_dtype=out_PN.dtype,
                use_fast_accum=True,
                out=out_PN,
            )
        else:
            # torch has no row-wise product on a CPU: the same numbers, multiplied in FP32.
            product = x.values.float() @ self._values_NK.float().t()
            out_PN.copy_(product * x.scale * self._scale_1N)


@dataclasses.dataclass(frozen=True)
class LayerWeights:
    """One block. Norms are FP32."""

    input_norm: Tensor
    qkv: Projection
    attention: AttentionWeights
    out: Projection
    mlp_norm: Tensor
    gate_up: Projection
    down: Projection


class StepWeights:
    """All weights of a decoder whose matrices are in its compute dtype. The head stays there."""

    def __init__(self, decoder: Decoder, quantisation: Quantisation) -> None:
        if decoder.embedding.dtype != decoder.compute:
            raise ValueError(f"matrices must be {decoder.compute} like the products, not {decoder.embedding.dtype}")
        self.embedding = decoder.embedding.detach()
        self.head = decoder.head.detach()
        self.final_norm = decoder.final_norm.detach()
        self.rope = (decoder.rope_cosine, decoder.rope_sine)
        self.layers = [_layer(block, quantisation == "fp8") for block in decoder.blocks]

    def refresh(self) -> None:
        """After the parameters changed: quantises again what is kept in FP8."""
        for layer in self.layers:
            for projection in (layer.qkv, layer.out, layer.gate_up, layer.down):
                projection.refresh()


def _layer(block: torch.nn.Module, fp8: bool) -> LayerWeights:
    assert isinstance(block, Block)

    def live(parameter: Tensor | None) -> Tensor | None:
        return None if parameter is None else parameter.detach()

    attention = AttentionWeights(live(block.qkv_bias), live(block.query_norm), live(block.key_norm), block.epsilon)
    return LayerWeights(
        block.input_norm.detach(),
        _projection(block.qkv, fp8),
        attention,
        _projection(block.out, fp8),
        block.mlp_norm.detach(),
        _projection(block.gate_up, fp8),
        _projection(block.down, fp8),
    )


def _projection(parameter: Tensor, fp8: bool) -> Projection:
    return Projection(parameter.detach(), fp8 and all(size % FP8_MULTIPLE == 0 for size in parameter.shape))
