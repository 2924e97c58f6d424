"""The one exception that reaches a client: an RFC 9457 problem whose code and status come from the protocol."""

from __future__ import annotations

from typing import Any

from gradus_trainer.generated.wire import FORMAT, PROBLEM


class Problem(Exception):
    """Says why a request was refused. `field` is a column, metadata key, header or JSON path; `row` counts from 0."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        row: int | None = None,
        expected: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.field = field
        self.row = row
        self.expected = expected

    @property
    def status(self) -> int:
        """HTTP status of the code."""
        return int(PROBLEM[self.code]["status"])

    def document(self) -> dict[str, Any]:
        """The problem+json object."""
        rule = PROBLEM[self.code]
        document: dict[str, Any] = {
            "format": FORMAT,
            "type": "about:blank",
            "title": self.code.replace("_", " "),
            "status": rule["status"],
            "code": self.code,
            "detail": self.detail[:500],
            "retryable": rule["retryable"],
        }
        optional = {"field": self.field, "row": self.row, "expected": self.expected}
        return document | {name: value for name, value in optional.items() if value is not None}
