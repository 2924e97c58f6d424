"""Losses by value, against a FP64 reference written from the protocol's formulas, and cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gradus_trainer.losses.clipped import clipped
from gradus_trainer.losses.cross_entropy import cross_entropy
from gradus_trainer.wire.metadata import LossSpec


def reference(p, o, a, q, spec):
    """l of the protocol, FP64, one token at a time."""
    losses = []
    for index in range(len(p)):
        r = math.exp(p[index] - o[index])
        bounded = min(max(r, 1 - spec.clip_low), 1 + spec.clip_high)
        value = -min(r * a[index], bounded * a[index])
        if spec.kl_coef > 0:
            d = q[index] - p[index]
            value += spec.kl_coef * (math.exp(d) - d - 1)
        losses.append(value)
    return np.array(losses)


def test_three_tokens_by_hand():
    # r = 2, 1/2, 1 with A = 1, −1, 3: the first is clipped to 1.28, the second to 0.8, the third is not.
    p = torch.tensor([math.log(0.8), math.log(0.2), math.log(0.5)])
    o = torch.tensor([math.log(0.4), math.log(0.4), math.log(0.5)])
    spec = LossSpec("clipped", 0.2, 0.28, 0.0)
    torch.testing.assert_close(clipped(p, o, torch.tensor([1.0, -1, 3]), None, spec), torch.tensor([-1.28, 0.8, -3.0]))
    # k3 with q − p = ln 2: 2 − ln 2 − 1 = 0.306853.
    q = p + math.log(2.0)
    got = clipped(p, o, torch.tensor([1.0, -1, 3]), q, LossSpec("clipped", 0.2, 0.28, 0.5))
    torch.testing.assert_close(got, torch.tensor([-1.28, 0.8, -3.0]) + 0.5 * 0.3068528)
    torch.testing.assert_close(cross_entropy(p), torch.tensor([0.2231436, 1.6094379, 0.6931472]))


@pytest.mark.parametrize(
    "spec", [LossSpec("clipped", 0.2, 0.2), LossSpec("clipped", 0.2, 0.28, 0.1), LossSpec("clipped", 0, 0)]
)
def test_values_and_gradients_equal_the_reference(spec):
    random = np.random.default_rng(0)
    p, o, q = (-random.uniform(0.1, 5, 200) for _ in range(3))
    a = random.normal(size=200)
    tensors = [torch.tensor(x, dtype=torch.float64) for x in (p, o, a, q)]
    tensors[0].requires_grad_()
    loss = clipped(*tensors, spec)
    np.testing.assert_allclose(loss.detach().numpy(), reference(p, o, a, q, spec), rtol=1e-12)
    loss.sum().backward()
    step = 1e-6
    slope = (reference(p + step, o, a, q, spec) - reference(p - step, o, a, q, spec)) / (2 * step)
    np.testing.assert_allclose(tensors[0].grad.numpy(), slope, rtol=1e-5, atol=1e-7)


def test_ratio_one_gives_the_reinforce_gradient():
    p = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    advantage = torch.tensor([2.0, -3.0, 0.0])
    clipped(p, p.detach().clone(), advantage, None, LossSpec("clipped", 0.2, 0.28)).sum().backward()
    torch.testing.assert_close(p.grad, -advantage)


def test_zero_advantage_gives_zero_gradient():
    p = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    clipped(p, p.detach() - 0.7, torch.zeros(3), None, LossSpec("clipped", 0.2, 0.28)).sum().backward()
    assert torch.equal(p.grad, torch.zeros(3))


def test_beyond_the_bounds_only_the_side_that_would_go_further_is_stopped():
    spec = LossSpec("clipped", 0.2, 0.28)
    o = torch.zeros(4)
    p = torch.log(torch.tensor([2.0, 2.0, 0.5, 0.5])).requires_grad_()
    clipped(p, o, torch.tensor([1.0, -1.0, 1.0, -1.0]), None, spec).sum().backward()
    torch.testing.assert_close(p.grad, torch.tensor([0.0, 2.0, -0.5, 0.0]))
