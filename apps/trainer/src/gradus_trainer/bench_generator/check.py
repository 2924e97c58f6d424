"""Is the generator right on this device: each operation beside its reference, greedy text beside transformers'."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gradus_trainer.bench_generator.shapes import random_decoder
from gradus_trainer.model.config import Architecture, config_document
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.sampler.continuous import row_state
from gradus_trainer.sampler.continuous.generator import Generator
from gradus_trainer.sampler.continuous.kernels import AttentionShape, AttentionWeights, Kernels, Scaled
from gradus_trainer.sampler.continuous.quantise import FP8
from gradus_trainer.sampler.continuous.torch_kernels import TorchKernels
from gradus_trainer.sampler.decode import Chunk
from gradus_trainer.sampler.job import Job

ROWS, COLUMNS, POOL = 5, 8, 400
TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 1e-2, FP8: 4e-2}
FAMILIES = ("llama", "qwen2", "qwen3")


def distance(found: Tensor, wanted: Tensor) -> float:
    """‖found − wanted‖ / ‖wanted‖."""
    found, wanted = found.double(), wanted.double()
    return float((found - wanted).norm() / wanted.norm().clamp(min=1e-30))


def some_state(device: torch.device) -> Tensor:
    """Positions with a shared prompt, a long context, no prompt, a full range, no row; greedy and warm."""
    state = torch.tensor(row_state.IDLE, dtype=torch.int64)[:, None].repeat(1, COLUMNS)
    state[row_state.TOKEN, :4] = torch.tensor([3, 1, 7, 2])
    state[row_state.LENGTH, :5] = torch.tensor([0, 5, 170, 9, 3])
    state[row_state.CAPACITY, :4] = torch.tensor([60, 60, 180, 4])
    state[row_state.PREFIX_START, :4] = torch.tensor([1, 1, 0, 380])
    state[row_state.PREFIX_LENGTH, :4] = torch.tensor([70, 70, 0, 1])
    state[row_state.OWN_START, :4] = torch.tensor([75, 135, 195, 390])
    state[row_state.SEED, :4] = torch.tensor([5, -7, 2**62, 9])
    heat = [row_state.temperature_bits(temperature) for temperature in (1.0, 0.6, 0.0, 2.0)]
    state[row_state.TEMPERATURE, :4] = torch.tensor(heat)
    return state.to(device)


def attention_cases() -> Iterator[tuple[AttentionShape, bool, bool]]:
    """(shape, bias, norm)."""
    yield AttentionShape(9, 3, 64, 1), False, False
    yield AttentionShape(16, 8, 128, 2), False, True
    yield AttentionShape(12, 2, 128, 4), True, False
    yield AttentionShape(4, 4, 32, 1), True, True


def check_attention(kernels: Kernels, device: torch.device, dtype: torch.dtype) -> Iterator[tuple[str, float, float]]:
    """Mixed values and stored keys and values of every case; for prompts, everything that is left in place."""
    for shape, bias, norm in attention_cases():
        width, dim = (shape.heads + 2 * shape.kv_heads) * shape.head_dim, shape.head_dim
        weights = AttentionWeights(
            torch.randn(width, device=device) if bias else None,
            torch.rand(dim, device=device) + 0.5 if norm else None,
            torch.rand(dim, device=device) + 0.5 if norm else None,
            1e-6,
        )
        angle = torch.arange(POOL, device=device)[:, None] * torch.rand(dim // 2, device=device)
        rope = (angle.cos(), angle.sin())
        qkv = torch.randn(ROWS, width, device=device, dtype=dtype)
        pool = torch.randn(2, shape.kv_heads, POOL, dim, device=device, dtype=dtype)
        place = (torch.tensor([0, 1, 2, 3, 300], device=device), torch.tensor([9, 8, -1, 4, 399], device=device))
        results = []
        for implementation in (kernels, TorchKernels()):
            mine, prompts, turned = pool.clone(), pool.clone(), qkv.clone()
            out = torch.full((ROWS, shape.heads * dim), torch.nan, device=device, dtype=dtype)
            implementation.attend(some_state(device), qkv, weights, rope, (mine[0], mine[1]), shape, out)
            implementation.rotate(turned, place, weights, rope, (prompts[0], prompts[1]), shape)
            # token 0 belongs to idle positions, which write it in any order
            results.append((out[: ROWS - 1], mine[:, :, 1:], turned, prompts))
        for name, found, wanted in zip(("mixed", "pool", "turned", "prompts"), *results, strict=True):
            yield f"attend {shape.heads}/{shape.kv_heads}x{dim} {name}", distance(found, wanted), TOLERANCE[dtype]


def check_rows(kernels: Kernels, device: torch.device, dtype: torch.dtype) -> Iterator[tuple[str, float, float]]:
    """Embedding, residual and norm, gate, plain and in FP8."""
    width = 576
    embedding = torch.randn(10, width, device=device, dtype=dtype)
    delta = torch.randn(ROWS, width, device=device, dtype=dtype)
    weight, gate_up = torch.rand(width, device=device) + 0.5, torch.randn(ROWS, 2 * width, device=device, dtype=dtype)
    results: list[dict[str, Tensor]] = []
    for implementation in (kernels, TorchKernels()):
        out: dict[str, Tensor] = {}
        hidden = torch.full((ROWS, width), torch.nan, device=device)
        implementation.embed(some_state(device), embedding, hidden)
        out["embed"] = hidden.clone()
        for kind in (dtype, FP8):
            for name in ("norm", "gate", "put"):
                values = torch.zeros(ROWS, width, device=device, dtype=kind)
                scale = torch.zeros(ROWS, 1, device=device) if kind == FP8 else None
                if name == "norm":
                    implementation.add_norm(hidden, delta, weight, 1e-6, Scaled(values, scale))
                elif name == "put":
                    implementation.put(delta, Scaled(values, scale))
                else:
                    implementation.gate(gate_up, Scaled(values, scale))
                out[f"{name} {kind}"] = values.float() if scale is None else values.float() * scale
        results.append(out)
    for name, wanted in results[1].items():
        yield name, distance(results[0][name], wanted), TOLERANCE[FP8 if "float8" in name else dtype]


def check_pick(kernels: Kernels, device: torch.device) -> Iterator[tuple[str, float, float]]:
    """Tokens, states and log-probabilities; an impossible token among the logits."""
    for vocab in (37, 4099, 49152):
        logits = torch.randn(ROWS, vocab, device=device) * 3
        logits[:, 5] = -torch.inf
        results = []
        for implementation in (kernels, TorchKernels()):
            state, out = some_state(device), torch.zeros(2, COLUMNS, dtype=torch.int32, device=device)
            implementation.pick(state, logits, out)
            results.append((state[:, :ROWS], out[0, :ROWS], out[1].view(torch.float32)[:ROWS]))
        for name, found, wanted in zip(("state", "token", "logprob"), *results, strict=True):
            limit = 1e-5 if name == "logprob" else 0.0
            yield f"pick of {vocab} {name}", distance(found, wanted), limit


def small_architecture(family: str) -> Architecture:
    """Grouped heads, two layers, weights large enough that greedy choices are not near ties."""
    return Architecture(family, 512, 128, 96, 2, 4, 2, 32, 1e-6, 10000.0, 512, family != "llama", 0.3)


def greedy_of_transformers(decoder: Decoder, prompts: list[list[int]], tokens: int) -> list[list[int]]:
    """What `generate` of transformers makes of the same weights, in FP32, one prompt after another."""
    from transformers import AutoConfig, AutoModelForCausalLM  # noqa: PLC0415 (an oracle, not a dependency)

    document = config_document(decoder.architecture, None, [decoder.architecture.vocab_size])
    config = AutoConfig.for_model(**document)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()
    model.load_state_dict(hugging_face_views(decoder), strict=False)
    model = model.to(decoder.embedding.device).eval()
    texts = []
    for prompt in prompts:
        ids = torch.tensor([prompt], device=decoder.embedding.device)
        told = model.generate(ids, max_new_tokens=tokens, do_sample=False, eos_token_id=None, pad_token_id=0)
        texts.append(told[0, len(prompt) :].tolist())
    return texts


def check_greedy(kernels: Kernels, device: torch.device) -> Iterator[tuple[str, float, float]]:
    """Share of rows whose greedy text differs from transformers', FP32, token by token."""
    prompts = [[5, 9, 11], [4, 8, 20, 21, 3, 7], [30], list(range(40, 140))]
    for family in FAMILIES:
        decoder = random_decoder(small_architecture(family), device, torch.float32, 1)
        job = Job(Chunk(prompts, 1, 48, 0.0, [0] * len(prompts), ()))
        Generator(decoder, kernels).run([job])
        found, wanted = job.answer.result().token_ids, greedy_of_transformers(decoder, prompts, 48)
        yield f"greedy {family}", sum(a != b for a, b in zip(found, wanted, strict=True)) / len(prompts), 0.0


def check(kernels: Kernels, device: torch.device) -> list[tuple[str, float, float]]:
    """(name, found, limit) of everything."""
    torch.manual_seed(0)
    dtypes = (torch.float32, torch.bfloat16)
    with torch.inference_mode():
        rows = [row for dtype in dtypes for row in check_attention(kernels, device, dtype)]
        rows += [row for dtype in dtypes for row in check_rows(kernels, device, dtype)]
        rows += check_pick(kernels, device)
    return rows + list(check_greedy(kernels, device))
