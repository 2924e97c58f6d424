"""Losses by value, against a FP64 reference written from the protocol's formulas, and cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gradus_trainer.losses.cispo import cispo
from gradus_trainer.losses.clipped import clipped
from gradus_trainer.losses.cross_entropy import cross_entropy
from gradus_trainer.losses.gspo import gspo
from gradus_trainer.losses.importance import importance_weight
from gradus_trainer.losses.kl import k3
from gradus_trainer.losses.token_loss import Policies, token_loss
from gradus_trainer.wire.loss_spec import Importance, LossSpec

SEQUENCE = np.array([0] * 12 + [1] * 9 + [2] * 14 + [3])


def mean_of_sequence(values, sequence, index):
    own = [v for v, s in zip(values, sequence, strict=True) if s == sequence[index]]
    return sum(own) / len(own)


def weight_of(spec, d, sequence, index):
    """The correction of one token from d = o − m."""
    ratio, importance = math.exp(d[index]), spec.importance
    if importance.kind == "truncate":
        return min(ratio, importance.high)
    if importance.kind == "icepop":
        return ratio if importance.low <= ratio <= importance.high else 0.0
    if importance.kind == "sequence_mask":
        mean = math.exp(mean_of_sequence(d, sequence, index))
        return 1.0 if importance.low <= mean <= importance.high else 0.0
    return 1.0


def reference(spec, p, frozen, columns, entropy):
    """l of the protocol, FP64, one token at a time. `frozen` is p where the formula has no gradient."""
    losses = []
    o = columns.get("o", frozen if spec.importance.kind != "none" else columns["m"])
    for i in range(len(p)):
        a = columns["a"][i]
        difference = [x - y for x, y in zip(p, o, strict=True)]
        r = math.exp(mean_of_sequence(difference, SEQUENCE, i) if spec.kind == "gspo" else difference[i])
        low, high = 1 - spec.clip_low, 1 + spec.clip_high
        if spec.kind == "cispo":
            value = -min(max(math.exp(frozen[i] - o[i]), low), high) * a * p[i]
        else:
            value = -min(r * a, min(max(r, low), high) * a)
        value *= weight_of(spec, [x - y for x, y in zip(o, columns["m"], strict=True)], SEQUENCE, i)
        if spec.kl_coef > 0:
            d = columns["q"][i] - p[i]
            value += spec.kl_coef * (math.exp(d) - d - 1)
        losses.append(value - spec.entropy_coef * entropy[i])
    return np.array(losses)


CORRECTIONS = {
    "none": Importance(),
    "truncate": Importance("truncate", high=1.2),
    "icepop": Importance("icepop", 0.7, 1.5),
    "sequence_mask": Importance("sequence_mask", 0.95, 1.06),
}
SPECS = {
    f"{kind} {correction}{' kl' if kl else ''}": LossSpec(kind, 0.2, 0.28, kl, entropy, CORRECTIONS[correction])
    for kind in ("clipped", "cispo", "gspo")
    for correction in CORRECTIONS
    for kl, entropy in ((0.0, 0.0), (0.1, 0.02))
}


def columns_of(with_old, seed=0):
    random = np.random.default_rng(seed)
    m = -random.uniform(0.1, 5, len(SEQUENCE))
    columns = {"m": m, "q": m + random.normal(0, 0.3, len(m)), "a": random.normal(size=len(m))}
    if with_old:
        columns["o"] = m + random.normal(0, 0.2, len(m))
    return columns, m + random.normal(0, 0.3, len(m)), random.uniform(0, 3, len(m))


def policies_of(columns):
    tensors = {name: torch.tensor(values, dtype=torch.float64) for name, values in columns.items()}
    return Policies(torch.tensor(SEQUENCE), tensors["a"], tensors.get("o"), tensors["m"], tensors["q"])


@pytest.mark.parametrize("with_old", [True, False])
@pytest.mark.parametrize("name", SPECS)
def test_values_and_gradients_equal_the_reference(name, with_old):
    spec = SPECS[name]
    columns, p, entropy = columns_of(with_old)
    logprob, uncertain = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (p, entropy))
    loss = token_loss(spec, logprob, uncertain, policies_of(columns))
    np.testing.assert_allclose(loss.detach().numpy(), reference(spec, p, p, columns, entropy), rtol=1e-11, atol=1e-14)
    coefficient = np.random.default_rng(9).uniform(0.5, 2, len(p))
    (loss * torch.tensor(coefficient)).sum().backward()
    step = 1e-6
    # a mean over a sequence makes every token's loss depend on one: two tokens of each sequence are enough
    for i in (0, 1, 12, 20, 21, 34, 35):
        moved = np.eye(len(p))[i] * step
        values = [reference(spec, p + sign * moved, p, columns, entropy) @ coefficient for sign in (1, -1)]
        assert logprob.grad[i].item() == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5, abs=1e-7)
    if spec.entropy_coef:
        np.testing.assert_allclose(uncertain.grad.numpy(), -spec.entropy_coef * coefficient)


def test_the_reference_drops_and_caps_some_tokens_and_keeps_others():
    columns, _, _ = columns_of(True)
    difference = columns["o"] - columns["m"]
    for name, correction in CORRECTIONS.items():
        spec = LossSpec("clipped", importance=correction)
        weights = np.array([weight_of(spec, difference, SEQUENCE, i) for i in range(len(SEQUENCE))])
        if name == "none":
            assert (weights == 1).all()
        elif name == "truncate":
            assert 0 < (weights == 1.2).mean() < 0.5
        else:
            assert 0 < (weights == 0).mean() < 1


def test_three_tokens_by_hand():
    # r = 2, 1/2, 1 with A = 1, −1, 3: the first is clipped to 1.28, the second to 0.8, the third is not.
    p = torch.tensor([math.log(0.8), math.log(0.2), math.log(0.5)])
    o = torch.tensor([math.log(0.4), math.log(0.4), math.log(0.5)])
    a = torch.tensor([1.0, -1, 3])
    torch.testing.assert_close(clipped(torch.exp(p - o), a, 0.2, 0.28), torch.tensor([-1.28, 0.8, -3.0]))
    # −1.28·1·ln 0.8, 0.8·ln 0.2, −3·ln 0.5
    expected = torch.tensor([0.2856238, -1.2875503, 2.0794415])
    torch.testing.assert_close(cispo(p, torch.exp(p - o), a, 0.2, 0.28), expected)
    # the geometric mean of 2 and 1/2 is 1, and the third token is a sequence of its own
    found = gspo(p - o, a, torch.tensor([0, 0, 1]), 0.2, 0.28)
    torch.testing.assert_close(found, torch.tensor([-1.0, 1.0, -3.0]))
    # k3 of ln 2: 2 − ln 2 − 1 = 0.306853.
    torch.testing.assert_close(k3(torch.tensor([math.log(2.0)])), torch.tensor([0.3068528]))
    torch.testing.assert_close(cross_entropy(p), torch.tensor([0.2231436, 1.6094379, 0.6931472]))


def test_corrections_of_three_tokens_by_hand():
    # w = 4, 1/2, 1; the first two are one sequence with geometric mean √2
    d, sequence = torch.tensor([math.log(4.0), -math.log(2.0), 0.0]), torch.tensor([0, 0, 1])
    for spec, expected in (
        (Importance("truncate", high=2.0), [2.0, 0.5, 1.0]),
        (Importance("icepop", 0.6, 5.0), [4.0, 0.0, 1.0]),
        (Importance("sequence_mask", 0.9, 1.3), [0.0, 0.0, 1.0]),
        (Importance("sequence_mask", 0.9, 1.5), [1.0, 1.0, 1.0]),
        (Importance(), [1.0, 1.0, 1.0]),
    ):
        torch.testing.assert_close(importance_weight(d, sequence, spec), torch.tensor(expected))


@pytest.mark.parametrize("kind", ["clipped", "cispo", "gspo"])
def test_ratio_one_gives_the_reinforce_gradient(kind):
    p = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    advantage = torch.tensor([2.0, 2.0, -3.0])
    policies = Policies(torch.tensor([0, 0, 1]), advantage, p.detach().clone())
    token_loss(LossSpec(kind, 0.2, 0.28), p, torch.zeros(3), policies).sum().backward()
    torch.testing.assert_close(p.grad, -advantage)


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize("kind", ["clipped", "cispo", "gspo"])
def test_zero_advantage_gives_zero_gradient(kind, correction):
    p = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    policies = Policies(torch.tensor([0, 0, 1]), torch.zeros(3), p.detach() - 0.7, p.detach() - 0.2)
    spec = LossSpec(kind, 0.2, 0.28, importance=CORRECTIONS[correction])
    token_loss(spec, p, torch.zeros(3), policies).sum().backward()
    assert torch.equal(p.grad, torch.zeros(3))


def test_beyond_the_bounds_only_the_side_that_would_go_further_is_stopped():
    p = torch.log(torch.tensor([2.0, 2.0, 0.5, 0.5])).requires_grad_()
    clipped(torch.exp(p), torch.tensor([1.0, -1.0, 1.0, -1.0]), 0.2, 0.28).sum().backward()
    torch.testing.assert_close(p.grad, torch.tensor([0.0, 2.0, -0.5, 0.0]))


def test_with_a_correction_and_one_update_a_batch_the_gradient_is_the_truncated_weight_times_reinforce():
    p = torch.tensor([-1.0, -2.0], requires_grad=True)
    rollout = p.detach() - torch.log(torch.tensor([3.0, 0.5]))
    policies = Policies(torch.tensor([0, 1]), torch.tensor([1.0, -1.0]), rollout_N=rollout)
    spec = LossSpec("clipped", 0.2, 0.2, importance=Importance("truncate", high=2.0))
    token_loss(spec, p, torch.zeros(2), policies).sum().backward()
    torch.testing.assert_close(p.grad, torch.tensor([-2.0, 0.5]))
