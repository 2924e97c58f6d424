"""What one chunk of tokens needs of its logits: log-probabilities, entropies, and the slope of a loss in the logits.

Two forms of the same formulas. `Eager` is for a CPU: FP32, few passes over memory. `Fused` is for CUDA: logits stay in
the compute dtype and each function is compiled into one kernel that reads them once, in FP32 arithmetic.
With x = logits / temperature, p = softmax(x), H the entropy:
d logprob / d x = onehot − p and d H / d x = −p·(log p + H).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

Row = Callable[..., Any]
"""A function of rows of logits."""


@dataclasses.dataclass(frozen=True)
class Slopes:
    """Derivative of the loss in each token's log-probability and, when the loss has an entropy term, in its entropy."""

    logprob_n: Tensor
    entropy_n: Tensor | None


class Chunk(Protocol):
    """n tokens with their logits. `slope` may be called once and may destroy the logits."""

    def logprob(self) -> Tensor:
        """Log-probability of each target, FP32 [n]."""

    def entropy(self) -> Tensor:
        """Entropy of each token's distribution, FP32 [n]."""

    def slope(self, slopes: Slopes) -> tuple[Tensor, Tensor]:
        """(derivative of the loss in the logits [n, V], entropy [n])."""


class Eager:
    """The chunk of a CPU. `all_nV` are log-probabilities of the whole vocabulary."""

    def __init__(self, hidden_nH: Tensor, head_VH: Tensor, target_n: Tensor, temperature_n: Tensor | None) -> None:
        logits_nV = (hidden_nH @ head_VH.t()).float()
        if temperature_n is not None:
            logits_nV.div_(temperature_n[:, None])
        self._dtype = head_VH.dtype
        self._temperature_n = temperature_n
        self._target_n1 = target_n[:, None]
        self._all_nV = torch.log_softmax(logits_nV, dim=-1)

    def logprob(self) -> Tensor:
        """See Chunk."""
        return self._all_nV.gather(1, self._target_n1).squeeze(1)

    def entropy(self) -> Tensor:
        """See Chunk."""
        return -(self._all_nV.exp() * self._all_nV).sum(dim=-1)

    def slope(self, slopes: Slopes) -> tuple[Tensor, Tensor]:
        """See Chunk."""
        probability_nV = self._all_nV.exp()
        entropy_n = -(probability_nV * self._all_nV).sum(dim=-1)
        weight_n1 = slopes.logprob_n[:, None]
        if slopes.entropy_n is None:
            slope_nV = probability_nV.mul_(-weight_n1)
        else:
            surprise_nV = self._all_nV.add_(entropy_n[:, None]).mul_(slopes.entropy_n[:, None]).add_(weight_n1)
            slope_nV = probability_nV.mul_(surprise_nV).neg_()
        slope_nV.scatter_add_(1, self._target_n1, weight_n1)
        if self._temperature_n is not None:
            slope_nV.div_(self._temperature_n[:, None])
        return slope_nV.to(self._dtype), entropy_n


def scaled(logits_nV: Tensor, temperature_n: Tensor | None) -> Tensor:
    """x = logits / temperature in FP32."""
    x_nV = logits_nV.float()
    return x_nV if temperature_n is None else x_nV / temperature_n[:, None]


def row_logprob(logits_nV: Tensor, target_n: Tensor, temperature_n: Tensor | None) -> tuple[Tensor, Tensor]:
    """(log-probability of the target [n], log of the sum of exp(x) [n])."""
    x_nV = scaled(logits_nV, temperature_n)
    # spelt out, the compiler sees a softmax, whose two sums it takes in one pass
    most_n1 = x_nV.amax(dim=-1, keepdim=True)
    total_n = (most_n1 + torch.exp(x_nV - most_n1).sum(dim=-1, keepdim=True).log()).squeeze(1)
    return x_nV.gather(1, target_n[:, None]).squeeze(1) - total_n, total_n


def row_entropy(logits_nV: Tensor, total_n: Tensor, temperature_n: Tensor | None) -> Tensor:
    """H = log Σ exp(x) − Σ p·x, [n]."""
    x_nV = scaled(logits_nV, temperature_n)
    return total_n - (torch.exp(x_nV - total_n[:, None]) * x_nV).sum(dim=-1)


def row_slope(
    logits_nV: Tensor, total_n: Tensor, target_n: Tensor, temperature_n: Tensor | None, weight_n: Tensor
) -> tuple[Tensor, Tensor]:
    """(slope of a loss without an entropy term [n, V] in the dtype of the logits, entropy [n])."""
    x_nV = scaled(logits_nV, temperature_n)
    probability_nV = torch.exp(x_nV - total_n[:, None])
    entropy_n = total_n - (probability_nV * x_nV).sum(dim=-1)
    hit_nV = torch.arange(logits_nV.shape[1], device=logits_nV.device)[None] == target_n[:, None]
    slope_nV = (hit_nV.float() - probability_nV) * weight_n[:, None]
    return scaled(slope_nV, temperature_n).to(logits_nV.dtype), entropy_n


def row_slope_with_entropy(
    logits_nV: Tensor,
    total_n: Tensor,
    target_n: Tensor,
    temperature_n: Tensor | None,
    weight_n: Tensor,
    pull_n: Tensor,
    entropy_n: Tensor,
) -> Tensor:
    """Slope of a loss with an entropy term whose derivative in the entropy is `pull`, [n, V]."""
    all_nV = scaled(logits_nV, temperature_n) - total_n[:, None]
    hit_nV = torch.arange(logits_nV.shape[1], device=logits_nV.device)[None] == target_n[:, None]
    inner_nV = weight_n[:, None] + pull_n[:, None] * (all_nV + entropy_n[:, None])
    slope_nV = hit_nV.float() * weight_n[:, None] - torch.exp(all_nV) * inner_nV
    return scaled(slope_nV, temperature_n).to(logits_nV.dtype)


@functools.cache
def compiled(function: Row) -> Row:
    """The compiled form; asked for late, since importing the compiler takes seconds that a CPU never needs."""
    result: Row = torch.compile(function)
    return result


class Fused:
    """The chunk of a CUDA device. `compiled` is off in tests, which compare the formulas alone."""

    compiled = True

    def __init__(self, hidden_nH: Tensor, head_VH: Tensor, target_n: Tensor, temperature_n: Tensor | None) -> None:
        self._logits_nV = hidden_nH @ head_VH.t()
        self._target_n, self._temperature_n = target_n, temperature_n
        self._logprob_n: Tensor
        self._total_n: Tensor
        self._logprob_n, self._total_n = self._row(row_logprob)(self._logits_nV, target_n, temperature_n)

    def _row(self, function: Row) -> Row:
        return compiled(function) if self.compiled else function

    def logprob(self) -> Tensor:
        """See Chunk."""
        return self._logprob_n

    def entropy(self) -> Tensor:
        """See Chunk."""
        result: Tensor = self._row(row_entropy)(self._logits_nV, self._total_n, self._temperature_n)
        return result

    def slope(self, slopes: Slopes) -> tuple[Tensor, Tensor]:
        """See Chunk."""
        common = (self._logits_nV, self._total_n, self._target_n, self._temperature_n, slopes.logprob_n)
        result: tuple[Tensor, Tensor]
        if slopes.entropy_n is None:
            result = self._row(row_slope)(*common)
        else:
            entropy_n = self.entropy()
            result = self._row(row_slope_with_entropy)(*common, slopes.entropy_n, entropy_n), entropy_n
        return result


def chunk(hidden_nH: Tensor, head_VH: Tensor, target_n: Tensor, temperature_n: Tensor | None) -> Chunk:
    """Opens the chunk that suits the device; hidden states and head are in the compute dtype."""
    kind = Fused if hidden_nH.is_cuda else Eager
    return kind(hidden_nH, head_VH, target_n, temperature_n)
