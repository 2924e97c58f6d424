"""One open run in this process: policy, tokenizer, optimizer, version."""

from __future__ import annotations

import concurrent.futures
import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gradus_trainer.artifacts import write_artifact
from gradus_trainer.digest import weights_digest
from gradus_trainer.durable_file import new_directory, storage
from gradus_trainer.engine.run import Run
from gradus_trainer.engine.step import StepOutcome, score, take_step
from gradus_trainer.engine.trunk import trunk_of
from gradus_trainer.generated.wire import FORMAT
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.load import save_directory, save_tensors, write_json
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.seal import seal
from gradus_trainer.tokenizer import Tokenizer
from gradus_trainer.versions import give_back_memory
from gradus_trainer.wire.batch import Batch, Floats
from gradus_trainer.wire.metadata import UpdateSpec
from gradus_trainer.wire.run_body import RunBody


class LiveRun(Run):
    """See Run. Its weights are `decoder`'s parameters."""

    def __init__(self, name: str, body: RunBody, decoder: Decoder, tokenizer: Tokenizer) -> None:
        super().__init__(name, body, decoder.architecture, tokenizer)
        self.decoder = decoder
        self.device = decoder.embedding.device
        """Where it computes; while the engine is offloaded its tensors are elsewhere."""
        self.optimizer = Optimizer(decoder, body.optimizer)
        self.attention = trunk_of(decoder, body.micro_batch_tokens).attention
        self._digest: tuple[int, str] | None = None
        self._sampler: tuple[int, Decoder] | None = None

    def step(self, spec: UpdateSpec, batch: Batch, body: bytes) -> StepOutcome:
        """See Run."""
        del body
        settings = self.body
        return take_step(
            self.decoder,
            self.optimizer,
            spec,
            batch,
            settings.micro_batch_tokens,
            checkpointing=settings.checkpointing,
        )

    def score(self, batch: Batch, body: bytes) -> tuple[Floats, Floats]:
        """See Run."""
        del body
        return score(self.decoder, batch, self.body.micro_batch_tokens)

    def digest(self) -> str:
        """Digest of the weights, computed once a version."""
        if self._digest is None or self._digest[0] != self.version:
            self._digest = (self.version, weights_digest(hugging_face_views(self.decoder)))
        return self._digest[1]

    def save(self, directory: Path) -> concurrent.futures.Future[None]:
        """A Hugging Face directory with moments and counters beside the weights."""
        steps, moments = self.optimizer.moments()
        state = {"format": FORMAT, "update": self.update, "version": self.version, "optimizer_steps": steps}
        with storage(), new_directory(directory) as filled:
            save_directory(filled, self.decoder, self.tokenizer)
            if moments:
                save_tensors(filled / "moments.safetensors", moments)
            write_json(filled / "state.json", state)
            seal(filled)
        written: concurrent.futures.Future[None] = concurrent.futures.Future()
        written.set_result(None)
        return written

    def publish(self, directory: Path, digest: str) -> None:
        """See Run."""
        write_artifact(directory, self.decoder, self.tokenizer, digest)

    def close(self) -> None:
        """See Run."""
        self.release()

    def release(self) -> None:
        """See Run. What a queue of generation keeps goes with the decoder."""
        self.freed = True
        for held in ("decoder", "optimizer"):
            self.__dict__.pop(held, None)
        self.forget_sampler()
        give_back_memory(self.device)

    def sampler(self) -> Decoder:
        """The decoder to generate with: the live one, or a copy whose matrices are in the compute dtype already."""
        if self.decoder.compute == torch.float32:
            return self.decoder
        if self._sampler and self._sampler[1].embedding.device != self.decoder.embedding.device:
            self._sampler = None  # made while the weights were elsewhere
        if self._sampler is None or self._sampler[0] != self.version:
            self._sampler = (self.version, self._refresh(self._sampler[1] if self._sampler else None))
        return self._sampler[1]

    def made_sampler(self) -> Decoder | None:
        """What `sampler` gave last, made for nobody."""
        return self._sampler[1] if self._sampler else self.__dict__.get("decoder")

    def forget_sampler(self) -> None:
        """Drops the copy to generate with; it is made again when asked for."""
        self._sampler = None

    def move(self, device: torch.device) -> None:
        """Weights and moments go to a device, with the same bits; a run that was freed has none."""
        if self.freed:
            return
        self.decoder.to(device)
        self.optimizer.move(device)

    def _refresh(self, old: Decoder | None) -> Decoder:
        compute = self.decoder.compute
        if old is None:
            # made in its own dtypes at once: a copy in FP32 first would not fit beside a large policy
            twins: dict[int, Any] = {id(buffer): buffer for buffer in self.decoder.buffers()}
            for live in self.decoder.parameters():
                twin = torch.empty_like(live, dtype=compute if live.ndim > 1 else live.dtype)
                twins[id(live)] = nn.Parameter(twin, requires_grad=False)
            old = copy.deepcopy(self.decoder, twins)
        with torch.no_grad():
            for mine, live in zip(old.parameters(), self.decoder.parameters(), strict=True):
                mine.copy_(live)
        return old
