"""The loss of an update, token by token: its kind, then the correction, then the KL and entropy terms.

The order is TRL's: the correction weighs the surrogate, not the KL penalty.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from gradus_trainer.losses.cispo import cispo
from gradus_trainer.losses.clipped import clipped
from gradus_trainer.losses.cross_entropy import cross_entropy
from gradus_trainer.losses.gspo import gspo
from gradus_trainer.losses.importance import importance_weight
from gradus_trainer.losses.kl import k3
from gradus_trainer.wire.loss_spec import LossSpec


@dataclasses.dataclass(frozen=True)
class Policies:
    """What a loss knows of N tokens besides the current policy; all [N], absent where the update lacks the column."""

    sequence_N: Tensor
    advantage_N: Tensor | None = None
    old_N: Tensor | None = None
    rollout_N: Tensor | None = None
    reference_N: Tensor | None = None

    def part(self, part: slice) -> Policies:
        """The same of some of the tokens."""

        def cut(column: Tensor | None) -> Tensor | None:
            return None if column is None else column[part]

        others = (cut(self.advantage_N), cut(self.old_N), cut(self.rollout_N), cut(self.reference_N))
        return Policies(self.sequence_N[part], *others)


def before_update(spec: LossSpec, logprob_N: Tensor, policies: Policies) -> Tensor:
    """o: `old_logprob`, else the sampler's; with a correction, which has the sampler in it, the current policy's."""
    if policies.old_N is not None:
        return policies.old_N
    if spec.importance.kind != "none":
        return logprob_N.detach()
    assert policies.rollout_N is not None
    return policies.rollout_N


def token_loss(spec: LossSpec, logprob_N: Tensor, entropy_N: Tensor, policies: Policies) -> Tensor:
    """l of each trained token, [N]; differentiable in `logprob_N` and `entropy_N`."""
    if spec.kind == "cross_entropy":
        return cross_entropy(logprob_N)
    assert policies.advantage_N is not None
    before_N, advantage_N = before_update(spec, logprob_N, policies), policies.advantage_N
    difference_N = logprob_N - before_N
    if spec.kind == "gspo":
        loss_N = gspo(difference_N, advantage_N, policies.sequence_N, spec.clip_low, spec.clip_high)
    elif spec.kind == "cispo":
        loss_N = cispo(logprob_N, torch.exp(difference_N), advantage_N, spec.clip_low, spec.clip_high)
    else:
        loss_N = clipped(torch.exp(difference_N), advantage_N, spec.clip_low, spec.clip_high)
    if spec.importance.kind != "none":
        assert policies.rollout_N is not None
        weight_N = importance_weight(before_N - policies.rollout_N, policies.sequence_N, spec.importance)
        loss_N = loss_N * weight_N
    if spec.kl_coef > 0 and policies.reference_N is not None:
        loss_N = loss_N + spec.kl_coef * k3(policies.reference_N - logprob_N)
    return loss_N if spec.entropy_coef == 0 else loss_N - spec.entropy_coef * entropy_N
