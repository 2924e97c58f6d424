"""The body that opens a run, validated and with its defaults filled in."""

from __future__ import annotations

import dataclasses
from typing import Any

from gradus_trainer.adamw_bf16 import MAX_BETA
from gradus_trainer.model.config import Architecture, architecture_from_wire
from gradus_trainer.problem import Problem
from gradus_trainer.tokenizer import Tokenizer, character_tokenizer
from gradus_trainer.wire.fields import Fields

CHECKPOINTING = ("off", "selective", "full")
POLICY = ["init", "huggingface", "gguf", "artifact"]


@dataclasses.dataclass(frozen=True)
class OptimizerSpec:
    """AdamW (Loshchilov and Hutter 2019) with gradient clipping by global norm."""

    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    max_grad_norm: float
    moments: str = "float32"


@dataclasses.dataclass(frozen=True)
class RunBody:
    """`stored` is what another PUT must equal; `policy` keeps the source as written."""

    policy: dict[str, Any]
    optimizer: OptimizerSpec
    micro_batch_tokens: int
    dtype: str
    checkpointing: str
    stored: dict[str, Any]


def read_run_body(document: dict[str, Any]) -> RunBody:
    """Validates everything that can be judged without opening the policy."""
    fields = Fields(document)
    fields.format()
    policy = fields.object("policy")
    _check_policy(policy)
    micro_batch_tokens = fields.integer("micro_batch_tokens", 1, 1 << 24, default=8192)
    dtype = fields.choice("dtype", ["auto", "float32", "bfloat16"], default="auto")
    checkpointing = fields.choice("activation_checkpointing", ["auto", *CHECKPOINTING], default="auto")
    optimizer = _read_optimizer(fields.object("optimizer"))
    fields.close()
    stored = document | {"micro_batch_tokens": micro_batch_tokens, "dtype": dtype}
    return RunBody(document["policy"], optimizer, micro_batch_tokens, dtype, checkpointing, stored)


def read_init(policy: dict[str, Any]) -> tuple[int, Architecture, Tokenizer]:
    """Seed, architecture and tokenizer of an `init` policy."""
    fields = Fields(policy, "policy")
    fields.choice("kind", ["init"])
    seed = fields.integer("seed")
    tokenizer = character_tokenizer(fields.object("tokenizer"))
    architecture = architecture_from_wire(fields.object("architecture"), tokenizer.size)
    fields.close()
    return seed, architecture, tokenizer


def _check_policy(policy: Fields) -> None:
    kind = policy.choice("kind", POLICY)
    if kind == "init":
        for name in ("seed", "architecture", "tokenizer"):
            policy.raw(name)
        return
    policy.text("digest" if kind == "artifact" else "path")
    policy.close()


def _read_optimizer(fields: Fields) -> OptimizerSpec:
    fields.choice("kind", ["adamw"])
    spec = OptimizerSpec(
        beta1=fields.number("beta1", low=0, high=1),
        beta2=fields.number("beta2", low=0, high=1),
        epsilon=fields.number("epsilon", above=0, high=1),
        weight_decay=fields.number("weight_decay", low=0, high=1e3),
        max_grad_norm=fields.number("max_grad_norm", above=0),
        moments=fields.choice("moments", ["float32", "bfloat16"], default="float32"),
    )
    for name, value in (("beta1", spec.beta1), ("beta2", spec.beta2)):
        if value == 1:
            raise fields.refuse(name, "must be less than 1")
        if spec.moments == "bfloat16" and value > MAX_BETA:
            raise fields.refuse(name, f"must be at most {MAX_BETA} with bfloat16 moments")
    fields.close()
    return spec


def first_difference(stored: Any, sent: Any, path: str = "") -> str | None:
    """JSON path of the first value (in name order) that differs; None when both are equal."""
    if isinstance(stored, dict) and isinstance(sent, dict):
        for name in sorted(stored.keys() | sent.keys()):
            inner = f"{path}.{name}" if path else name
            if name not in stored or name not in sent:
                return inner
            found = first_difference(stored[name], sent[name], inner)
            if found:
                return found
        return None
    if isinstance(stored, list) and isinstance(sent, list) and len(stored) == len(sent):
        pairs = enumerate(zip(stored, sent, strict=True))
        return next((d for i, (a, b) in pairs if (d := first_difference(a, b, f"{path}[{i}]"))), None)
    same = stored == sent and isinstance(stored, bool) == isinstance(sent, bool)
    return None if same else path


def conflict(stored: dict[str, Any], sent: dict[str, Any]) -> Problem | None:
    """The problem of re-opening a run with another body."""
    path = first_difference(stored, sent)
    return None if path is None else Problem("run_conflict", f"{path} differs from the stored run", field=path)
