"""Checks a device before anything is timed on it: gradients of every layout and steps of both optimizers against FP32.

The reference is the CPU's padded layout in FP32. What is checked runs as the service runs it: packed, compiled, BF16.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradus_trainer.bench.batches import random_batch
from gradus_trainer.bench.shapes import SHAPES, random_decoder
from gradus_trainer.engine.choose_attention import choose_attention
from gradus_trainer.engine.step import objective_of, token_columns
from gradus_trainer.engine.trunk import Packed, Padded, Trunk
from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.head_loss import Targets, head_loss
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.wire.batch import Batch
from gradus_trainer.wire.loss_spec import Importance, LossSpec
from gradus_trainer.wire.metadata import UpdateSpec
from gradus_trainer.wire.run_body import CHECKPOINTING, OptimizerSpec

COLUMNS = ("case", "error", "bound", "failed")
GRADIENT_BOUND, STEP_BOUND = 0.03, 0.02
"""Relative distance in the norm: BF16 products, and BF16 moments."""
LOSSES = {
    # bounds that no ratio reaches: at a bound BF16 and FP32 may stand on different sides
    "clipped": LossSpec("clipped", 1.0, 1e3),
    "gspo with entropy": LossSpec("gspo", 1.0, 1e3, 0.0, 0.01, Importance("truncate", high=2.0)),
}
LENGTHS = (300, 17, 129, 256, 64, 500, 2, 77)


def run(shape: str, device: torch.device) -> list[dict[str, Any]]:
    """One line a check. The heads are those of the shape; the rest is small."""
    results = []
    whole = SHAPES[shape]
    small = dataclasses.replace(
        whole, layers=3, vocab_size=1003, intermediate_size=512, hidden_size=256, max_positions=1024
    )
    compute = torch.bfloat16 if device.type == "cuda" else torch.float32
    attention = choose_attention(device, whole.heads, whole.kv_heads, whole.head_dim, compute)
    for name, loss in LOSSES.items():
        batch = _batch(small)
        exact = random_decoder(small, torch.device("cpu"), torch.float32)
        expected = _gradients(exact, Padded(exact, 2048), batch, loss)
        for mode in CHECKPOINTING if name == "clipped" else ("off",):
            decoder = copy.deepcopy(exact).to(device)
            decoder.compute = compute
            trunk = Packed(decoder, 1024, attention, mode, compiled=attention != "plain")
            error = _distance(_gradients(decoder, trunk, batch, loss), expected)
            results.append(_line(f"{name}, {attention}, {mode}", error, GRADIENT_BOUND))
    return results + [_optimizer(small, device, moments) for moments in ("float32", "bfloat16")]


def _batch(architecture: Architecture) -> Batch:
    batch = random_batch(np.array(LENGTHS), architecture.vocab_size)
    temperature = np.linspace(0.7, 1.4, batch.rows).astype(np.float32)
    mask = batch.loss_mask * (np.arange(len(batch.loss_mask)) % 3 != 0)
    return dataclasses.replace(batch, temperature=temperature, loss_mask=mask.astype(np.uint8))


def _gradients(decoder: Decoder, trunk: Trunk, batch: Batch, loss: LossSpec) -> list[Tensor]:
    columns = token_columns(batch, UpdateSpec("check", 1, 0, 0.0, loss, "tokens", 100.0))
    for micro in trunk.lay_out(batch):
        hidden, select_N = trunk.hidden(micro)
        settings = (decoder.compute, loss.whole_sequences, loss.entropy_coef > 0)
        targets = Targets(micro.target_N, micro.temperature_N, select_N, *settings)
        head_loss(hidden, decoder.head, targets, objective_of(loss, columns, micro))[0].backward()
    return [parameter.grad.cpu() for parameter in decoder.parameters() if parameter.grad is not None]


def _optimizer(architecture: Architecture, device: torch.device, moments: str) -> dict[str, Any]:
    """Three clipped steps on the device against FP32 moments on the CPU."""
    exact = random_decoder(architecture, torch.device("cpu"), torch.float32)
    decoder = copy.deepcopy(exact).to(device)
    before = [parameter.detach().clone() for parameter in exact.parameters()]
    spec = OptimizerSpec(0.9, 0.95, 1e-8, 0.1, 1.0)
    pairs = [
        (exact, Optimizer(exact, spec)),
        (decoder, Optimizer(decoder, dataclasses.replace(spec, moments=moments))),
    ]
    for seed in range(3):
        for made, optimizer in pairs:
            generator = torch.Generator().manual_seed(seed)
            for parameter in made.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator).to(parameter.device)
            optimizer.step(1e-2, optimizer.gradient_norm())
    moved = [
        [p.detach().cpu() - start for p, start in zip(made.parameters(), before, strict=True)] for made, _ in pairs
    ]
    return _line(f"adamw, {moments} moments", _distance(moved[1], moved[0]), STEP_BOUND)


def _distance(found: list[Tensor], expected: list[Tensor]) -> float:
    pairs = list(zip(found, expected, strict=True))
    return max(float((mine.float() - other).norm() / other.norm().clamp(min=1e-12)) for mine, other in pairs)


def _line(case: str, error: float, bound: float) -> dict[str, Any]:
    # NaN is a failure too
    return {"case": case, "error": float(f"{error:.3g}"), "bound": bound, "failed": not error < bound}
