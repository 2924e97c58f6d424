"""Why a publish failed, and at which of its phases."""

from __future__ import annotations


class PublishFailed(Exception):
    """`phase` is one of probe, pause, connect, start, update, finish, resume, check."""

    def __init__(self, phase: str, detail: str) -> None:
        super().__init__(f"{phase}: {detail}")
        self.phase = phase
        self.detail = detail
