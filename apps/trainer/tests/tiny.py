"""A tiny policy, its run body, and Arrow bodies of updates: what every test begins with."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from gradus_trainer.model.config import Architecture
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.initialise import initialise

CHARACTERS = {
    "kind": "characters",
    "pad": "<pad>",
    "end": "<end>",
    "tokens": ["<think>", "</think>", "<on>", "<off>"],
    "characters": "abcdefghijklmnopqrstuvwxyz=",
}
VOCAB = 2 + 4 + 27


def architecture(family: str = "llama", **changes: Any) -> Architecture:
    """Grouped heads, untied, 2 layers."""
    sizes: dict[str, Any] = {
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "intermediate_size": 48,
        "layers": 2,
        "heads": 4,
        "kv_heads": 2,
        "head_dim": 8,
        "norm_epsilon": 1e-5,
        "rope_theta": 10000.0,
        "max_positions": 64,
        "tied_embeddings": False,
        "init_std": 0.2,
    }
    return Architecture(family=family, **(sizes | changes))


def decoder(family: str = "llama", seed: int = 3, **changes: Any) -> Decoder:
    """An initialised FP32 decoder whose norms and biases are not trivial either."""
    made = Decoder(architecture(family, **changes), torch.device("cpu"), torch.float32)
    initialise(made, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return made


def run_body(**changes: Any) -> dict[str, Any]:
    """The body that opens a tiny `init` run."""
    shape = architecture(tied_embeddings=True)
    fields = ("hidden_size", "intermediate_size", "layers", "heads", "kv_heads", "head_dim", "norm_epsilon")
    fields += ("rope_theta", "max_positions", "tied_embeddings", "init_std")
    stated = {"family": "llama"} | {name: getattr(shape, name) for name in fields}
    return {
        "format": 1,
        "policy": {"kind": "init", "seed": 17, "architecture": stated, "tokenizer": CHARACTERS},
        "optimizer": {
            "kind": "adamw",
            "beta1": 0.9,
            "beta2": 0.95,
            "epsilon": 1e-8,
            "weight_decay": 0.01,
            "max_grad_norm": 1.0,
        },
        "micro_batch_tokens": 64,
        "dtype": "auto",
    } | changes


ARROW_TYPE = {
    "sample_id": pa.utf8(),
    "group_id": pa.utf8(),
    "token_ids": pa.list_(pa.int32()),
    "loss_mask": pa.list_(pa.uint8()),
    "rollout_logprob": pa.list_(pa.float32()),
    "advantage": pa.float32(),
    "token_advantage": pa.list_(pa.float32()),
    "old_logprob": pa.list_(pa.float32()),
    "ref_logprob": pa.list_(pa.float32()),
    "temperature": pa.float32(),
    "sample_weight": pa.float32(),
    "policy_version": pa.int32(),
    "reward": pa.float32(),
    "truncated": pa.uint8(),
}


def columns(rows: int = 6, seed: int = 0) -> dict[str, list[Any]]:
    """Python lists of a valid `clipped` batch of ragged rows."""
    random = np.random.default_rng(seed)
    lengths = random.integers(5, 12, rows)
    masks = [[0, 0, *([1] * (length - 3)), 1] for length in lengths]
    return {
        "sample_id": [f"s{row}" for row in range(rows)],
        "group_id": [f"g{row // 2}" for row in range(rows)],
        "token_ids": [random.integers(2, VOCAB, length).tolist() for length in lengths],
        "loss_mask": masks,
        "rollout_logprob": [[-float(random.uniform(0.5, 4)) if m else 0.0 for m in mask] for mask in masks],
        "advantage": random.normal(size=rows).astype(np.float32).tolist(),
    }


def metadata(update: int = 1, parent: int = 0, **changes: Any) -> dict[str, Any]:
    """The metadata of a `clipped` update."""
    return {
        "format": 1,
        "run": "r",
        "update": update,
        "parent_version": parent,
        "learning_rate": 1e-2,
        "loss": {"kind": "clipped", "clip_low": 0.2, "clip_high": 0.28, "kl_coef": 0.0},
        "normaliser": "tokens",
        "denominator": 40.0,
    } | changes


def table(cells: dict[str, list[Any]], stated: dict[str, Any] | str | None) -> pa.Table:
    """An Arrow table with the metadata under `gradus`."""
    made = pa.table({name: pa.array(values, ARROW_TYPE[name]) for name, values in cells.items()})
    text = stated if isinstance(stated, str) else json.dumps(stated)
    return made.replace_schema_metadata(None if stated is None else {"gradus": text})


def stream(made: pa.Table, **options: Any) -> bytes:
    """An Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema, **options) as writer:
        writer.write_table(made)
    return sink.getvalue().to_pybytes()


def update(number: int = 1, parent: int | None = None, seed: int | None = None, **changes: Any) -> bytes:
    """The body of a valid update."""
    cells = columns(seed=number if seed is None else seed)
    return stream(table(cells, metadata(number, number - 1 if parent is None else parent, **changes)))


def digest_header(body: bytes) -> str:
    """Content-Digest of bytes."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
