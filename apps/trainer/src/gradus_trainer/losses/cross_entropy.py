"""Cross-entropy: the negative log-probability of a token."""

from __future__ import annotations

from torch import Tensor


def cross_entropy(logprob_N: Tensor) -> Tensor:
    """Loss of each trained token, l = −p, [N]; `logprob_N` in nats under the current policy."""
    return -logprob_N
