"""Batch sizes that steps are captured for, and how many pool tokens a request wants."""

from __future__ import annotations

import bisect

from gradus_trainer.sampler.continuous.prompts import AHEAD_TOKENS
from gradus_trainer.sampler.job import Job

BUCKETS = (1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024)
"""A step is captured for a size when a batch first has it."""
POSITIONS = BUCKETS[-1]
"""Rows that are decoded at once, at most."""


def bucket(count: int) -> int:
    """The smallest batch size with room for `count` positions."""
    return BUCKETS[bisect.bisect_left(BUCKETS, count)]


def least_tokens(job: Job) -> int:
    """Pool tokens without which some row of a request can never run."""
    return 1 + max(len(prompt) - 1 for prompt in job.chunk.prompts) + job.chunk.max_tokens


def most_tokens(job: Job) -> int:
    """Pool tokens with which no row of a request waits for room."""
    chunk = job.chunk
    rows = len(chunk.prompts) * chunk.samples
    prompts = sum(len(prompt) - 1 for prompt in chunk.prompts[:POSITIONS])
    return min(rows, POSITIONS) * chunk.max_tokens + prompts + (AHEAD_TOKENS if rows > POSITIONS else 0)
