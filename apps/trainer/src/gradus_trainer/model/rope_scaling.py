"""How Llama 3.1 and later stretch the rotary embedding over positions that pretraining did not see (rope type llama3).

Angles that turn often within the length of pretraining stay, those that do not turn once are slowed by `factor`, and
those between are mixed linearly in the number of turns (The Llama 3 Herd of Models, arXiv 2407.21783; config.json).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from torch import Tensor

KIND = "llama3"


@dataclasses.dataclass(frozen=True)
class Llama3Scaling:
    """`low` and `high` count turns within `original_positions`, the length of pretraining."""

    factor: float
    low: float
    high: float
    original_positions: int

    def __post_init__(self) -> None:
        if not (all(map(math.isfinite, (self.factor, self.low, self.high))) and self.factor >= 1):
            raise ValueError("the factor of a llama3 rope must be finite and at least 1")
        if not 0 < self.low < self.high or self.original_positions < 1:
            raise ValueError("a llama3 rope needs 0 < low_freq_factor < high_freq_factor and original positions")

    def slow(self, frequency: Tensor) -> Tensor:
        """Radians a position, before and after."""
        turns = self.original_positions * frequency / (2 * math.pi)
        kept = ((turns - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
        return frequency * (kept + (1.0 - kept) / self.factor)

    def document(self) -> dict[str, Any]:
        """Its keys in a config.json."""
        return {
            "rope_type": KIND,
            "factor": self.factor,
            "low_freq_factor": self.low,
            "high_freq_factor": self.high,
            "original_max_position_embeddings": self.original_positions,
        }


def read_scaling(rope: dict[str, Any], kind: str) -> Llama3Scaling | None:
    """The scaling that config.json states; what is not computed here is refused, never ignored."""
    if kind == "default":
        return None
    if kind != KIND:
        raise ValueError(f"rope type {kind!r} is not supported")
    original = rope["original_max_position_embeddings"]
    if isinstance(original, bool) or not isinstance(original, int):
        raise ValueError("original_max_position_embeddings must be an integer")
    factor, low, high = (float(rope[name]) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    return Llama3Scaling(factor, low, high, original)
