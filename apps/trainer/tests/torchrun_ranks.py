"""One rank of test_torchrun.py's job: takes the updates that one process takes, saves, loads, and tells the results."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from gradus_trainer.engine.step import score, take_step
from gradus_trainer.engine.team import ALONE, Team
from gradus_trainer.engine.torchrun import checkpoint
from gradus_trainer.engine.torchrun.export import export, policy_digest
from gradus_trainer.engine.torchrun.fill import Weights, fill, from_seed
from gradus_trainer.engine.torchrun.group import Group, join, make_group
from gradus_trainer.engine.torchrun.optimizer import ShardedOptimizer
from gradus_trainer.engine.torchrun.saving import Head, Saving
from gradus_trainer.engine.torchrun.sharding import shard
from gradus_trainer.model.config import config_document
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.initialise import initialise
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.problem import Problem
from gradus_trainer.tokenizer import character_tokenizer
from gradus_trainer.versions import prepare_torch
from gradus_trainer.wire.decode import Limits, decode_update
from gradus_trainer.wire.fields import Fields
from gradus_trainer.wire.run_body import OptimizerSpec
from tests import tiny

RANKS = 2
SPEC = OptimizerSpec(0.9, 0.95, 1e-8, 0.01, 1.0)
MICRO_BATCH = 24
"""Small enough that a share is cut into several micro-batches, and that shares have different numbers of them."""
CLIPPED = {"clip_low": 0.2, "clip_high": 0.28, "kl_coef": 0.0}
IMPORTANCE = {
    "truncate": {"kind": "truncate", "cap": 2.0},
    "icepop": {"kind": "icepop", "low": 0.5, "high": 2.0},
    "sequence_mask": {"kind": "sequence_mask", "low": 0.1, "high": 4.0},
}
LOSSES: dict[str, dict[str, Any]] = {
    "cross_entropy": {"kind": "cross_entropy"},
    "clipped": {"kind": "clipped", **CLIPPED, "entropy_coef": 0.01},
    "cispo": {"kind": "cispo", **CLIPPED},
    "gspo": {"kind": "gspo", **CLIPPED},
    "kl": {"kind": "clipped", **CLIPPED, "kl_coef": 0.1},
    **{f"importance_{name}": {"kind": "clipped", **CLIPPED, "importance": spec} for name, spec in IMPORTANCE.items()},
}
CASES = [
    *((loss, "llama", "tokens", 7, 1) for loss in LOSSES),
    ("gspo", "qwen2", "sequences", 7, 2),
    ("clipped", "qwen3", "constant", 1, 1),
    ("clipped", "qwen3", "tokens", 2, 2),
]
"""(loss, family, normaliser, rows, replicas): all losses, one row for two ranks, whole copies beside shards."""


def device() -> str:
    return "cuda" if torch.cuda.device_count() >= RANKS else "cpu"


def body(case: tuple[str, str, str, int, int], number: int) -> bytes:
    """The update of a case, of ragged rows, some of which are not trained on."""
    loss, _, normaliser, rows, _ = case
    cells = tiny.columns(rows, seed=number)
    if rows > 5:
        cells["loss_mask"][2] = [0] * len(cells["loss_mask"][2])
        cells["rollout_logprob"][2] = [0.0] * len(cells["rollout_logprob"][2])
    if LOSSES[loss].get("kl_coef"):
        cells["ref_logprob"] = [[value - 0.25 if value else 0.0 for value in row] for row in cells["rollout_logprob"]]
    cells["temperature"] = np.linspace(0.7, 1.3, rows).astype(np.float32).tolist()
    stated = tiny.metadata(number, number - 1, loss=LOSSES[loss], normaliser=normaliser, learning_rate=1e-3)
    return tiny.stream(tiny.table(cells, stated))


def updates(case: tuple[str, str, str, int, int], decoder: Decoder, optimizer: Optimizer, team: Team) -> Iterator[Any]:
    """Two updates, then what the policy thinks of the rows."""
    for number in (1, 2):
        spec, batch = decode_update(body(case, number), Limits(tiny.VOCAB, 64, number - 1))
        outcome = take_step(decoder, optimizer, spec, batch, MICRO_BATCH, team=team)
        assert outcome.reason is None
        yield outcome.metrics
    logprob, entropy = score(decoder, batch, MICRO_BATCH, team)
    yield {"logprob": logprob.tolist(), "entropy": entropy.tolist()}


def alone(case: tuple[str, str, str, int, int]) -> list[Any]:
    """The case in one process."""
    decoder = Decoder(tiny.architecture(case[1]), torch.device(device()), torch.float32)
    initialise(decoder, 3)
    return list(updates(case, decoder, Optimizer(decoder, SPEC), ALONE))


def together(case: tuple[str, str, str, int, int], group: Group) -> list[Any]:
    """The case on the ranks of a group."""
    decoder = shard(tiny.architecture(case[1]), torch.float32, group)
    fill(decoder, group, from_seed(decoder, 3))
    return list(updates(case, decoder, ShardedOptimizer(decoder, SPEC, group), group))


class Policy:
    """A run with one shape that is carried from one number of ranks to another."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.decoder = shard(tiny.architecture("qwen3"), torch.float32, group)
        self.optimizer = ShardedOptimizer(self.decoder, SPEC, group)
        self.tokenizer = character_tokenizer(Fields(dict(tiny.CHARACTERS), "tokenizer"))

    def update(self, number: int) -> dict[str, Any]:
        """One update of two kinds of rows."""
        spec, batch = decode_update(tiny.update(number), Limits(tiny.VOCAB, 64, number - 1))
        return take_step(self.decoder, self.optimizer, spec, batch, MICRO_BATCH, team=self.group).metrics

    def save(self, directory: Path, update: int) -> None:
        """The sharded state, as the workers write it."""
        staged = checkpoint.Staged(self.decoder, self.optimizer, self.group)
        shards = checkpoint.shard_count(self.decoder, self.group)
        config = config_document(self.decoder.architecture, 0, [1])
        state = checkpoint.state_document(update, update, staged.steps, shards)
        told: list[Problem | None] = []
        saving = Saving(self.group)
        saving.begin(staged, directory, Head(update, config, self.tokenizer, state), told.append)
        saving.stop()
        self.group.most(0)
        assert told == [None] * (self.group.rank == 0)

    def load(self, directory: Path) -> str:
        """Digest of the weights after loading."""
        checkpoint.load(directory, self.decoder, self.optimizer, self.group)
        return policy_digest(self.decoder, self.group)


def main() -> None:
    """`python -m tests.torchrun_ranks DIRECTORY`: rank 0 writes ranks.json there."""
    root = Path(sys.argv[1])
    prepare_torch(torch.device("cpu"), 1)
    group = join(1, device())
    groups = {1: group, 2: make_group(2, group.device, group.store)}
    found: dict[str, Any] = {"cases": [together(case, groups[case[-1]]) for case in CASES]}
    policy = Policy(group)
    found["loaded"] = policy.load(root / "one")
    found["continued"] = policy.update(3)
    policy.save(root / "two", 3)
    found["saved"] = policy_digest(policy.decoder, group)
    found["next"] = policy.update(4)
    export(policy.decoder, policy.tokenizer, group, root / "export", "d", file_bytes=20_000)
    found["exported"] = policy_digest(policy.decoder, group)
    read = Policy(groups[2])
    with Weights(root / "export", read.decoder) as weights:
        fill(read.decoder, groups[2], weights.rows)
    found["imported"] = policy_digest(read.decoder, groups[2])
    if group.rank == 0:
        (root / "ranks.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def run_ranks(root: Path) -> dict[str, Any]:
    """Starts the ranks as processes and gives what rank 0 tells."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": str(RANKS), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.torchrun_ranks", str(root)]
    ranks = [
        subprocess.Popen(command, env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(RANKS)
    ]
    try:
        codes = [rank.wait(240) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert codes == [0] * RANKS
    return json.loads((root / "ranks.json").read_text())


if __name__ == "__main__":
    main()
