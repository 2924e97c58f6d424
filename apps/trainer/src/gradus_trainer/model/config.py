"""The shape of a policy, as the protocol states it and as a Hugging Face config.json states it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from gradus_trainer.model.rope_scaling import Llama3Scaling, read_scaling
from gradus_trainer.problem import Problem
from gradus_trainer.wire.fields import Fields

FAMILY = ["llama", "qwen2", "qwen3"]
ARCHITECTURE_CLASS = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
MAX_PARAMETERS = 500_000_000_000
"""More is a slip: the greatest public dense policy is Llama 3.1 405B. Whether it fits into memory is asked later."""


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Sizes and switches of one decoder. `init_std` only matters for a policy that is made from a seed."""

    family: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    norm_epsilon: float
    rope_theta: float
    max_positions: int
    tied_embeddings: bool
    init_std: float = 0.02
    rope_scaling: Llama3Scaling | None = None

    @property
    def qkv_bias(self) -> bool:
        """Qwen2 alone has a bias on its query, key and value projections."""
        return self.family == "qwen2"

    @property
    def qk_norm(self) -> bool:
        """Qwen3 alone normalises queries and keys per head."""
        return self.family == "qwen3"

    @property
    def parameters(self) -> int:
        """Number of parameters; tied weights count once."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = self.hidden_size * (2 * query + 2 * key) + (query + 2 * key) * self.qkv_bias
        norms = 2 * self.hidden_size + 2 * self.head_dim * self.qk_norm
        block = attention + 3 * self.hidden_size * self.intermediate_size + norms
        heads = self.vocab_size * self.hidden_size * (1 if self.tied_embeddings else 2)
        return self.layers * block + heads + self.hidden_size


def architecture_from_wire(fields: Fields, vocab_size: int) -> Architecture:
    """Reads `policy.architecture` of the protocol."""
    architecture = Architecture(
        family=fields.choice("family", FAMILY),
        vocab_size=vocab_size,
        hidden_size=fields.integer("hidden_size", 1, 65536),
        intermediate_size=fields.integer("intermediate_size", 1, 1 << 20),
        layers=fields.integer("layers", 1, 1024),
        heads=fields.integer("heads", 1, 1024),
        kv_heads=fields.integer("kv_heads", 1, 1024),
        head_dim=fields.integer("head_dim", 2, 1024),
        norm_epsilon=fields.number("norm_epsilon", above=0, high=1),
        rope_theta=fields.number("rope_theta", above=0, high=1e12),
        max_positions=fields.integer("max_positions", 2, 1 << 22),
        tied_embeddings=fields.boolean("tied_embeddings"),
        init_std=fields.number("init_std", low=0, high=100),
    )
    fields.close()
    if architecture.heads % architecture.kv_heads:
        raise fields.refuse("kv_heads", "must divide heads")
    if architecture.head_dim % 2:
        raise fields.refuse("head_dim", "must be even")
    if architecture.parameters > MAX_PARAMETERS:
        raise fields.refuse("hidden_size", f"makes a policy of more than {MAX_PARAMETERS} parameters")
    return architecture


def architecture_from_config(config: dict[str, Any]) -> Architecture:
    """Reads a Hugging Face config.json; what this decoder does not compute is refused, never ignored."""
    family = config.get("model_type")
    if family not in FAMILY:
        raise _unavailable(f"model_type {family!r} is not one of {', '.join(FAMILY)}")
    if config.get("attention_bias") and family != "qwen2":
        raise _unavailable("attention_bias is not supported")
    for switch in ("mlp_bias", "use_sliding_window"):
        if config.get(switch):
            raise _unavailable(f"{switch} is not supported")
    if config.get("hidden_act", "silu") != "silu":
        raise _unavailable(f"hidden_act {config['hidden_act']!r} is not supported")
    try:
        return _architecture_of(family, config)
    except (KeyError, TypeError, ValueError) as error:
        raise _unavailable(f"config.json: {error!r}") from error


def _architecture_of(family: str, config: dict[str, Any]) -> Architecture:
    heads = _positive(config["num_attention_heads"])
    hidden_size = _positive(config["hidden_size"])
    theta, scaling = _rope(config)
    architecture = Architecture(
        family=family,
        vocab_size=_positive(config["vocab_size"]),
        hidden_size=hidden_size,
        intermediate_size=_positive(config["intermediate_size"]),
        layers=_positive(config["num_hidden_layers"]),
        heads=heads,
        kv_heads=_positive(config.get("num_key_value_heads") or heads),
        head_dim=_positive(config.get("head_dim") or hidden_size // heads),
        norm_epsilon=float(config["rms_norm_eps"]),
        rope_theta=theta,
        max_positions=_positive(config["max_position_embeddings"]),
        tied_embeddings=bool(config.get("tie_word_embeddings", False)),
        init_std=float(config.get("initializer_range", 0.02)),
        rope_scaling=scaling,
    )
    if architecture.heads % architecture.kv_heads or architecture.head_dim % 2:
        raise ValueError("heads must be a multiple of key/value heads and head_dim even")
    return architecture


def _positive(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{value!r} is not a positive integer")
    return value


def _rope(config: dict[str, Any]) -> tuple[float, Llama3Scaling | None]:
    """Base and scaling: `rope_theta` and `rope_scaling` of transformers 4, `rope_parameters` of transformers 5."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    scaling = read_scaling(rope, kind)
    theta = float(rope.get("rope_theta", config.get("rope_theta", 10000.0)))
    if not (math.isfinite(theta) and theta > 0):
        raise ValueError("rope_theta must be positive")
    return theta, scaling


def config_document(architecture: Architecture, pad: int | None, end: list[int]) -> dict[str, Any]:
    """The config.json that transformers 4 and 5 and vLLM read for this policy."""
    scaling = architecture.rope_scaling
    rope: dict[str, Any] = {"rope_type": "default"} if scaling is None else scaling.document()
    rope["rope_theta"] = architecture.rope_theta
    document = {
        "architectures": [ARCHITECTURE_CLASS[architecture.family]],
        "model_type": architecture.family,
        "hidden_act": "silu",
        "vocab_size": architecture.vocab_size,
        "hidden_size": architecture.hidden_size,
        "intermediate_size": architecture.intermediate_size,
        "num_hidden_layers": architecture.layers,
        "num_attention_heads": architecture.heads,
        "num_key_value_heads": architecture.kv_heads,
        "head_dim": architecture.head_dim,
        "rms_norm_eps": architecture.norm_epsilon,
        "rope_theta": architecture.rope_theta,
        "rope_parameters": rope,
        "max_position_embeddings": architecture.max_positions,
        "tie_word_embeddings": architecture.tied_embeddings,
        "initializer_range": architecture.init_std,
        "attention_bias": architecture.qkv_bias,
        "torch_dtype": "float32",
        "bos_token_id": None,
        "eos_token_id": end[0] if len(end) == 1 else end,
        "pad_token_id": pad,
    }
    if scaling is not None:
        # the name that transformers 4 reads; 5 takes it for the whole of `rope_parameters`, so it has the base too
        document["rope_scaling"] = rope
    if architecture.family == "llama":
        document["mlp_bias"] = False
    if architecture.family == "qwen2":
        del document["attention_bias"], document["head_dim"]
    return document


def read_config(directory: Path) -> dict[str, Any]:
    """Parses config.json of a Hugging Face directory."""
    try:
        config = json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unavailable(f"config.json of {directory} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise _unavailable("config.json is not an object")
    return config


def _unavailable(detail: str) -> Problem:
    return Problem("policy_unavailable", detail, field="policy")
