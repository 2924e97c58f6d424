"""One open run as the engine thread sees it: policy, tokenizer, optimizer, version."""

from __future__ import annotations

import copy

import torch

from gradus_trainer.digest import weights_digest
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.optimizer import Optimizer
from gradus_trainer.tokenizer import Tokenizer
from gradus_trainer.wire.run_body import RunBody


class LiveRun:
    """Touched by the engine thread alone. `tainted` says that an update broke off while weights were being written."""

    def __init__(self, name: str, body: RunBody, decoder: Decoder, tokenizer: Tokenizer) -> None:
        self.name = name
        self.body = body
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.optimizer = Optimizer(decoder, body.optimizer)
        self.update = 0
        self.version = 0
        self.tainted = False
        self._digest: tuple[int, str] | None = None
        self._sampler: tuple[int, Decoder] | None = None

    def become(self, other: LiveRun) -> None:
        """Takes over the state of another instance of the same run."""
        self.__dict__.update(other.__dict__)

    def digest(self) -> str:
        """Digest of the weights, computed once a version."""
        if self._digest is None or self._digest[0] != self.version:
            self._digest = (self.version, weights_digest(hugging_face_views(self.decoder)))
        return self._digest[1]

    def sampler(self) -> Decoder:
        """The decoder to generate with: the live one, or a copy whose matrices are in the compute dtype already."""
        if self.decoder.compute == torch.float32:
            return self.decoder
        if self._sampler is None or self._sampler[0] != self.version:
            self._sampler = (self.version, self._refresh(self._sampler[1] if self._sampler else None))
        return self._sampler[1]

    def _refresh(self, old: Decoder | None) -> Decoder:
        compute = self.decoder.compute
        if old is None:
            old = copy.deepcopy(self.decoder).requires_grad_(False)
            for parameter in old.parameters():
                if parameter.ndim > 1:
                    parameter.data = parameter.data.to(compute)
        with torch.no_grad():
            for mine, live in zip(old.parameters(), self.decoder.parameters(), strict=True):
                mine.copy_(live)
        return old
