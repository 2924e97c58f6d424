"""A bounds-checked reader of FlatBuffers tables: just enough to look at Arrow messages before anyone trusts them."""

from __future__ import annotations

import struct


class Malformed(Exception):
    """The bytes are not the table they claim to be."""


class Table:
    """One table in a buffer; fields are read by their index in the schema file."""

    def __init__(self, data: bytes | memoryview, position: int) -> None:
        self._data = data
        self._position = position
        self._vtable = position - self._read("<i", position)
        self._vtable_size = self._read("<H", self._vtable)
        if self._vtable_size < 4:
            raise Malformed("a table has no vtable")

    @staticmethod
    def root(data: bytes | memoryview) -> Table:
        """The root table of a buffer."""
        if len(data) < 4:
            raise Malformed("a buffer is too short")
        return Table(data, int(struct.unpack_from("<I", data, 0)[0]))

    def _read(self, form: str, position: int) -> int:
        if position < 0 or position + struct.calcsize(form) > len(self._data):
            raise Malformed("an offset points outside of its message")
        return int(struct.unpack_from(form, self._data, position)[0])

    def _at(self, index: int) -> int:
        entry = 4 + 2 * index
        offset = self._read("<H", self._vtable + entry) if entry + 2 <= self._vtable_size else 0
        return self._position + offset if offset else 0

    def scalar(self, index: int, form: str, default: int = 0) -> int:
        """An integer field, `form` as in struct."""
        position = self._at(index)
        return self._read(form, position) if position else default

    def table(self, index: int) -> Table | None:
        """A table field."""
        position = self._at(index)
        return Table(self._data, position + self._read("<I", position)) if position else None

    def text(self, index: int) -> str | None:
        """A string field."""
        vector = self._vector(index, 1)
        if vector is None:
            return None
        start, count = vector
        try:
            return bytes(self._data[start : start + count]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("a string is not UTF-8") from error

    def _vector(self, index: int, item: int) -> tuple[int, int] | None:
        position = self._at(index)
        if not position:
            return None
        start = position + self._read("<I", position)
        count = self._read("<I", start)
        if start + 4 + count * item > len(self._data):
            raise Malformed("a vector is longer than its message")
        return start + 4, count

    def tables(self, index: int) -> list[Table]:
        """A vector of tables."""
        vector = self._vector(index, 4)
        if vector is None:
            return []
        start, count = vector
        places = (start + 4 * item for item in range(count))
        return [Table(self._data, place + self._read("<I", place)) for place in places]

    def pairs(self, index: int) -> list[tuple[int, int]]:
        """A vector of structs of two 64-bit integers."""
        vector = self._vector(index, 16)
        if vector is None:
            return []
        start, count = vector
        values = struct.unpack_from(f"<{2 * count}q", self._data, start)
        return list(zip(values[::2], values[1::2], strict=True))
