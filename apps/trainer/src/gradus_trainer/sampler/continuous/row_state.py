"""What the device knows of each position of the batch: one INT64 tensor [FIELDS, positions].

A position reads its prompt's keys and values at PREFIX_START and its own at OWN_START, writes those of TOKEN at
OWN_START + LENGTH, samples the draw number LENGTH of SEED, and goes on with that token: LENGTH grows by one a step.
"""

from __future__ import annotations

import struct

TOKEN = 0
LENGTH = 1
CAPACITY = 2
"""Own tokens that fit; a position whose row ended unseen stays within its range."""
PREFIX_START = 3
PREFIX_LENGTH = 4
OWN_START = 5
SEED = 6
"""The 64 bits of the row's seed."""
TEMPERATURE = 7
"""The bits of an FP32; 0 is greedy."""
FIELDS = 8

IDLE = (0, 0, 1, 0, 0, 0, 0, 0)
"""A position without a row: it computes on token 0 of the pool, which no row ever owns."""


def temperature_bits(temperature: float) -> int:
    """The FP32 bits of a temperature as an integer."""
    return int(struct.unpack("<i", struct.pack("<f", temperature))[0])


def signed(seed: int) -> int:
    """The INT64 with the bits of an unsigned 64-bit seed."""
    return seed - (1 << 64) if seed >= 1 << 63 else seed
