"""Bodies of updates that are wrong in one thing each."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from tests import tiny

Cells = dict[str, list[Any]]


def with_cells(change: Callable[[Cells], Any]) -> bytes:
    cells = tiny.columns()
    change(cells)
    return tiny.stream(tiny.table(cells, tiny.metadata()))


def with_row(column: str, row: int, value: Any) -> bytes:
    return with_cells(lambda cells: cells[column].__setitem__(row, value))


def with_column(name: str, values: list[Any]) -> bytes:
    return with_cells(lambda cells: cells.__setitem__(name, values))


def with_metadata(**changes: Any) -> bytes:
    stated = tiny.metadata() | changes
    return tiny.stream(tiny.table(tiny.columns(), {name: value for name, value in stated.items() if value is not None}))


def with_text(text: str) -> bytes:
    return tiny.stream(tiny.table(tiny.columns(), text))


def with_array(name: str, array: pa.Array) -> bytes:
    made = tiny.table(tiny.columns(), tiny.metadata())
    if name in made.column_names:
        return tiny.stream(made.set_column(made.column_names.index(name), name, array))
    return tiny.stream(made.append_column(name, array))


def with_token(row: int, place: int, column: str, value: Any) -> bytes:
    return with_cells(lambda cells: cells[column][row].__setitem__(place, value))


def file_format() -> bytes:
    made, sink = tiny.table(tiny.columns(), tiny.metadata()), pa.BufferOutputStream()
    with pa.ipc.new_file(sink, made.schema) as writer:
        writer.write_table(made)
    return sink.getvalue().to_pybytes()


def nested() -> pa.Array:
    array = pa.array([[1]] * 6, pa.list_(pa.int32()))
    for _ in range(30):
        array = pa.ListArray.from_arrays(pa.array(range(7), pa.int32()), array)
    return array


def patched(find: bytes, replace: bytes) -> bytes:
    body = tiny.update()
    assert find in body
    return body.replace(find, replace, 1)


def lying_offsets() -> bytes:
    offsets = struct.pack("<3i", 0, 1, 2)
    made = tiny.table({name: values[:2] for name, values in tiny.columns().items()}, tiny.metadata())
    body = tiny.stream(made)
    ids = made.column("token_ids").chunk(0).offsets.to_numpy().astype("<i4").tobytes()
    assert ids in body
    assert len(ids) == len(offsets)
    return body.replace(ids, struct.pack("<3i", 0, 5, 1 << 30))


def backward_offsets() -> bytes:
    made = tiny.table(tiny.columns(), tiny.metadata())
    ids = made.column("token_ids").chunk(0).offsets.to_numpy().astype("<i4")
    changed = ids.copy()
    changed[3] = 1
    return tiny.stream(made).replace(ids.tobytes(), changed.tobytes())


def dictionary() -> pa.Array:
    return pa.array([f"g{row}" for row in range(6)]).dictionary_encode()


class Point(pa.ExtensionType):
    """An extension type that only says its name."""

    def __init__(self) -> None:
        super().__init__(pa.float32(), "gradus.point")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: Any, serialized: bytes) -> Point:
        return cls()


def extension() -> pa.Array:
    return pa.ExtensionArray.from_storage(Point(), pa.array([1.0] * 6, pa.float32()))


def compressed() -> bytes:
    made = tiny.table(tiny.columns(), tiny.metadata())
    return tiny.stream(made, options=pa.ipc.IpcWriteOptions(compression="zstd"))


def untrained(cells: Cells) -> Cells:
    zero = [[0] * len(ids) for ids in cells["token_ids"]]
    return {"loss_mask": zero, "rollout_logprob": [[0.0] * len(ids) for ids in cells["token_ids"]]}


def too_long(length: int) -> bytes:
    changes = {"token_ids": [5] * length, "loss_mask": [0] * length, "rollout_logprob": [0.0] * length}
    return with_cells(lambda cells: [cells[name].__setitem__(3, value) for name, value in changes.items()])


def one_token() -> bytes:
    changes = {"token_ids": [5], "loss_mask": [0], "rollout_logprob": [0.0]}
    return with_cells(lambda cells: [cells[name].__setitem__(3, value) for name, value in changes.items()])


def with_twice() -> bytes:
    made = tiny.table(tiny.columns(), tiny.metadata())
    return tiny.stream(made.append_column("advantage", made.column("advantage")))


def with_other_key() -> bytes:
    made = tiny.table(tiny.columns(), tiny.metadata())
    return tiny.stream(made.replace_schema_metadata(dict(made.schema.metadata) | {b"pandas": b"{}"}))
