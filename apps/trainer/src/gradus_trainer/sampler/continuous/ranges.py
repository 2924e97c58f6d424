"""Contiguous ranges of a pool's tokens, first fit; freed neighbours grow together again."""

from __future__ import annotations

import bisect


class Ranges:
    """Which tokens of a pool are free: sorted starts and their lengths. Pure bookkeeping, no tensor."""

    def __init__(self, first: int, size: int) -> None:
        self._starts: list[int] = [first] if size else []
        self._lengths: dict[int, int] = {first: size} if size else {}
        self.free = size

    def take(self, length: int) -> int | None:
        """Start of a range of that length, or None when no gap is long enough. Length 0 needs no room."""
        if length == 0:
            return 0
        for index, start in enumerate(self._starts):
            room = self._lengths[start]
            if room >= length:
                del self._lengths[start]
                if room == length:
                    del self._starts[index]
                else:
                    self._starts[index] = start + length
                    self._lengths[start + length] = room - length
                self.free -= length
                return start
        return None

    def give(self, start: int, length: int) -> None:
        """Takes a range back."""
        if length == 0:
            return
        self.free += length
        index = bisect.bisect_left(self._starts, start)
        if index < len(self._starts) and self._starts[index] == start + length:
            length += self._lengths.pop(self._starts.pop(index))
        before = self._starts[index - 1] if index else -1
        if index and before + self._lengths[before] == start:
            self._lengths[before] += length
            return
        self._starts.insert(index, start)
        self._lengths[start] = length
