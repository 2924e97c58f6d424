"""What the bench counts and writes, and that its check notices a wrong gradient."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from gradus_trainer.bench import __main__ as command
from gradus_trainer.bench import check, generator, trainer
from gradus_trainer.bench.batches import log_normal_lengths, random_batch
from gradus_trainer.bench.merge import file_name, merge
from gradus_trainer.bench.rivals import process
from gradus_trainer.bench.rivals.process import Rivals
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


def test_a_profile_is_kept_as_rows(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(trainer, "cases_of", lambda _shape: [trainer.Case("4 x 16", np.full(4, 16), 64)])
    arguments = ["bench", "--shape", "tiny", "--part", "trainer", "--device", "cpu", "--threads", "1", "--rivals"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--profile", "--output", str(tmp_path / "a.json")])
    with pytest.raises(SystemExit):
        command.main()
    (result,) = json.loads((tmp_path / "a.json").read_text())["results"]
    rows = result["profile"]
    assert len(rows) == trainer.PROFILE_ROWS
    assert all(row["calls"] > 0 for row in rows)
    assert [row["ms"] for row in rows] == sorted((row["ms"] for row in rows), reverse=True)
    assert rows[0]["ms"] > 0
    assert {row["kernel"] for row in rows} >= {"aten::mm"}
    assert "aten::mm" in capsys.readouterr().out


VLLM = '''
import json, os
from types import SimpleNamespace as Made

class SamplingParams:
    def __init__(self, **options):
        self.options = options

class LLM:
    """Says what it was asked in a file, and stops where it was told to."""
    def __init__(self, **options):
        self.say("start", options["quantization"], options["max_model_len"])

    def say(self, *line):
        with open(os.environ["VLLM_SAID"], "a") as file:
            file.write(json.dumps(line) + chr(10))

    def reset_prefix_cache(self):
        self.say("reset")

    def generate(self, prompts, wanted, use_tqdm):
        wanted = wanted if isinstance(wanted, list) else [wanted] * len(prompts)
        lengths = [each.options["max_tokens"] for each in wanted]
        assert all(each.options["ignore_eos"] and each.options["logprobs"] == 0 for each in wanted)
        self.say("generate", len({tuple(prompt["prompt_token_ids"]) for prompt in prompts}), lengths)
        return [Made(outputs=[Made(token_ids=[5] * length)]) for length in lengths]
'''


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What a package in vLLM's place was asked by the rival's own program."""
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").write_text(VLLM)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    monkeypatch.setenv("VLLM_SAID", str(tmp_path / "said"))
    monkeypatch.setattr(generator, "SEQUENCES", (32,))
    monkeypatch.setattr(generator, "COMPLETION_TOKENS", 12)
    monkeypatch.setitem(generator.QUANTISATIONS, "cpu", ("none", "fp8"))
    return lambda: [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]


def test_vllm_gets_the_lengths_that_ours_drew_and_an_engine_for_fp8(said, monkeypatch):
    ours = []
    honest = generator.measure

    def measure(*arguments):
        figure, lengths = honest(*arguments)
        ours.append((figure["what"], lengths))
        return figure, lengths

    monkeypatch.setattr(generator, "measure", measure)
    results = generator.run("tiny", torch.device("cpu"), Rivals(["vllm"]))
    timed, gaps = results[:4], results[4:]
    assert [result["case"] for result in timed] == [
        "32 in groups of 1, 12 tokens",
        "32 in groups of 16, mean 12, at most 24",
        "32 in groups of 1, 12 tokens, fp8",
        "32 in groups of 16, mean 12, at most 24, fp8",
    ]
    for result in timed:
        assert result["times"] == pytest.approx(result["tok_s"] / result["vllm_tok_s"], abs=0.01)
    lines = said()
    starts = [line[1:] for line in lines if line[0] == "start"]
    longest = [64 + max(max(row) for _, lengths in ours[first : first + 2] for row in lengths) for first in (0, 2)]
    assert starts == [[None, longest[0]], ["fp8", longest[1]]]
    # a run of 8 tokens warms up; then each run of ours, from an empty prefix cache
    expected = []
    for what, lengths in ours:
        prompts = 2 if "groups of 16" in what else 32
        expected.append(["generate", prompts, [8] * 32])
        expected += [line for row in lengths for line in (["reset"], ["generate", prompts, row])]
    assert [line for line in lines if line[0] != "start"] == expected
    assert len({length for row in ours[1][1] for length in row}) > 5
    assert [result["case"] for result in gaps] == ["gap to the trainer", "gap to the trainer, fp8"]
    assert gaps[0]["mean_abs"] < 1e-5
    assert 1e-4 < gaps[1]["mean_abs"] < 0.1
    assert 0 <= gaps[0]["k3"] < 1e-8 < gaps[1]["k3"]
    lines = table(results, generator.COLUMNS).splitlines()
    assert lines[0].split()[-2:] == ["mean_abs", "k3"]
    assert lines[-1].split()[-2:] == [str(gaps[1]["mean_abs"]), str(gaps[1]["k3"])]


def test_a_second_engine_is_not_started_without_time_to_end(said):
    rivals = Rivals(["vllm"], 45.5)
    results = generator.run("tiny", torch.device("cpu"), rivals)
    assert [line[1] for line in said() if line[0] == "start"] == [None]
    assert [result for result in results if "skipped" in result] == [
        {"case": "vLLM, fp8", "skipped": "rivals have used their 45.5 s"}
    ]
    assert ["vllm_tok_s" in result for result in results[:4]] == [True, True, False, False]


def test_what_a_rival_had_when_its_time_was_up_is_kept(monkeypatch):
    printed = b'noise\nRESULT {"tok_s": 7}\n'

    def late(*_arguments, timeout, **_options):
        raise subprocess.TimeoutExpired("vllm", timeout, output=printed)

    monkeypatch.setattr(subprocess, "run", late)
    assert process.results("vLLM", (), "vllm_generate", limit=3) == [
        {"case": "vLLM", "tok_s": 7},
        {"case": "vLLM", "skipped": "not done within 3 s"},
    ]


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
