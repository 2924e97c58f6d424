"""What the bench counts and writes, and that its check notices a wrong gradient."""

from __future__ import annotations

import datetime
import json
import sys

import numpy as np
import pytest
import torch

from gradus_trainer.bench import __main__ as command
from gradus_trainer.bench import check, trainer
from gradus_trainer.bench.batches import log_normal_lengths, random_batch
from gradus_trainer.bench.merge import file_name, merge
from gradus_trainer.bench.shapes import SHAPES, matrix_parameters, training_operations
from gradus_trainer.bench.table import table
from gradus_trainer.engine.trunk import Packed


def test_operations_of_a_tiny_shape_by_hand():
    # layer: 64·16·(2·4 + 2·2) + 3·64·128 = 12288 + 24576; two layers and a head of 64·512
    assert matrix_parameters(SHAPES["tiny"]) == 2 * 36864 + 32768
    # attention of one row of 10: forward 2 products · 2 · 64 · 10·10 / 2, three times that with backward, two layers
    assert training_operations(SHAPES["tiny"], [10]) == 6 * 106496 * 10 + 3 * 2 * (2 * 2 * 64 * 50)


def test_shapes_have_the_parameters_of_their_models():
    published = {"135m": 134.5e6, "0.6b": 596e6, "1.5b": 1.544e9, "4b": 4.02e9, "8b": 8.03e9}
    for name, count in published.items():
        assert SHAPES[name].parameters == pytest.approx(count, rel=0.005)


def test_log_normal_lengths_fill_what_is_asked_for():
    lengths = log_normal_lengths(129024, 8192)
    assert lengths.sum() == 129024
    assert 1000 < lengths.mean() < 2000
    assert lengths.std() > 500
    batch = random_batch(lengths, 100)
    assert batch.loss_mask.sum() == lengths.sum() - len(lengths)


def test_a_part_prints_a_table_and_writes_json(tmp_path, monkeypatch, capsys):
    few = [trainer.Case("4 x 16", np.full(4, 16), 64)]
    monkeypatch.setattr(trainer, "cases_of", lambda _shape: few)
    arguments = ["bench", "--shape", "tiny", "--part", "trainer", "--device", "cpu", "--threads", "1", "--rivals"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--output", str(tmp_path / "a.json")])
    with pytest.raises(SystemExit) as left:
        command.main()
    assert left.value.code == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[-2].split()[:3] == ["shape", "case", "tok_s"]
    document = json.loads((tmp_path / "a.json").read_text())
    result = document["results"][0]
    assert result["tokens"] == 64
    assert result["tok_s"] == pytest.approx(64 / result["step_s"], rel=0.05)
    assert result["padding"] == 0
    merged = merge([document, document])
    assert len(merged["results"]) == 1
    assert merged["results"][0]["command"].startswith("python -m gradus_trainer.bench --shape tiny")


def test_results_of_different_hardware_are_not_merged():
    with pytest.raises(ValueError, match="different hardware"):
        merge([{"hardware": "a", "results": []}, {"hardware": "b", "results": []}])
    assert file_name("NVIDIA H100 80GB HBM3", datetime.date(2026, 1, 2)) == "2026-01-02-nvidia-h100-80gb-hbm3.json"


def test_a_skipped_result_says_why_in_the_table():
    results = [{"shape": "8b", "case": "all", "skipped": "too large"}, {"shape": "tiny", "case": "one", "tok_s": 5}]
    lines = table(results, ("shape", "case", "tok_s")).splitlines()
    assert lines[1].split() == ["8b", "skipped:", "too", "large"]
    assert lines[2].split() == ["tiny", "one", "5"]


def test_the_check_passes_and_notices_a_wrong_gradient(monkeypatch):
    results = check.run("tiny", torch.device("cpu"))
    assert len(results) == 6
    assert not any(result["failed"] for result in results)
    honest = Packed.hidden
    monkeypatch.setattr(Packed, "hidden", lambda trunk, micro: (honest(trunk, micro)[0] * 1.1, micro.select_N))
    assert all(result["failed"] for result in check.run("tiny", torch.device("cpu"))[:4])
