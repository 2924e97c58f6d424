"""The continuous generator gives what a chunk alone gives, whatever shares its batch, its pool and its time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gradus_trainer.bench_generator.check import FAMILIES, check_greedy
from gradus_trainer.bench_generator.gap import gap
from gradus_trainer.bench_generator.shapes import SHAPES, random_decoder
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.continuous import generator as generator_module
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.continuous.torch_kernels import TorchKernels
from gradus_trainer.sampler.decode import Chunk, Completions, decode
from gradus_trainer.sampler.job import Job
from tests import tiny

CHUNK = Chunk([[5, 9, 11], [4, 8, 20, 21, 3, 7], [30], [6, 6]], 6, 20, 1.0, [100, 2000, 30, 2**64 - 3], (1, 2, 3))
OTHER = Chunk([[7, 7, 7, 8], [31]], 3, 9, 0.5, [8, 2**63], (4,))
GREEDY = Chunk([[9], [10, 12]], 1, 30, 0.0, [0, 0], ())
TOKEN_BYTES = 2 * 2 * 2 * 8 * 4
"""Of the tiny policy: keys and values, layers, key heads, head size, bytes of an FP32."""


def generate(decoder, *chunks: Chunk, **options) -> list[Completions]:
    jobs = [Job(chunk) for chunk in chunks]
    Generator(decoder, TorchKernels(), **options).run(jobs)
    return [job.answer.result(timeout=0) for job in jobs]


def assert_equal_rows(found: Completions, wanted: Completions) -> None:
    assert found.token_ids == wanted.token_ids
    assert found.stopped == wanted.stopped
    for one, other in zip(found.logprobs, wanted.logprobs, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


@pytest.fixture
def few_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight positions, so that rows must wait for one another."""
    monkeypatch.setattr(generator_module, "POSITIONS", 8)


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_equal_those_of_a_chunk(family):
    decoder = tiny.decoder(family)
    assert_equal_rows(generate(decoder, CHUNK)[0], decode(decoder, CHUNK))


@pytest.mark.usefixtures("few_positions")
def test_requests_that_share_positions_do_not_change_each_other():
    decoder = tiny.decoder("qwen3")
    chunks = [CHUNK, OTHER, GREEDY]
    for found, chunk in zip(generate(decoder, *chunks), chunks, strict=True):
        assert_equal_rows(found, decode(decoder, chunk))


def test_a_pool_with_room_for_few_rows_gives_the_same_rows():
    decoder = tiny.decoder()
    for tokens in (32, 60, 150):
        chunks = [CHUNK, OTHER]
        for found, chunk in zip(generate(decoder, *chunks, pool_bytes=tokens * TOKEN_BYTES), chunks, strict=True):
            assert_equal_rows(found, decode(decoder, chunk))


@pytest.mark.usefixtures("few_positions")
def test_positions_are_filled_again_as_rows_end():
    decoder, job = tiny.decoder(), Job(dataclasses.replace(CHUNK, samples=20))
    generator = Generator(decoder, TorchKernels())
    generator.run([job])
    tokens = sum(len(ids) for ids in job.answer.result(timeout=0).token_ids)
    assert generator.counters.prompts == 4
    assert tokens / generator.counters.positions > 0.8


def test_a_row_that_never_fits_is_refused_and_the_others_are_not():
    decoder = tiny.decoder()
    jobs = [Job(CHUNK), Job(OTHER)]
    Generator(decoder, TorchKernels(), pool_bytes=20 * TOKEN_BYTES).run(jobs)
    with pytest.raises(Problem, match="sequence_too_long"):
        jobs[0].answer.result(timeout=0)
    assert_equal_rows(jobs[1].answer.result(timeout=0), decode(decoder, OTHER))


def test_requests_that_arrive_meanwhile_join_and_a_larger_one_gets_a_larger_pool():
    decoder = tiny.decoder()
    jobs = [Job(OTHER), Job(GREEDY), Job(dataclasses.replace(CHUNK, samples=40))]
    later = [[], [jobs[1]], [], [jobs[2]]]
    generator = Generator(decoder, TorchKernels())
    generator.run(jobs[:1], lambda: later.pop(0) if later else [])
    assert generator.counters.steps < 30 + 20 + 5  # OTHER and GREEDY shared their steps
    for job in jobs:
        assert_equal_rows(job.answer.result(timeout=0), decode(decoder, job.chunk))


def test_an_abandoned_request_ends_and_its_positions_serve_others():
    decoder = tiny.decoder(max_positions=400)
    long = Job(Chunk([[5, 6]], 100, 300, 1.0, [1], ()))
    assert long.begin(0)
    short, calls = Job(OTHER), 0

    def arriving() -> list[Job]:
        nonlocal calls
        calls += 1
        if calls == 4:
            long.abandon()
        return [short] if calls == 3 else []

    generator = Generator(decoder, TorchKernels())
    generator.run([long], arriving)
    assert generator.counters.steps < 20
    assert not long.answer.done()
    assert_equal_rows(short.answer.result(timeout=0), decode(decoder, OTHER))


def test_written_parameters_are_read_without_publishing():
    decoder, generator = tiny.decoder(), Generator(tiny.decoder(), TorchKernels())
    generator = Generator(decoder, TorchKernels())
    generator.run([before := Job(CHUNK)])
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.mul_(1.3)
    generator.run([after := Job(CHUNK)])
    assert_equal_rows(after.answer.result(timeout=0), decode(decoder, CHUNK))
    assert before.answer.result(timeout=0) != after.answer.result(timeout=0)


def test_matrices_in_another_dtype_than_the_products_are_refused():
    decoder = tiny.decoder()
    decoder.compute = torch.bfloat16
    with pytest.raises(ValueError, match="bfloat16"):
        Generator(decoder, TorchKernels())


def test_greedy_text_equals_generate_of_transformers_token_by_token():
    found = list(check_greedy(TorchKernels(), torch.device("cpu")))
    assert [(name, share) for name, share, _ in found] == [(f"greedy {family}", 0.0) for family in FAMILIES]


def test_fp8_weights_are_near_and_follow_the_parameters_on_refresh():
    decoder = random_decoder(SHAPES["tiny"], torch.device("cpu"), torch.float32)
    plain, quantised = gap(decoder, TorchKernels(), "none"), gap(decoder, TorchKernels(), "fp8")
    assert plain["max_abs"] < 1e-5
    assert 1e-4 < quantised["mean_abs"] < 0.03
    generator = Generator(decoder, TorchKernels(), "fp8")
    chunk = dataclasses.replace(CHUNK, temperature=0.0, samples=1, group_seeds=[0] * 4)
    logprobs = []
    for scale, refreshed in ((1.0, True), (3.0, False), (1.0, True)):
        with torch.no_grad():
            for block in decoder.blocks:
                block.down.mul_(scale)
        if refreshed:
            generator.refresh()
        generator.run([job := Job(chunk)])
        logprobs.append(job.answer.result(timeout=0).logprobs)
    assert logprobs[0] == logprobs[1] != logprobs[2]
