"""The one-pass head against autograd through full logits in FP64, for both forms of its formulas."""

from __future__ import annotations

import pytest
import torch

from gradus_trainer.model import head_loss as module
from gradus_trainer.model import token_logprob as chunking
from gradus_trainer.model.head_loss import Targets, head_loss
from gradus_trainer.model.token_logprob import token_logprob
from gradus_trainer.model.vocabulary_softmax import Eager, Fused

N, H, V = 23, 12, 41


def data(dtype=torch.float32):
    generator = torch.Generator().manual_seed(4)
    hidden, head = (torch.randn(count, H, generator=generator).to(dtype) for count in (N + 6, V))
    target = torch.randint(0, V, (N,), generator=generator)
    temperature = torch.rand(N, generator=generator) + 0.5
    weight = torch.randn(N, generator=generator)
    select = torch.randperm(N + 6, generator=generator)[:N]
    return hidden, head, target, temperature, weight, select


def objective_with(weight, pull):
    """Σ c·(p² − pull·H): nonlinear in p, as a clipped ratio is."""

    def objective(logprob, entropy, part):
        own = weight[part].to(logprob.dtype)
        return (own * (logprob.square() - pull * entropy)).sum()

    return objective


def expected(hidden, head, target, temperature, weight, select, pull):
    hidden, head = (x.double().requires_grad_() for x in (hidden, head))
    logits = hidden[select] @ head.T / (1 if temperature is None else temperature.double()[:, None])
    every = logits.log_softmax(-1)
    logprob = every.gather(1, target[:, None]).squeeze(1)
    entropy = -(every.exp() * every).sum(-1)
    loss = objective_with(weight, pull)(logprob, entropy, slice(0, N))
    return (loss, logprob, entropy, *torch.autograd.grad(loss, (hidden, head)))


@pytest.mark.parametrize("kind", [Eager, Fused])
@pytest.mark.parametrize("pull", [0.0, 0.3])
@pytest.mark.parametrize("tempered", [True, False])
@pytest.mark.parametrize(("chunk", "whole"), [(100, False), (4, False), (4, True)])
def test_loss_and_gradients_equal_full_logits(kind, pull, tempered, chunk, whole, monkeypatch):
    monkeypatch.setattr(module, "chunk", kind)
    monkeypatch.setattr(Fused, "compiled", False)
    monkeypatch.setattr(chunking, "CHUNK_LOGITS", chunk * V)
    hidden, head, target, temperature, weight, select = data()
    temperature = temperature if tempered else None
    wanted = expected(hidden, head, target, temperature, weight, select, pull)
    hidden.requires_grad_()
    head.requires_grad_()
    targets = Targets(target, temperature, select, torch.float32, whole, pull > 0)
    found = head_loss(hidden, head, targets, objective_with(weight, pull))
    (3 * found[0]).backward()
    for mine, other in zip((*found, hidden.grad / 3, head.grad / 3), wanted, strict=True):
        torch.testing.assert_close(mine.double(), other.detach(), rtol=2e-5, atol=2e-5)


def test_every_chunk_is_opened_once_when_tokens_stand_alone(monkeypatch):
    opened = []
    monkeypatch.setattr(module, "chunk", lambda *given: opened.append(len(given[0])) or Eager(*given))
    monkeypatch.setattr(chunking, "CHUNK_LOGITS", 6 * V)
    hidden, head, target, _, weight, select = data()
    targets = Targets(target, None, select, torch.float32)
    head_loss(hidden.requires_grad_(), head.requires_grad_(), targets, objective_with(weight, 0.0))
    assert opened == [6, 6, 6, 5]


def test_bf16_products_are_summed_in_fp32(monkeypatch):
    monkeypatch.setattr(chunking, "CHUNK_LOGITS", V)
    hidden, head, target, temperature, weight, select = data(torch.bfloat16)
    wanted = expected(hidden, head, target, temperature, weight, select, 0.0)
    hidden, head = hidden.float().requires_grad_(), head.float().requires_grad_()
    targets = Targets(target, temperature, select, torch.bfloat16)
    loss, logprob, _ = head_loss(hidden, head, targets, objective_with(weight, 0.0))
    loss.backward()
    assert (logprob.double() - wanted[1]).norm() / wanted[1].norm() < 0.01
    for mine, other in ((hidden.grad, wanted[3]), (head.grad, wanted[4])):
        assert (mine.double() - other).norm() / other.norm() < 0.02


def test_scores_equal_the_log_probabilities_of_training():
    hidden, head, target, temperature, weight, select = data()
    logprob, entropy = token_logprob(hidden[select], head, target, temperature, torch.float32)
    targets = Targets(target, temperature, select, torch.float32)
    _, trained, uncertain = head_loss(
        hidden.requires_grad_(), head.requires_grad_(), targets, objective_with(weight, 0.0)
    )
    torch.testing.assert_close(logprob, trained)
    torch.testing.assert_close(entropy, uncertain)
