"""Ranges of the pool never overlap, and nothing is lost when they are given back."""

from __future__ import annotations

import numpy as np

from gradus_trainer.sampler.continuous.ranges import Ranges


def test_ranges_never_overlap_and_come_back_as_one():
    random = np.random.default_rng(0)
    ranges, held, owner = Ranges(1, 200), [], np.zeros(201, bool)
    refused = 0
    for _ in range(3000):
        if held and random.random() < 0.5:
            start, length = held.pop(random.integers(len(held)))
            owner[start : start + length] = False
            ranges.give(start, length)
        else:
            length = int(random.integers(1, 40))
            start = ranges.take(length)
            if start is None:
                refused += 1
                continue
            assert 1 <= start <= 201 - length
            assert not owner[start : start + length].any()
            owner[start : start + length] = True
            held.append((start, length))
        assert ranges.free == 200 - owner.sum()
    assert refused
    for start, length in held:
        ranges.give(start, length)
    assert ranges.take(200) == 1


def test_an_empty_range_needs_no_room():
    ranges = Ranges(1, 2)
    assert ranges.take(2) == 1
    assert ranges.take(0) is not None
    ranges.give(0, 0)
    assert ranges.take(1) is None
