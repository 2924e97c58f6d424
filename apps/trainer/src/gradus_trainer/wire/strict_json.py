"""JSON as RFC 8259 means it: no NaN, no duplicate keys, bounded nesting; Python's parser alone lets these through."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from gradus_trainer.problem import Problem

MAX_DEPTH = 16


def parse_object(text: bytes, field: str) -> dict[str, Any]:
    """Parses one JSON object. `field` names the place in the problem when it is malformed."""
    try:
        value = json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_bounded_int
        )
        if b"\\ud" in text.lower():
            # An escaped half of a surrogate pair is no text: nothing could store or answer it.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Problem("json_malformed", f"{field} is not valid JSON: {error}", field=field) from error
    _check_depth(value, field)
    if not isinstance(value, dict):
        raise Problem("json_malformed", f"{field} must be a JSON object", field=field)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has the same key twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _bounded_int(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("an integer has more than 20 characters")
    return int(digits)


def _check_depth(value: Any, field: str) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise Problem("json_malformed", f"{field} is nested deeper than {MAX_DEPTH}", field=field)
