"""One open run on a rank: its rows of policy and moments, and what is done with them beside the other ranks."""

from __future__ import annotations

from pathlib import Path

import torch

from gradus_trainer.engine.step import StepOutcome, score, take_step
from gradus_trainer.engine.torchrun import checkpoint
from gradus_trainer.engine.torchrun.fill import Weights, fill, from_seed
from gradus_trainer.engine.torchrun.group import Group
from gradus_trainer.engine.torchrun.optimizer import ShardedOptimizer
from gradus_trainer.engine.torchrun.sharding import shard
from gradus_trainer.model.config import Architecture, architecture_from_config, read_config
from gradus_trainer.tokenizer import Tokenizer, read_tokenizer
from gradus_trainer.versions import choose_compute, require_memory
from gradus_trainer.wire.batch import Floats
from gradus_trainer.wire.decode import Limits, decode_logprobs, decode_update
from gradus_trainer.wire.run_body import RunBody, read_init


def outline(body: RunBody, directory: Path | None) -> tuple[Architecture, Tokenizer]:
    """Shape and tokenizer of a run: those of a Hugging Face directory, or of an `init` policy without one."""
    if directory is None:
        _, architecture, tokenizer = read_init(body.policy)
        return architecture, tokenizer
    config = read_config(directory)
    return architecture_from_config(config), read_tokenizer(directory, config)


class ShardedRun:
    """`directory` holds weights, or with `durable` the sharded state of a run; without one weights come from a seed."""

    def __init__(self, body: RunBody, directory: Path | None, group: Group, *, durable: bool) -> None:
        self._body, self._group = body, group
        architecture, self.tokenizer = outline(body, directory)
        self._limits = (architecture.vocab_size, architecture.max_positions)
        shards = group.size // group.replicas
        moments = 4 if body.optimizer.moments == "bfloat16" else 8
        require_memory(architecture.parameters * (4 + 4 + moments) // shards, group.device)
        self.decoder = shard(architecture, choose_compute(body.dtype, group.device), group)
        self.optimizer = ShardedOptimizer(self.decoder, body.optimizer, group)
        if directory is None:
            fill(self.decoder, group, from_seed(self.decoder, int(body.policy["seed"])))
        elif durable:
            checkpoint.load(directory, self.decoder, self.optimizer, group)
        else:
            with Weights(directory, self.decoder) as weights:
                fill(self.decoder, group, weights.rows)

    def step(self, body: bytes, version: int) -> StepOutcome:
        """One update, from the Arrow stream that the front has judged."""
        spec, batch = decode_update(body, Limits(*self._limits, version))
        settings = self._body
        return take_step(
            self.decoder,
            self.optimizer,
            spec,
            batch,
            settings.micro_batch_tokens,
            checkpointing=settings.checkpointing,
            team=self._group,
        )

    def score(self, body: bytes, version: int) -> tuple[Floats, Floats]:
        """Log-probabilities and entropies, from an Arrow stream."""
        batch = decode_logprobs(body, Limits(*self._limits, version))
        return score(self.decoder, batch, self._body.micro_batch_tokens, self._group)

    def stage(self) -> checkpoint.Staged:
        """Copies what this rank must write to host memory."""
        return checkpoint.Staged(self.decoder, self.optimizer, self._group)

    def shards(self) -> int:
        """Files of a checkpoint of this run."""
        return checkpoint.shard_count(self.decoder, self._group)

    def free(self) -> None:
        """Lets go of everything, now."""
        del self.decoder, self.optimizer
        if self._group.device.type == "cuda":
            torch.cuda.empty_cache()
