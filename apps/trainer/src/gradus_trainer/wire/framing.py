"""Walks an Arrow stream message by message and refuses what the protocol does not allow, before pyarrow sees a byte.

Layout (Arrow columnar format, "Encapsulated message format"): 0xFFFFFFFF, metadata length, FlatBuffers `Message`, body;
0xFFFFFFFF 00000000 ends the stream. Nothing is allocated here that a length field asks for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from gradus_trainer.problem import Problem
from gradus_trainer.wire.flatbuffer import Malformed, Table

MAX_MESSAGES = 4096
MAX_METADATA = 1 << 20
SCHEMA, DICTIONARY, RECORD_BATCH = 1, 2, 3
# Type of a field by its union code in Schema.fbs, and buffers it has in a record batch.
INT, FLOATING_POINT, UTF8, LIST = 2, 3, 5, 12
BUFFERS = {INT: 2, FLOATING_POINT: 2, UTF8: 3, LIST: 2}


@dataclasses.dataclass(frozen=True)
class _Layout:
    nodes: int
    buffers: int


def check_stream(body: bytes, columns: Mapping[str, str]) -> None:
    """Refuses a body that is not one plain Arrow stream of known columns. `columns` maps names to protocol types."""
    if body[:6] == b"ARROW1":
        raise _malformed("this is Arrow's file format; send the stream format")
    view = memoryview(body)
    try:
        _walk(view, columns)
    except Malformed as error:
        raise _malformed(str(error)) from error


def _malformed(detail: str, field: str = "body") -> Problem:
    return Problem("arrow_malformed", detail, field=field)


def _walk(view: memoryview, columns: Mapping[str, str]) -> None:
    position, layout = 0, None
    for _ in range(MAX_MESSAGES):
        prefix = view[position : position + 8]
        if len(prefix) < 8:
            raise Malformed("the stream is cut: no end of stream")
        if bytes(prefix[:4]) != b"\xff\xff\xff\xff":
            raise Malformed("a message does not begin with the continuation marker")
        size = int.from_bytes(prefix[4:], "little", signed=True)
        position += 8
        if size == 0:
            return _end(view, position, layout)
        if size < 0 or size > MAX_METADATA or size % 8 or position + size > len(view):
            raise Malformed(f"a message claims {size} bytes of metadata")
        message = Table.root(view[position : position + size])
        position += size
        length = message.scalar(3, "<q")
        if length < 0 or length > len(view) - position:
            raise Malformed(f"a message claims a body of {length} bytes, {len(view) - position} are left")
        layout = _check_message(message, layout, length, columns)
        position += length
    raise Malformed(f"more than {MAX_MESSAGES} messages")


def _end(view: memoryview, position: int, layout: _Layout | None) -> None:
    if layout is None:
        raise Malformed("the stream has no schema")
    if position != len(view):
        raise Malformed(f"{len(view) - position} bytes follow the end of the stream")


def _check_message(message: Table, layout: _Layout | None, length: int, columns: Mapping[str, str]) -> _Layout:
    kind, header = message.scalar(1, "<B"), message.table(2)
    if message.scalar(0, "<h") != 4 or header is None:
        raise Malformed("a message is not of metadata version 5")
    if kind == SCHEMA and layout is None:
        if length:
            raise Malformed("the schema message has a body")
        return _check_schema(header, columns)
    if kind == RECORD_BATCH and layout is not None:
        _check_batch(header, layout, length)
        return layout
    if kind == DICTIONARY:
        raise Malformed("dictionary batches are refused")
    raise Malformed(f"a message of kind {kind} is out of place")


def _check_schema(schema: Table, columns: Mapping[str, str]) -> _Layout:
    if schema.scalar(0, "<h") != 0:
        raise Malformed("big-endian buffers are refused")
    seen: set[str] = set()
    nodes = buffers = 0
    for field in schema.tables(1):
        name = field.text(0) or ""
        if name not in columns:
            raise Problem("field_unknown", f"the column {name[:80]!r} is not known", field=name[:80])
        if name in seen:
            raise Problem("field_invalid", f"the column {name} is there twice", field=name)
        seen.add(name)
        kind = _type_name(field, name)
        if kind != columns[name]:
            raise Problem("field_type", f"{name} must be {columns[name]}, not {kind}", field=name)
        nodes += 2 if kind.startswith("list") else 1
        buffers += {"list": 4, "utf8": 3}.get(kind.partition("<")[0], 2)
    return _Layout(nodes, buffers)


def _type_name(field: Table, column: str, depth: int = 0) -> str:
    """The protocol's name of a field's type; anything that has none is named by its code."""
    if field.table(4) is not None:
        raise Problem("field_type", f"{column} is dictionary-encoded", field=column)
    for pair in field.tables(6):
        if (pair.text(0) or "").startswith("ARROW:extension"):
            raise Problem("field_type", f"{column} is an extension type", field=column)
    kind, detail, children = field.scalar(2, "<B"), field.table(3), field.tables(5)
    if detail is None:
        raise Malformed(f"{column} has no type")
    if kind == LIST and depth == 0 and len(children) == 1:
        return f"list<{_type_name(children[0], column, 1)}>"
    if children:
        return f"nested type {kind}"
    if kind == INT:
        return f"{'int' if detail.scalar(1, '<B') else 'uint'}{detail.scalar(0, '<i')}"
    if kind == FLOATING_POINT:
        return {0: "float16", 1: "float32", 2: "float64"}.get(detail.scalar(0, "<h"), "float")
    return "utf8" if kind == UTF8 else f"type {kind}"


def _check_batch(batch: Table, layout: _Layout, length: int) -> None:
    if batch.table(3) is not None:
        raise Malformed("compressed buffers are refused; compress the body with Content-Encoding: zstd")
    nodes, buffers = batch.pairs(1), batch.pairs(2)
    if len(nodes) != layout.nodes or len(buffers) != layout.buffers:
        raise Malformed("a record batch does not have the buffers of its schema")
    rows = batch.scalar(0, "<q")
    for count, nulls in [(rows, 0), *nodes]:
        if not (0 <= count <= length and 0 <= nulls <= count):
            raise Malformed(f"a record batch claims {count} values and {nulls} nulls in {length} bytes")
    for offset, size in buffers:
        if offset < 0 or size < 0 or offset + size > length or offset % 8:
            raise Malformed("a buffer lies outside of its record batch")
