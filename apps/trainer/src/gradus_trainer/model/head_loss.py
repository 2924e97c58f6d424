"""The head and the loss in one pass: hidden states to loss, its gradient in the hidden states and in the head.

The loss of a token depends on its own log-probability and entropy, and its weight is known beforehand; so a chunk's
logits are made once, turned into the slope of the loss in place of a second forward, and given back. Nothing of size
[tokens, vocabulary] outlives its chunk. When a loss looks at whole sequences (GSPO), log-probabilities of all tokens
are needed before any slope is known: then, with more than one chunk, logits are made twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gradus_trainer.model.token_logprob import chunks, token_logprob
from gradus_trainer.model.vocabulary_softmax import Slopes, chunk

Objective = Callable[[Tensor, Tensor, slice], Tensor]
"""(log-probability [n], entropy [n], which of the N tokens) -> Σ c·l, differentiable in both."""


@dataclasses.dataclass(frozen=True)
class Targets:
    """The N tokens that are trained on.

    `select_N` is the flat position of each one's hidden state, None when they are in order. `whole` says that the
    objective must see all tokens at once; `pull`, that it has an entropy term.
    """

    target_N: Tensor
    temperature_N: Tensor | None
    select_N: Tensor | None
    compute: torch.dtype
    whole: bool = False
    pull: bool = False


def slopes_of(objective: Objective, logprob_n: Tensor, entropy_n: Tensor | None, part: slice) -> tuple[Tensor, Slopes]:
    """The objective of some tokens and its derivatives; `entropy_n` is None when there is no entropy term."""
    with torch.enable_grad():
        leaf_n = logprob_n.detach().requires_grad_()
        if entropy_n is None:
            loss = objective(leaf_n, leaf_n.detach(), part)
            return loss.detach(), Slopes(torch.autograd.grad(loss, leaf_n)[0], None)
        pulled_n = entropy_n.detach().requires_grad_()
        loss = objective(leaf_n, pulled_n, part)
        slope_n, pull_n = torch.autograd.grad(loss, (leaf_n, pulled_n))
    return loss.detach(), Slopes(slope_n, pull_n)


class _HeadLoss(torch.autograd.Function):
    """Gradients are made in forward and kept; backward only scales them."""

    @staticmethod
    def forward(
        context: Any, hidden: Tensor, head_VH: Tensor, targets: Targets, objective: Objective
    ) -> tuple[Tensor, Tensor, Tensor]:
        flat_MH = hidden.reshape(-1, hidden.shape[-1])
        hidden_NH = flat_MH if targets.select_N is None else flat_MH.index_select(0, targets.select_N)
        hidden_NH = hidden_NH.to(targets.compute)
        found = _one_pass(hidden_NH, head_VH, targets, objective)
        gradient_MH = found.hidden_NH.to(hidden.dtype)
        if targets.select_N is not None:
            gradient_MH = torch.zeros_like(flat_MH).index_copy_(0, targets.select_N, gradient_MH)
        context.save_for_backward(gradient_MH.view(hidden.shape), found.head_VH)
        context.mark_non_differentiable(found.logprob_N, found.entropy_N)
        return found.loss, found.logprob_N, found.entropy_N

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """d loss is given by the caller, 1 for a loss that is backpropagated by itself."""
        hidden, head_VH = context.saved_tensors
        return hidden * gradients[0].to(hidden.dtype), head_VH * gradients[0], None, None


@dataclasses.dataclass(frozen=True)
class _Found:
    loss: Tensor
    logprob_N: Tensor
    entropy_N: Tensor
    hidden_NH: Tensor
    head_VH: Tensor


def _one_pass(hidden_NH: Tensor, head_VH: Tensor, targets: Targets, objective: Objective) -> _Found:
    count, head = targets.target_N.shape[0], head_VH.to(targets.compute)
    parts = list(chunks(count, head_VH.shape[0], hidden_NH.device))
    known: tuple[Tensor, Slopes] | None = None
    if targets.whole and len(parts) > 1:
        logprob_N, entropy_N = token_logprob(
            hidden_NH, head_VH, targets.target_N, targets.temperature_N, targets.compute
        )
        known = slopes_of(objective, logprob_N, entropy_N if targets.pull else None, slice(0, count))
    losses, logprobs, entropies = [], [], []
    gradient_NH = torch.empty_like(hidden_NH)
    # summed in FP32 also where the parameter itself comes in the compute dtype, as a gathered one does
    gradient_VH = torch.zeros_like(head_VH, dtype=torch.promote_types(head_VH.dtype, torch.float32))
    for part in parts:
        temperature_n = None if targets.temperature_N is None else targets.temperature_N[part]
        opened = chunk(hidden_NH[part], head, targets.target_N[part], temperature_n)
        logprob_n = opened.logprob()
        if known is None:
            loss, slopes = slopes_of(objective, logprob_n, opened.entropy() if targets.pull else None, part)
            losses.append(loss)
        else:
            whole = known[1]
            slopes = Slopes(whole.logprob_n[part], None if whole.entropy_n is None else whole.entropy_n[part])
        slope_nV, entropy_n = opened.slope(slopes)
        torch.mm(slope_nV, head, out=gradient_NH[part])
        add_product(gradient_VH, slope_nV, hidden_NH[part])
        logprobs.append(logprob_n)
        entropies.append(entropy_n)
    total = torch.stack(losses).sum() if known is None else known[0]
    return _Found(total, torch.cat(logprobs), torch.cat(entropies), gradient_NH, gradient_VH)


def add_product(sum_VH: Tensor, slope_nV: Tensor, hidden_nH: Tensor) -> None:
    """Adds slopeᵀ · hidden in place, summed in FP32 whatever the factors are."""
    if slope_nV.dtype == sum_VH.dtype:
        sum_VH.addmm_(slope_nV.t(), hidden_nH)
    elif slope_nV.is_cuda:
        torch.addmm(sum_VH, slope_nV.t(), hidden_nH, out_dtype=sum_VH.dtype, out=sum_VH)
    else:
        sum_VH += (slope_nV.t() @ hidden_nH).to(sum_VH.dtype)


def head_loss(hidden: Tensor, head_VH: Tensor, targets: Targets, objective: Objective) -> tuple[Tensor, Tensor, Tensor]:
    """(Σ c·l, log-probability [N], entropy [N]); the first alone has a gradient: in `hidden` and the head."""
    # torch ships Function.apply without types
    apply: Any = _HeadLoss.apply
    result: tuple[Tensor, Tensor, Tensor] = apply(hidden, head_VH, targets, objective)
    return result
