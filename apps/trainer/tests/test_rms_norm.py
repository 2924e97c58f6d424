"""The hand-written normalisation against PyTorch's, in value and gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gradus_trainer.model.rms_norm import rms_norm


@pytest.mark.parametrize("shape", [(3, 4, 16), (5, 16), (2, 3, 4, 16)])
def test_values_and_gradients_are_those_of_pytorch(shape):
    generator = torch.Generator().manual_seed(0)
    x, slope = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    weight = torch.randn(16, generator=generator, dtype=torch.float64)
    found = []
    for function in (lambda x, w: rms_norm(x, w, 1e-3), lambda x, w: F.rms_norm(x, (16,), w, 1e-3)):
        leaves = [value.clone().requires_grad_() for value in (x, weight)]
        out = function(*leaves)
        found.append((out.detach(), *torch.autograd.grad(out, leaves, slope)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


def test_generation_has_the_bits_of_training():
    x, weight = torch.randn(7, 32), torch.randn(32)
    with torch.no_grad():
        alone = rms_norm(x, weight, 1e-5)
    assert torch.equal(alone, rms_norm(x.requires_grad_(), weight, 1e-5).detach())


def test_a_row_of_zeros_has_a_finite_gradient():
    x = torch.zeros(2, 8, requires_grad=True)
    rms_norm(x, torch.ones(8), 1e-5).sum().backward()
    assert torch.isfinite(x.grad).all()
