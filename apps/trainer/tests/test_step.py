"""A whole update against an independent FP64 computation over full logits, and its invariances."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from gradus_trainer.engine import micro_batch
from gradus_trainer.engine.micro_batch import lay_out, split_rows
from gradus_trainer.engine.step import score, take_step
from gradus_trainer.model import token_logprob
from gradus_trainer.model.attention import causal_attention
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.wire.decode import Limits, decode_update
from gradus_trainer.wire.run_body import OptimizerSpec
from tests import tiny

ADAMW = OptimizerSpec(0.9, 0.95, 1e-8, 0.1, 1.0)
LIMITS = Limits(tiny.VOCAB, 64, 0)
EXTRA = {
    "temperature": [1.0, 0.7, 1.3, 1.0, 2.0, 1.0],
    "sample_weight": [1.0, 0.5, 2.0, 0.0, 1.0, 1.0],
}


def batch_of(cells=None, **changes):
    cells = tiny.columns() | EXTRA if cells is None else cells
    return decode_update(tiny.stream(tiny.table(cells, tiny.metadata(**changes))), LIMITS)


def gradients(spec, batch, micro_batch_tokens=64):
    """Gradients by name and the outcome of one step with learning rate 0 and no clipping."""
    decoder = tiny.decoder()
    optimizer = Optimizer(decoder, dataclasses.replace(ADAMW, max_grad_norm=1e9))
    kept = {}
    optimizer.step = lambda _rate, _norm: kept.update(  # type: ignore[method-assign]  # recorded instead of applied
        hugging_face_views(decoder, lambda parameter: parameter.grad.clone())
    )
    outcome = take_step(decoder, optimizer, spec, batch, micro_batch_tokens)
    return kept, outcome


def reference_loss(decoder, cells, stated):
    """L of the protocol in FP64 from full logits of one row after another."""
    spec, total = stated["loss"], torch.zeros((), dtype=torch.float64)
    for row, ids in enumerate(cells["token_ids"]):
        ids_BT = torch.tensor([ids])
        hidden = decoder(ids_BT, decoder.rope_from_start(len(ids)), causal_attention)[0]
        logits = (hidden @ decoder.head.T).double() / cells.get("temperature", [1.0] * 99)[row]
        every = logits.log_softmax(-1)
        mask = cells["loss_mask"][row]
        part = torch.zeros((), dtype=torch.float64)
        for t in range(1, len(ids)):
            if not mask[t]:
                continue
            p = every[t - 1, ids[t]]
            if spec["kind"] == "cross_entropy":
                part = part - p
                continue
            old = cells.get("old_logprob", cells.get("rollout_logprob"))[row][t]
            token_wise = cells.get("token_advantage")
            advantage = token_wise[row][t] if token_wise else cells["advantage"][row]
            r = (p - old).exp()
            low, high = 1 - spec["clip_low"], 1 + spec["clip_high"]
            part = part - torch.minimum(r * advantage, r.clamp(low, high) * advantage)
            if spec["kl_coef"] > 0:
                d = cells["ref_logprob"][row][t] - p
                part = part + spec["kl_coef"] * (d.exp() - d - 1)
        weight = cells.get("sample_weight", [1.0] * 99)[row] / stated["denominator"]
        total = total + part * weight / (sum(mask) if stated["normaliser"] == "sequences" else 1)
    return total


CLIPPED = {"kind": "clipped", "clip_low": 0.2, "clip_high": 0.28, "kl_coef": 0.0}
SETTINGS = {
    "cross_entropy": {"loss": {"kind": "cross_entropy"}, "normaliser": "tokens"},
    "dapo": {"loss": CLIPPED, "normaliser": "tokens"},
    "grpo": {"loss": CLIPPED | {"clip_high": 0.2, "kl_coef": 0.04}, "normaliser": "sequences", "denominator": 6.0},
    "dr_grpo": {"loss": CLIPPED | {"clip_high": 0.2}, "normaliser": "constant", "denominator": 6.0 * 16},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_loss_and_gradients_equal_the_reference(name):
    setting = SETTINGS[name]
    cells = tiny.columns() | EXTRA
    random = np.random.default_rng(5)
    for column in ("ref_logprob", "old_logprob", "token_advantage"):
        cells[column] = [random.uniform(-3, -0.1, len(ids)).astype(np.float32).tolist() for ids in cells["token_ids"]]
    spec, batch = batch_of(cells, **setting)
    found, outcome = gradients(spec, batch)
    decoder = tiny.decoder()
    loss = reference_loss(decoder, cells, tiny.metadata(**setting))
    loss.backward()
    expected = hugging_face_views(decoder, lambda parameter: parameter.grad)
    assert outcome.metrics["loss"] == pytest.approx(loss.item(), rel=1e-5)
    norm = math.sqrt(sum(float(value.double().square().sum()) for value in expected.values()))
    assert outcome.metrics["grad_norm"] == pytest.approx(norm, rel=1e-4)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("normaliser", ["tokens", "sequences", "constant"])
def test_order_of_rows_and_split_into_micro_batches_do_not_matter(normaliser, monkeypatch):
    cells = tiny.columns() | EXTRA
    spec, batch = batch_of(cells, normaliser=normaliser)
    expected, _ = gradients(spec, batch, 10_000)
    order = [3, 0, 5, 1, 4, 2]
    shuffled = batch_of({name: [values[i] for i in order] for name, values in cells.items()}, normaliser=normaliser)[1]
    monkeypatch.setattr(token_logprob, "CHUNK_LOGITS", tiny.VOCAB * 3)
    for other, tokens in ((shuffled, 10_000), (batch, 1), (shuffled, 25)):
        found, _ = gradients(spec, other, tokens)
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-7)


def test_masked_tokens_have_no_gradient():
    cells = tiny.columns(rows=2)
    spec, batch = batch_of(cells, loss={"kind": "cross_entropy"})
    expected, _ = gradients(spec, batch)
    # The last token is no input of a trained one: when it is masked, its id cannot matter.
    cells["loss_mask"] = [[*mask[:-1], 0] for mask in cells["loss_mask"]]
    cells["rollout_logprob"] = [[*values[:-1], 0.0] for values in cells["rollout_logprob"]]
    masked, _ = gradients(*batch_of(cells, loss={"kind": "cross_entropy"}))
    cells["token_ids"] = [[*ids[:-1], (ids[-1] + 5) % tiny.VOCAB] for ids in cells["token_ids"]]
    other, _ = gradients(*batch_of(cells, loss={"kind": "cross_entropy"}))
    assert all(torch.equal(masked[name], other[name]) for name in masked)
    assert not torch.allclose(masked["model.embed_tokens.weight"], expected["model.embed_tokens.weight"])


def test_micro_batches_are_bounded_and_hold_every_row_once():
    lengths = np.array([5, 60, 7, 7, 30, 2, 9, 9, 9])
    parts = list(split_rows(lengths, 32))
    assert sorted(np.concatenate(parts).tolist()) == list(range(9))
    assert all(len(part) == 1 or len(part) * lengths[part].max() <= 32 for part in parts)
    assert [lengths[row] for part in parts for row in part] == sorted(lengths)


def test_layout_points_each_trained_token_at_the_position_before_it():
    _, batch = batch_of()
    micro = lay_out(batch, np.array([1, 4]), torch.device("cpu"))
    flat = micro.inputs_BT.flatten()
    place = torch.from_numpy(micro.flat_N)
    ids = torch.tensor(batch.token_ids)
    assert torch.equal(flat[micro.select_N], ids[place - 1].long())
    assert torch.equal(micro.target_N, ids[place].long())
    assert len(micro.flat_N) == batch.trained_per_row()[[1, 4]].sum()


def test_adamw_clips_and_decays_matrices_only():
    spec, batch = batch_of(learning_rate=0.5)
    ours, theirs = tiny.decoder(), tiny.decoder()
    optimizer = Optimizer(ours, dataclasses.replace(ADAMW, max_grad_norm=0.01))
    take_step(ours, optimizer, spec, batch, 64)
    reference_loss(theirs, tiny.columns() | EXTRA, tiny.metadata()).backward()
    norm = math.sqrt(sum(float(p.grad.double().square().sum()) for p in theirs.parameters()))
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        gradient = other.grad.double() * min(1.0, 0.01 / (norm + 1e-6))
        decay = 1 - 0.5 * 0.1 if other.ndim > 1 else 1.0
        # After one step the bias-corrected moments are g and g².
        expected = other.detach().double() * decay - 0.5 * gradient / (gradient.abs() + 1e-8)
        close = (mine.detach().double() - expected).abs() < 2e-3
        # A gradient near epsilon may round either way; all but a few must agree.
        assert close.double().mean() > 0.99


@pytest.mark.parametrize(("change", "reason"), [("old_logprob", "non_finite_loss"), ("weight", "non_finite_gradient")])
def test_a_step_that_is_not_finite_leaves_the_weights_alone(change, reason):
    cells = tiny.columns()
    if change == "old_logprob":
        cells["old_logprob"] = [[-2000.0] * len(ids) for ids in cells["token_ids"]]
        cells["advantage"] = [-1.0] * 6
    else:
        cells["sample_weight"] = [3e38] * 6
        cells["advantage"] = [1e-3] * 6
    spec, batch = batch_of(cells, loss=CLIPPED, denominator=1.0)
    decoder = tiny.decoder()
    before = [parameter.clone() for parameter in decoder.parameters()]
    outcome = take_step(decoder, Optimizer(decoder, ADAMW), spec, batch, 64)
    assert outcome.reason == reason
    assert outcome.metrics["grad_norm"] is None
    assert all(torch.equal(old, new) for old, new in zip(before, decoder.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in decoder.parameters())


def test_equal_updates_give_equal_bits():
    states = []
    for _ in range(2):
        decoder = tiny.decoder()
        optimizer = Optimizer(decoder, ADAMW)
        spec, batch = batch_of()
        for _ in range(3):
            take_step(decoder, optimizer, spec, batch, 64)
        states.append([*decoder.parameters(), *optimizer.moments()[1].values()])
    assert all(torch.equal(one, other) for one, other in zip(*states, strict=True))


def test_metrics_of_two_tokens_by_hand():
    # One row, two trained tokens; the sampler's log-probabilities are off by ln 2 and −ln 4 from the policy's.
    cells = {name: values[:1] for name, values in tiny.columns().items()}
    cells["token_ids"], cells["loss_mask"] = [[2, 3, 4]], [[0, 1, 1]]
    cells["rollout_logprob"] = [[0.0, -1.0, -1.0]]
    _, batch = batch_of(cells)
    p = score(tiny.decoder(), batch, 64)[0].astype(np.float64)
    cells["rollout_logprob"] = [[0.0, p[1] - math.log(2), p[2] + math.log(4)]]
    cells["rollout_logprob"] = [[min(value, 0.0) for value in cells["rollout_logprob"][0]]]
    cells["advantage"] = [1.0]
    spec, batch = batch_of(cells)
    metrics = gradients(spec, batch)[1].metrics
    assert metrics["ratio/max"] == pytest.approx(2.0, rel=1e-4)
    assert metrics["ratio/min"] == pytest.approx(0.25, rel=1e-4)
    assert metrics["ratio/mean"] == pytest.approx(1.125, rel=1e-4)
    assert metrics["clip_ratio/high_mean"] == 0.5
    assert metrics["clip_ratio/low_mean"] == 0.0
    assert metrics["sampler_gap/k1"] == pytest.approx((-math.log(2) + math.log(4)) / 2, rel=1e-4)
    k3 = ((2 - math.log(2) - 1) + (0.25 + math.log(4) - 1)) / 2
    assert metrics["sampler_gap/k3"] == pytest.approx(k3, rel=1e-4)
    assert metrics["sampler_gap/max_abs"] == pytest.approx(math.log(4), rel=1e-4)
    assert metrics["sampler_gap/ess"] == pytest.approx(2.25**2 / (2 * (4 + 0.0625)), rel=1e-4)


def test_a_cpu_takes_no_more_tokens_at_once_than_its_cache_holds():
    assert micro_batch.token_limit(100, torch.device("cpu")) == 100
    assert micro_batch.token_limit(10**6, torch.device("cpu")) == micro_batch.CPU_TOKENS
    assert micro_batch.token_limit(10**6, torch.device("cuda")) == 10**6
