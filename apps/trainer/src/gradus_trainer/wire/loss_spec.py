"""Which loss an update has: the `loss` member of its metadata."""

from __future__ import annotations

import dataclasses
import math

from gradus_trainer.generated.wire import IMPORTANCE, LOSS
from gradus_trainer.wire.fields import Fields


@dataclasses.dataclass(frozen=True)
class Importance:
    """How far the policy before the update may be from the sampler: bounds of exp(o − m), see losses/importance.py."""

    kind: str = "none"
    low: float = 0.0
    high: float = math.inf


@dataclasses.dataclass(frozen=True)
class LossSpec:
    """A loss and its settings; none but `kind` matter for `cross_entropy`."""

    kind: str
    clip_low: float = 0.0
    clip_high: float = 0.0
    kl_coef: float = 0.0
    entropy_coef: float = 0.0
    importance: Importance = Importance()

    @property
    def whole_sequences(self) -> bool:
        """Says whether a token's loss depends on the other tokens of its sequence."""
        return self.kind == "gspo" or self.importance.kind == "sequence_mask"


def read_loss(fields: Fields) -> LossSpec:
    """Reads and validates `loss`."""
    kind = fields.choice("kind", LOSS)
    if kind == "cross_entropy":
        spec = LossSpec(kind)
    else:
        spec = LossSpec(
            kind,
            clip_low=fields.number("clip_low", low=0, high=1e6),
            clip_high=fields.number("clip_high", low=0, high=1e6),
            kl_coef=fields.number("kl_coef", low=0, high=1e6),
            entropy_coef=fields.number("entropy_coef", low=0, high=1e6, default=0.0),
            importance=_read_importance(fields),
        )
    fields.close()
    return spec


def _read_importance(loss: Fields) -> Importance:
    if not loss.has("importance"):
        loss.skip("importance")
        return Importance()
    fields = loss.object("importance")
    kind = fields.choice("kind", IMPORTANCE)
    spec = Importance()
    if kind == "truncate":
        spec = Importance(kind, high=fields.number("cap", above=0, high=1e6))
    elif kind != "none":
        low = fields.number("low", low=0, high=1e6)
        spec = Importance(kind, low, fields.number("high", above=low, high=1e6))
    fields.close()
    return spec
