"""Sampled tokens follow the softmax, depend on the request alone, and carry the trainer's own log-probabilities."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from gradus_trainer.engine.step import score
from gradus_trainer.model.attention import causal_attention
from gradus_trainer.sampler.choose import choose
from gradus_trainer.sampler.decode import Chunk, decode
from gradus_trainer.sampler.uniform import row_seeds, uniforms
from gradus_trainer.wire.batch import Batch
from tests import tiny

PROMPTS = [[5, 9, 11], [4, 8, 20, 21, 3, 7], [30], [6, 6]]
CHUNK = Chunk(PROMPTS, 8, 24, 1.0, [100, 2000, 30, 7], (1, 2, 3, 4))


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probabilities_equal_the_trainers(family, temperature):
    decoder = tiny.decoder(family)
    done = decode(decoder, dataclasses.replace(CHUNK, temperature=temperature))
    prompts = [prompt for prompt in PROMPTS for _ in range(8)]
    rows = [prompt + ids for prompt, ids in zip(prompts, done.token_ids, strict=True)]
    masks = [[0] * len(prompt) + [1] * len(ids) for prompt, ids in zip(prompts, done.token_ids, strict=True)]
    batch = Batch(
        [str(index) for index in range(32)],
        np.concatenate(([0], np.cumsum([len(row) for row in rows]))),
        np.concatenate(rows).astype(np.int32),
        np.concatenate(masks).astype(np.uint8),
        np.full(32, temperature, np.float32),
        np.ones(32, np.float32),
    )
    logprob, _ = score(decoder, batch, 200)
    np.testing.assert_allclose(logprob[batch.loss_mask == 1], np.concatenate(done.logprobs), atol=1e-5)
    assert len({len(ids) for ids in done.token_ids}) > 1


def test_equal_chunks_give_equal_bits_and_rows_differ():
    first, second = (decode(tiny.decoder(), CHUNK) for _ in range(2))
    assert first == second
    assert len({tuple(ids) for ids in first.token_ids}) > 20


def test_a_row_ends_with_its_stop_token_or_at_the_limit():
    done = decode(tiny.decoder(), CHUNK)
    for ids, logprobs, stopped in zip(done.token_ids, done.logprobs, done.stopped, strict=True):
        assert len(ids) == len(logprobs) <= 24
        assert (ids[-1] in CHUNK.stop) == stopped
        assert not set(ids[:-1]) & set(CHUNK.stop)
        assert stopped or len(ids) == 24
    assert any(done.stopped)
    assert not all(done.stopped)


def test_grouped_prompts_give_what_single_prompts_give():
    grouped = decode(tiny.decoder(), CHUNK)
    flat_prompts = [prompt for prompt in PROMPTS for _ in range(8)]
    flat_seeds = [seed + index for seed in CHUNK.group_seeds for index in range(8)]
    single = decode(tiny.decoder(), dataclasses.replace(CHUNK, prompts=flat_prompts, samples=1, group_seeds=flat_seeds))
    assert grouped.token_ids == single.token_ids
    for one, other in zip(grouped.logprobs, single.logprobs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_prompt_gives_the_same_text_beside_longer_prompts():
    alone = decode(tiny.decoder(), dataclasses.replace(CHUNK, prompts=[[30]], group_seeds=[30]))
    assert decode(tiny.decoder(), CHUNK).token_ids[16:24] == alone.token_ids


def test_long_completions_outgrow_the_first_cache():
    decoder = tiny.decoder(max_positions=400)
    chunk = Chunk([[5, 6], [7]], 2, 300, 1.0, [1, 2], ())
    done = decode(decoder, chunk)
    ids = torch.tensor([[5, 6, *done.token_ids[0]]])
    with torch.no_grad():
        hidden = decoder(ids, decoder.rope_from_start(302), causal_attention)[0]
    every = (hidden @ decoder.head.T).log_softmax(-1)
    expected = every[1:-1].gather(1, ids[0, 2:, None]).squeeze(1)
    np.testing.assert_allclose(done.logprobs[0], expected.detach().numpy(), atol=2e-5)


def test_the_distribution_is_the_softmax():
    logits = torch.tensor([[2.0, 0.0, -1.0, 1.0, -30.0, 0.5]])
    draws = torch.from_numpy(uniforms(row_seeds([9], 20_000), 3, 1)[:, 0])
    for temperature in (1.0, 0.5):
        token, logprob = choose(logits.expand(20_000, -1), temperature, draws)
        expected = (logits[0] / temperature).softmax(-1).double().numpy() * 20_000
        found = np.bincount(token.numpy(), minlength=6)
        assert found[4] == 0
        seen = expected > 1
        chi_square = ((found[seen] - expected[seen]) ** 2 / expected[seen]).sum()
        assert chi_square < 20.5  # 0.999 quantile for 5 degrees of freedom
        torch.testing.assert_close(logprob, (logits[0] / temperature).log_softmax(-1)[token])


def test_generated_first_tokens_follow_the_policy():
    decoder = tiny.decoder(init_std=0.4)
    done = decode(decoder, Chunk([[5, 9, 11]], 8192, 1, 1.0, [0], ()))
    with torch.no_grad():
        hidden = decoder(torch.tensor([[5, 9, 11]]), decoder.rope_from_start(3), causal_attention)[0, -1]
    expected = (hidden @ decoder.head.T).softmax(-1).detach().double().numpy() * 8192
    found = np.bincount([ids[0] for ids in done.token_ids], minlength=tiny.VOCAB)
    seen = expected > 5
    chi_square = ((found[seen] - expected[seen]) ** 2 / expected[seen]).sum()
    degrees = seen.sum() - 1
    assert chi_square < degrees + 4 * math.sqrt(2 * degrees)


def test_a_token_of_probability_zero_is_never_taken():
    logits = torch.tensor([[-math.inf, 0.0, -math.inf]])
    for draw in (0.0, 0.5, 1 - 2.0**-53):
        token, _ = choose(logits, 1.0, torch.tensor([draw], dtype=torch.float64))
        assert token.item() == 1


def test_uniforms_depend_on_seed_and_counter_only():
    seeds = row_seeds([5, 2**64 - 1], 2)
    assert seeds.tolist() == [5, 6, 2**64 - 1, 0]
    every = uniforms(seeds, 0, 10)
    np.testing.assert_array_equal(every[2:3, 4:7], uniforms(seeds[2:3], 4, 3))
    assert len(np.unique(every)) == 40


def test_uniforms_are_uniform_and_streams_of_neighbouring_seeds_unrelated():
    draws = uniforms(row_seeds([0], 400), 0, 250)
    assert draws.min() >= 0
    assert draws.max() < 1
    counts, _ = np.histogram(draws, 50, (0, 1))
    assert ((counts - 2000) ** 2 / 2000).sum() < 86  # 0.999 quantile for 49 degrees of freedom
    correlation = np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]
    lagged = np.corrcoef(draws[:, :-1].ravel(), draws[:, 1:].ravel())[0, 1]
    assert abs(correlation) < 0.013
    assert abs(lagged) < 0.013
