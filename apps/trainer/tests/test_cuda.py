"""What only a GPU shows: BF16 compute near FP32, generation near the trainer, everything on the device."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from gradus_trainer.bench_generator.check import check
from gradus_trainer.bench_generator.shapes import SHAPES, random_decoder
from gradus_trainer.engine.step import score, take_step
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.initialise import initialise
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.publish.failure import PublishFailed
from gradus_trainer.publish.ipc import pickled_handles
from gradus_trainer.sampler.continuous.choose_kernels import make_kernels
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.decode import Chunk, decode
from gradus_trainer.sampler.job import Job
from gradus_trainer.wire.batch import Batch
from gradus_trainer.wire.decode import Limits, decode_update
from gradus_trainer.wire.run_body import OptimizerSpec
from tests import tiny
from tests.process import Process

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
SPEC = OptimizerSpec(0.9, 0.95, 1e-8, 0.01, 1.0)


def decoder(device: str, compute: torch.dtype, family: str = "llama") -> Decoder:
    made = Decoder(tiny.architecture(family), torch.device(device), compute)
    initialise(made, 3)
    return made


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_fp32_on_the_device_equals_the_cpu_and_bf16_is_near(family):
    spec, batch = decode_update(tiny.update(1), Limits(tiny.VOCAB, 64, 0))
    outcomes = []
    for device, compute in (("cpu", torch.float32), ("cuda", torch.float32), ("cuda", torch.bfloat16)):
        made = decoder(device, compute, family)
        outcomes.append(take_step(made, Optimizer(made, SPEC), spec, batch, 64).metrics)
    cpu, fp32, bf16 = outcomes
    assert fp32["loss"] == pytest.approx(cpu["loss"], rel=1e-3)
    assert fp32["grad_norm"] == pytest.approx(cpu["grad_norm"], rel=1e-3)
    assert bf16["loss"] == pytest.approx(cpu["loss"], rel=0.05, abs=0.05)
    assert bf16["grad_norm"] == pytest.approx(cpu["grad_norm"], rel=0.1)


@pytest.mark.parametrize(("compute", "most"), [(torch.float32, 1e-3), (torch.bfloat16, 0.1)])
def test_generation_is_near_the_trainer(compute, most):
    made = decoder("cuda", compute)
    chunk = Chunk([[5, 9, 11], [4, 8, 20, 21, 3, 7]], 16, 40, 1.0, [1, 500], (1,))
    done = decode(made, chunk)
    rows = [chunk.prompts[index // 16] + ids for index, ids in enumerate(done.token_ids)]
    starts = [len(chunk.prompts[index // 16]) for index in range(32)]
    mask = np.concatenate([np.arange(len(row)) >= start for row, start in zip(rows, starts, strict=True)])
    batch = Batch(
        [str(index) for index in range(32)],
        np.concatenate(([0], np.cumsum([len(row) for row in rows]))),
        np.concatenate(rows).astype(np.int32),
        mask.astype(np.uint8),
        np.ones(32, np.float32),
        np.ones(32, np.float32),
    )
    logprob, _ = score(made, batch, 4096)
    assert np.abs(logprob[mask] - np.concatenate(done.logprobs)).max() < most
    assert decode(made, chunk) == done


def test_the_kernels_equal_their_references_and_greedy_text_equals_that_of_transformers():
    device = torch.device("cuda")
    rows = check(make_kernels(device), device)
    assert len(rows) > 50
    assert not [row for row in rows if not row[1] <= row[2]]


def test_draws_are_those_of_the_cpu_and_a_row_does_not_depend_on_its_batch():
    made = random_decoder(SHAPES["tiny"], torch.device("cuda"), torch.float32)
    kernels, chunk = make_kernels(torch.device("cuda")), Chunk([[5, 9, 11], [4] * 70], 24, 60, 1.0, [7, 2**63], (1,))
    crowd, alone = Job(chunk), Job(dataclasses.replace(chunk, prompts=chunk.prompts[1:], group_seeds=[2**63]))
    generator = Generator(made, kernels)
    generator.run([Job(dataclasses.replace(chunk, samples=300)), crowd])
    generator.run([alone])
    found = crowd.answer.result(timeout=0).token_ids
    assert found[24:] == alone.answer.result(timeout=0).token_ids
    cpu = random_decoder(SHAPES["tiny"], torch.device("cpu"), torch.float32)
    for mine, theirs in zip(cpu.parameters(), made.parameters(), strict=True):
        mine.data.copy_(theirs)
    assert found == decode(cpu, chunk).token_ids


def test_captured_steps_read_written_parameters():
    made = random_decoder(SHAPES["tiny"], torch.device("cuda"), torch.bfloat16)
    generator = Generator(made, make_kernels(torch.device("cuda")))
    answers = []
    for factor in (1.0, 1.5, 1.0):
        for parameter in made.parameters():
            parameter.data.mul_(factor)
        generator.run([job := Job(Chunk([[5, 9, 11]], 4, 20, 1.0, [7], ()))])
        answers.append(job.answer.result(timeout=0))
    assert answers[0] != answers[1] == answers[2]


def test_the_service_trains_generates_and_restores_on_the_device(tmp_path: Path):
    with Process(tmp_path, "--device", "cuda") as process:
        process.open()
        assert process.call("GET", "/v1/info")[1]["device"] == "cuda"
        assert process.put(1, tiny.update(1))[1]["version"] == 1
        process.checkpoint("one", policy=True)
        assert process.put(2, tiny.update(2))[1]["version"] == 2
        asked = {"model": "r", "prompt": "<on>abc=", "n": 8, "max_tokens": 20, "seed": 3}
        answered = process.post("POST", "/v1/completions", asked)[1]["choices"]
        process.kill()
    with Process(tmp_path, "--device", "cuda") as process:
        assert process.open()["version"] == 2
        assert len(process.post("POST", "/v1/completions", asked)[1]["choices"]) == len(answered)
        assert process.put(3, tiny.update(3))[1]["applied"]


def test_offloading_frees_the_device_and_onloading_brings_the_same_bits_back(tmp_path: Path):
    policy = tiny.run_body()["policy"]
    policy["architecture"] |= {"head_dim": 32}  # what the continuous generator takes, with its pool of a GiB
    with Process(tmp_path, "--device", "cuda") as process:
        process.open(policy=policy)
        assert process.put(1, tiny.update(1))[1]["applied"]
        asked = {"model": "r", "prompt": "<on>abc=", "n": 8, "max_tokens": 20, "seed": 3}
        answered = process.post("POST", "/v1/completions", asked)[1]["choices"]
        digest = process.call("GET", "/v1/runs/r")[1]["policy_digest"]
        (run,) = process.call("GET", "/v1/info")[1]["runs"]
        assert run["attention"] in {"flash", "flash4", "plain"}
        offloaded = process.call("POST", "/v1/engine/offload")[1]
        assert offloaded["bytes"] > 1 << 30
        assert offloaded["held_bytes"] < 256 << 20
        assert process.put(2, tiny.update(2))[1]["code"] == "engine_offloaded"
        assert process.call("POST", "/v1/engine/onload")[1]["offloaded"] is False
        assert process.call("GET", "/v1/runs/r")[1]["policy_digest"] == digest
        assert process.post("POST", "/v1/completions", asked)[1]["choices"] == answered
        assert process.put(2, tiny.update(2))[1]["version"] == 2


def test_ipc_handles_name_this_gpu_and_are_of_cuda_tensors_alone():
    buffer = torch.arange(4096, dtype=torch.bfloat16, device="cuda")
    raw = base64.b64decode(pickled_handles([buffer[:128], buffer[256:384].view(8, 16)]))
    gpu = str(torch.cuda.get_device_properties(0).uuid)
    assert raw.count(gpu.encode()) == 2
    assert b"bfloat16" in raw
    with pytest.raises(PublishFailed, match="CUDA device"):
        pickled_handles([torch.zeros(2)])
