"""What one update is told besides its rows: the JSON under the schema's metadata key."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gradus_trainer.generated.wire import METADATA_KEY, NORMALISER
from gradus_trainer.problem import Problem
from gradus_trainer.wire.fields import Fields
from gradus_trainer.wire.loss_spec import LossSpec, read_loss
from gradus_trainer.wire.strict_json import parse_object

if TYPE_CHECKING:
    import pyarrow as pa


@dataclasses.dataclass(frozen=True)
class UpdateSpec:
    """The metadata of an update, validated."""

    run: str
    update: int
    parent_version: int
    learning_rate: float
    loss: LossSpec
    normaliser: str
    denominator: float


def read_metadata(schema: pa.Schema) -> UpdateSpec:
    """Reads and validates the metadata of an update's schema."""
    metadata: dict[bytes, bytes] = dict(schema.metadata or {})
    text = metadata.pop(METADATA_KEY.encode(), None)
    if text is None:
        raise Problem("field_missing", f"the schema has no metadata key {METADATA_KEY}", field=METADATA_KEY)
    if metadata:
        name = next(iter(metadata)).decode(errors="replace")[:80]
        raise Problem("field_unknown", f"the schema metadata key {name!r} is not known", field=name)
    fields = Fields(parse_object(text, METADATA_KEY), METADATA_KEY)
    fields.format()
    spec = UpdateSpec(
        run=fields.text("run", 64),
        update=fields.integer("update", 1),
        parent_version=fields.integer("parent_version"),
        learning_rate=fields.number("learning_rate", low=0, high=1e6),
        loss=read_loss(fields.object("loss")),
        normaliser=fields.choice("normaliser", NORMALISER),
        denominator=fields.number("denominator", above=0),
    )
    fields.close()
    return spec
