"""Reads a JSON object field by field: right type, right range, nothing missing, nothing left over."""

from __future__ import annotations

import math
from typing import Any

from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.problem import Problem

SAFE_INTEGER = 2**53 - 1


class Fields:
    """A view on one JSON object. Every read names the JSON path in its problem; `close` refuses fields never read."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise Problem("field_type", f"{path or 'the body'} must be an object", field=path or None)
        self._value: dict[str, Any] = value
        self._path = path
        self._read: set[str] = set()

    def path(self, name: str) -> str:
        """The JSON path of a field of this object."""
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        """Says whether the field is there and not null."""
        return self._value.get(name) is not None

    def skip(self, name: str) -> None:
        """Accepts a field whatever it holds (an optional one that is null)."""
        self._read.add(name)

    def raw(self, name: str) -> Any:
        """The value as parsed; missing is a problem, null is not."""
        self._read.add(name)
        if name not in self._value:
            raise Problem("field_missing", f"{self.path(name)} is missing", field=self.path(name))
        return self._value[name]

    def refuse(self, name: str, detail: str, code: str = "field_invalid") -> Problem:
        """A problem about a field of this object, to be raised."""
        return Problem(code, f"{self.path(name)} {detail}", field=self.path(name))

    def format(self) -> None:
        """Reads `format` and refuses another one."""
        if self.integer("format") != FORMAT:
            raise self.refuse("format", f"must be {FORMAT}")

    def integer(self, name: str, low: int = 0, high: int = SAFE_INTEGER, default: int | None = None) -> int:
        """An integer in [low, high]; a boolean or a float is not one."""
        if default is not None and not self.has(name):
            self._read.add(name)
            return default
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse(name, "must be an integer", "field_type")
        if not low <= value <= high:
            raise self.refuse(name, f"must be between {low} and {high}")
        return value

    def number(
        self,
        name: str,
        low: float = -math.inf,
        high: float = math.inf,
        *,
        above: float | None = None,
        default: float | None = None,
    ) -> float:
        """A finite number in [low, high] and, with `above`, greater than it."""
        if default is not None and not self.has(name):
            self._read.add(name)
            return default
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(name, "must be a number", "field_type")
        number = float(value)
        if not math.isfinite(number):
            raise self.refuse(name, "must be finite", "value_not_finite")
        if not low <= number <= high or (above is not None and number <= above):
            bound = f"greater than {above}" if above is not None else f"between {low} and {high}"
            raise self.refuse(name, f"must be {bound}")
        return number

    def text(self, name: str, most: int = 4096) -> str:
        """A string of 1 to `most` characters."""
        value = self.raw(name)
        if not isinstance(value, str):
            raise self.refuse(name, "must be a string", "field_type")
        if not 1 <= len(value) <= most:
            raise self.refuse(name, f"must have 1 to {most} characters")
        return value

    def choice(self, name: str, options: list[str], default: str | None = None) -> str:
        """One of the options."""
        if default is not None and not self.has(name):
            self._read.add(name)
            return default
        value = self.text(name)
        if value not in options:
            raise self.refuse(name, f"must be one of {', '.join(options)}")
        return value

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """true or false."""
        if default is not None and not self.has(name):
            self._read.add(name)
            return default
        value = self.raw(name)
        if not isinstance(value, bool):
            raise self.refuse(name, "must be true or false", "field_type")
        return value

    def object(self, name: str) -> Fields:
        """A nested object."""
        return Fields(self.raw(name), self.path(name))

    def array(self, name: str, most: int) -> list[Any]:
        """An array of at most `most` elements."""
        value = self.raw(name)
        if not isinstance(value, list):
            raise self.refuse(name, "must be an array", "field_type")
        if len(value) > most:
            raise self.refuse(name, f"must have at most {most} elements")
        return value

    def texts(self, name: str, most: int, longest: int = 1 << 20) -> list[str]:
        """An array of strings."""
        values = self.array(name, most)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self.refuse(f"{name}[{index}]", "must be a string", "field_type")
            if len(value) > longest:
                raise self.refuse(f"{name}[{index}]", f"must have at most {longest} characters")
        return values

    def close(self) -> None:
        """Refuses the first field that nothing has read."""
        for name in self._value:
            if name not in self._read:
                raise self.refuse(name, "is not known", "field_unknown")
