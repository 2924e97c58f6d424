"""Bins: every row once, none too full, as even as they go; and a packed policy equal to a padded one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gradus_trainer.digest import weights_digest
from gradus_trainer.engine import step as step_module
from gradus_trainer.engine.micro_batch import lay_out
from gradus_trainer.engine.packed_batch import lay_out_packed
from gradus_trainer.engine.packing import GRAIN, first_fit, pack
from gradus_trainer.engine.step import score, take_step
from gradus_trainer.engine.trunk import Packed, Padded, choose_checkpointing
from gradus_trainer.model.packed_attention import plain
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.wire.decode import Limits, decode_update
from gradus_trainer.wire.run_body import OptimizerSpec
from tests import tiny

LIMITS = Limits(tiny.VOCAB, 64, 0)
SPEC = OptimizerSpec(0.9, 0.95, 1e-8, 0.1, 1e9)


def log_normal(count, seed=0):
    random = np.random.default_rng(seed)
    return np.clip(random.lognormal(7.0, 0.6, count), 16, 8000).astype(np.int64)


@pytest.mark.parametrize("lengths", [log_normal(500), np.full(64, 255), np.array([7]), np.array([9000, 3, 3])])
def test_bins_hold_every_row_once_and_are_never_too_full(lengths):
    bins = pack(lengths, 8192)
    assert sorted(np.concatenate(bins.rows).tolist()) == list(range(len(lengths)))
    assert all(lengths[rows].sum() <= bins.length for rows in bins.rows)
    assert bins.length % GRAIN == 0
    assert bins.length <= max(8192, lengths.max() + GRAIN)


def test_long_batches_are_packed_with_little_fill_and_evenly():
    lengths = log_normal(800)
    bins = pack(lengths, 16384)
    assert bins.padding_share(lengths) < 0.02
    filled = [int(lengths[rows].sum()) for rows in bins.rows]
    assert max(filled) - min(filled) < 0.05 * bins.length
    # the least number of bins that could hold these tokens is one below, if at all
    assert len(bins.rows) <= -(-int(lengths.sum()) // 16384) + 1


def test_a_batch_that_fits_a_small_bin_gets_one():
    lengths = np.full(24, 27)
    bins = pack(lengths, 8192)
    assert (len(bins.rows), bins.length) == (1, 1024)
    # two halves rather than one full bin and a nearly empty one
    bins = pack(np.full(33, 255), 8192)
    assert (len(bins.rows), bins.length) == (2, 5120)


def test_first_fit_decreasing_by_hand():
    lengths = np.array([5, 7, 3, 2, 4, 1])
    bins = first_fit(lengths, np.argsort(-lengths, kind="stable"), 10)
    assert bins == [[1, 2], [0, 4, 5], [3]]


def packed_batch(cells=None, tokens=16):
    cells = tiny.columns() if cells is None else cells
    spec, batch = decode_update(tiny.stream(tiny.table(cells, tiny.metadata())), LIMITS)
    return spec, batch, lay_out_packed(batch, pack(batch.lengths - 1, tokens), torch.device("cpu"))


def test_a_stream_has_every_input_its_position_and_its_target():
    _, batch, streams = packed_batch()
    seen = []
    for stream in streams:
        place = torch.from_numpy(stream.flat_N)
        ids = torch.tensor(batch.token_ids)
        assert torch.equal(stream.inputs_T[stream.select_N], ids[place - 1].long())
        assert torch.equal(stream.target_N, ids[place].long())
        offsets = stream.offsets_S.tolist()
        assert offsets[0] == 0
        assert offsets[-1] == len(stream.inputs_T)
        pieces = np.diff(offsets)
        assert (pieces >= 0).all()
        assert pieces.max() <= stream.longest
        assert stream.positions_T.tolist() == [i for piece in pieces for i in range(piece)]
        rows = batch.row_of_token()[stream.flat_N]
        assert [rows[stream.sequence_N.numpy() == n].tolist() for n in range(int(stream.sequence_N.max()) + 1)] == [
            [row] * int((rows == row).sum()) for row in dict.fromkeys(rows.tolist())
        ]
        seen += stream.flat_N.tolist()
    assert sorted(seen) == np.flatnonzero(batch.loss_mask).tolist()
    assert len({(len(stream.inputs_T), len(stream.offsets_S), stream.longest) for stream in streams}) == 1


@pytest.mark.parametrize("checkpointing", ["off", "selective", "full"])
@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_a_packed_policy_has_the_hidden_states_and_gradients_of_a_padded_one(family, checkpointing):
    _, batch, streams = packed_batch()
    decoder = tiny.decoder(family)
    trunk = Packed(decoder, 16, "plain", checkpointing, compiled=False)
    padded = step_module.trunk_of(decoder, 64)
    direction = torch.randn(len(batch.token_ids), 32, generator=torch.Generator().manual_seed(2))
    found = {}
    for name, own, micros in (
        ("padded", padded, [lay_out(batch, np.arange(batch.rows), torch.device("cpu"))]),
        ("packed", trunk, streams),
    ):
        decoder.zero_grad()
        hidden = torch.zeros(len(batch.token_ids), 32)
        for micro in micros:
            states, select = own.hidden(micro)
            states = states if select is None else states[select]
            (states * direction[micro.flat_N]).sum().backward()
            hidden[micro.flat_N] = states.detach()
        found[name] = [
            hidden,
            *(parameter.grad.clone() for parameter in decoder.parameters() if parameter.grad is not None),
        ]
    for one, other in zip(*found.values(), strict=True):
        # float32 sums in another order: an element that nearly cancels is off by a share of the tensor's scale
        torch.testing.assert_close(one, other, rtol=1e-4, atol=max(2e-5, 2e-5 * float(one.abs().max())))


def whole_step(trunk_maker, monkeypatch, **changes):
    decoder = tiny.decoder()
    if trunk_maker is not None:
        monkeypatch.setattr(step_module, "trunk_of", lambda d, tokens, _mode="auto": trunk_maker(d, tokens))
    cells = tiny.columns() | {"temperature": [1.0, 0.7, 1.3, 1.0, 2.0, 1.0]}
    cells["old_logprob"] = [[value - 0.3 for value in row] for row in cells["rollout_logprob"]]
    spec, batch = decode_update(tiny.stream(tiny.table(cells, tiny.metadata(**changes))), LIMITS)
    optimizer = Optimizer(decoder, dataclasses.replace(SPEC))
    kept = {}
    optimizer.step = lambda *_: kept.update(hugging_face_views(decoder, lambda p: p.grad.clone()))
    outcome = take_step(decoder, optimizer, spec, batch, 16)
    monkeypatch.undo()
    return kept, outcome.metrics, score(decoder, batch, 16)


@pytest.mark.parametrize("kind", ["clipped", "cispo", "gspo"])
@pytest.mark.parametrize("importance", ["none", "sequence_mask"])
def test_a_step_does_not_depend_on_how_its_rows_are_laid_out(kind, importance, monkeypatch):
    bounds = {"low": 0.5, "high": 1.5} if importance != "none" else {}
    loss = tiny.metadata()["loss"] | {"kind": kind, "entropy_coef": 0.01, "importance": {"kind": importance} | bounds}
    padded = whole_step(None, monkeypatch, loss=loss, normaliser="sequences")
    packed = whole_step(
        lambda d, tokens: Packed(d, tokens, "plain", "off", compiled=False),
        monkeypatch,
        loss=loss,
        normaliser="sequences",
    )
    assert padded[0].keys() == packed[0].keys()
    for name, value in padded[0].items():
        torch.testing.assert_close(value, packed[0][name], rtol=1e-4, atol=1e-6)
    assert packed[1] == pytest.approx(padded[1], rel=1e-4)
    assert any(float(value.abs().max()) > 1e-4 for value in padded[0].values())


def test_rows_without_a_trained_token_are_not_computed_and_change_nothing(monkeypatch):
    """Loss, gradient and metrics are, to the bit, those of the other rows, at whose places the values are."""
    computed, honest, cells = [], Padded.lay_out, tiny.columns(6)
    monkeypatch.setattr(
        Padded, "lay_out", lambda trunk, batch: computed.append(batch.sample_id) or honest(trunk, batch)
    )
    trained = {name: [value for row, value in enumerate(values) if row not in {1, 5}] for name, values in cells.items()}
    for row in (1, 5):
        cells["loss_mask"][row] = [0] * len(cells["loss_mask"][row])
        cells["rollout_logprob"][row] = [0.0] * len(cells["rollout_logprob"][row])
    found = []
    for columns in (cells, trained):
        decoder = tiny.decoder()
        spec, batch = decode_update(tiny.stream(tiny.table(columns, tiny.metadata(normaliser="sequences"))), LIMITS)
        logprob, _ = score(decoder, batch, 16)
        metrics = take_step(decoder, Optimizer(decoder, SPEC), spec, batch, 16).metrics
        found.append((metrics, weights_digest(hugging_face_views(decoder)), logprob, batch))
    assert computed == [["s0", "s2", "s3", "s4"]] * 4
    (metrics, digest, logprob, batch), (others, expected, kept, _) = found
    assert (metrics, digest) == (others, expected)
    places = batch.tokens_of(np.array([0, 2, 3, 4]))
    assert np.array_equal(logprob[places], kept)
    assert np.abs(logprob).sum() == pytest.approx(np.abs(kept).sum())


def test_empty_sequences_and_grouped_heads_of_the_plain_attention():
    query, key = torch.randn(5, 4, 8), torch.randn(5, 2, 8)
    offsets = torch.tensor([0, 3, 3, 5, 5], dtype=torch.int32)
    found = plain(query, key, key, offsets, 4)
    for start, end in ((0, 3), (3, 5)):
        for head in range(4):
            scores = query[start:end, head] @ key[start:end, head // 2].T / 8**0.5
            scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
            torch.testing.assert_close(found[start:end, head], scores.softmax(-1) @ key[start:end, head // 2])


def test_the_least_recomputation_that_fits_is_chosen():
    needed = {"off": 100, "selective": 40, "full": 10}
    assert [choose_checkpointing(free, needed) for free in (100, 99, 40, 39, 5)] == [
        "off",
        "selective",
        "selective",
        "full",
        "full",
    ]
