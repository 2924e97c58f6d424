"""BF16 moments: near FP32's steps, saved and taken back exactly, and refused where they would stand still."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from gradus_trainer.optimizer import Optimizer
from gradus_trainer.problem import Problem
from gradus_trainer.wire.run_body import OptimizerSpec, read_run_body
from tests import tiny

SPEC = OptimizerSpec(0.9, 0.95, 1e-8, 0.1, 1e9)
LOW = dataclasses.replace(SPEC, moments="bfloat16")


def walk(optimizer, decoder, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for parameter in decoder.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator) + 0.3
        optimizer.step(1e-2, optimizer.gradient_norm())


def test_steps_are_near_those_of_fp32_moments():
    exact, low = tiny.decoder(), tiny.decoder()
    before = [parameter.detach().clone() for parameter in exact.parameters()]
    walk(Optimizer(exact, SPEC), exact, 20)
    walk(Optimizer(low, LOW), low, 20)
    for start, one, other in zip(before, exact.parameters(), low.parameters(), strict=True):
        moved = (one - start).norm()
        assert moved > 0.01
        assert (one - other).norm() / moved < 0.02


def test_one_step_by_hand():
    decoder = tiny.decoder()
    before = decoder.embedding.detach().clone()
    for parameter in decoder.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)
    optimizer = Optimizer(decoder, LOW)
    optimizer.step(0.1, optimizer.gradient_norm())
    # bias-corrected moments after one step are g and g², so the step is the learning rate; decay is 0.1 · 0.1
    torch.testing.assert_close(decoder.embedding.detach(), before * 0.99 - 0.1, rtol=1e-6, atol=1e-6)
    steps, moments = optimizer.moments()
    assert steps == 1
    assert {moment.dtype for moment in moments.values()} == {torch.bfloat16}
    torch.testing.assert_close(moments["exp_avg/model.norm.weight"].float(), torch.full((32,), 0.05), rtol=1e-2, atol=0)


def test_moments_that_were_kept_go_on_with_the_same_bits():
    one, other = tiny.decoder(), tiny.decoder()
    first = Optimizer(one, LOW)
    walk(first, one, 3)
    other.load_state_dict(one.state_dict())
    second = Optimizer(other, LOW)
    steps, moments = first.moments()
    second.restore(steps, {name: moment.float() for name, moment in moments.items()})
    walk(first, one, 2, seed=1)
    walk(second, other, 2, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_a_run_asks_for_them_and_slow_means_are_refused():
    body = tiny.run_body()
    body["optimizer"] |= {"moments": "bfloat16"}
    body |= {"activation_checkpointing": "full"}
    read = read_run_body(body)
    assert (read.optimizer.moments, read.checkpointing) == ("bfloat16", "full")
    assert read_run_body(tiny.run_body()).optimizer.moments == "float32"
    body["optimizer"] |= {"beta2": 0.999}
    with pytest.raises(Problem, match="with bfloat16 moments"):
        read_run_body(body)
