"""The bench of a whole step: how rows are weighed, what it prints, and what a rival that cannot run looks like."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gradus_trainer.bench import step
from gradus_trainer.bench.merge import merge
from gradus_trainer.bench.rivals import checkpoint, process
from gradus_trainer.bench.shapes import SHAPES
from gradus_trainer.model.load import load_directory
from gradus_trainer.sampler.decode import Chunk, Completions


def test_rows_are_weighed_by_their_group():
    chunk = Chunk([[1, 2], [3]], 2, 3, 1.0, [0, 0], ())
    # sums modulo 7: 3 and 5, then 1 and 1
    done = Completions([[1, 2], [5], [8], [1]], [[-1.0, -2.0], [-3.0], [-4.0], [-5.0]], [False] * 4)
    batch = step.weighed(chunk, done)
    spread = 2**0.5 + 1e-4
    assert batch.advantage is not None
    assert batch.advantage.tolist() == pytest.approx([-1 / spread, 1 / spread, 0, 0])
    assert batch.token_ids.tolist() == [1, 2, 1, 2, 1, 2, 5, 3, 8, 3, 1]
    assert batch.loss_mask.tolist() == [0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1]
    assert batch.rollout_logprob is not None
    assert batch.rollout_logprob.tolist() == [0, 0, -1, -2, 0, 0, -3, 0, -4, 0, -5]
    assert batch.offsets.tolist() == [0, 4, 7, 9, 11]


def test_a_step_is_the_sum_of_its_phases(monkeypatch):
    monkeypatch.setattr(step, "CPU_SIZE", step.Size(2, 2, 4, 5))
    monkeypatch.setattr(step, "STEPS", 3)
    results = step.run("tiny", torch.device("cpu"))
    (found,) = results
    assert (found["case"], found["sequences"]) == ("Gradus", 4)
    assert found["step_s"] == pytest.approx(found["generate_s"] + found["score_s"] + found["train_s"], abs=2e-3)
    assert found["tok_s"] == pytest.approx(4 * 9 / found["train_s"], rel=0.05)


def test_a_rival_that_cannot_run_says_why(caplog):
    assert process.results("X", ("no_such_package",), "trl_step") == [
        {"case": "X", "skipped": "no_such_package not installed"}
    ]
    # no arguments: it breaks off, and what it said is in the log
    (failed,) = process.results("checkpoint", (), "no_such_module")
    assert failed == {"case": "checkpoint", "skipped": "it ended with status 1"}
    assert "no_such_module" in caplog.text


def test_a_result_that_was_measured_is_kept_when_it_is_skipped_later():
    known = {"shape": "tiny", "part": "step", "case": "TRL", "step_s": 2.0}
    later = {"shape": "tiny", "part": "step", "case": "TRL", "skipped": "trl not installed"}
    documents = [{"hardware": "h", "results": [known]}, {"hardware": "h", "results": [later]}]
    assert merge(documents)["results"] == [known]


def test_a_rivals_checkpoint_has_the_shape_and_an_end_that_never_comes(tmp_path):
    checkpoint.write("tiny", tmp_path, weights=True)
    config = (tmp_path / "config.json").read_text()
    assert f'"eos_token_id": {SHAPES["tiny"].vocab_size}' in config
    (tmp_path / "config.json").write_text(
        config.replace(f'"eos_token_id": {SHAPES["tiny"].vocab_size}', '"eos_token_id": 1')
    )
    decoder, tokenizer = load_directory(tmp_path, torch.device("cpu"), torch.float32)
    assert decoder.architecture.parameters == SHAPES["tiny"].parameters
    assert tokenizer.tokenize(["t7 t511"], "x") == [[7, 511]]
    assert float(decoder.embedding.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert np.isfinite(decoder.embedding.detach().numpy()).all()
