"""Text to tokens and back: a tokenizer.json read by the `tokenizers` library, or one made of single characters."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Engine

from gradus_trainer.problem import Problem
from gradus_trainer.wire.fields import Fields


@dataclasses.dataclass(frozen=True)
class Tokenizer:
    """A tokenizer with the ids that end a completion (at least one) and that fill padding."""

    engine: Engine
    end: tuple[int, ...]
    pad: int | None

    @property
    def size(self) -> int:
        """Number of token ids, added ones included."""
        return int(self.engine.get_vocab_size(with_added_tokens=True))

    def tokenize(self, texts: list[str], field: str) -> list[list[int]]:
        """Ids of each text; no token is added. A character that has no token is a problem naming `field[i]`."""
        ids = []
        for index, text in enumerate(texts):
            try:
                ids.append(list(self.engine.encode(text, add_special_tokens=False).ids))
            except Exception as error:  # the library raises bare Exception
                detail = f"{field}[{index}] cannot be tokenized: {error}"
                raise Problem("field_invalid", detail, field=f"{field}[{index}]") from error
        return ids

    def detokenize(self, ids: list[list[int]]) -> list[str]:
        """Text of each id list, without special tokens (padding, end)."""
        texts: list[str] = self.engine.decode_batch(ids, skip_special_tokens=True)
        return texts

    def save(self, path: Path) -> None:
        """Writes tokenizer.json."""
        self.engine.save(str(path))


def character_tokenizer(fields: Fields) -> Tokenizer:
    """Makes the protocol's `characters` tokenizer: vocabulary = pad, end, tokens, then one token a character."""
    fields.choice("kind", ["characters"])
    pad, end = fields.text("pad", 64), fields.text("end", 64)
    tokens, characters = fields.texts("tokens", 4096, 64), fields.text("characters", 1 << 16)
    fields.close()
    vocabulary = [pad, end, *tokens, *characters]
    if "" in tokens:
        raise fields.refuse("tokens", "must not be empty strings")
    if len(set(vocabulary)) != len(vocabulary):
        raise fields.refuse("characters", "repeats a token")
    engine = Engine(models.WordLevel({token: index for index, token in enumerate(vocabulary)}))
    engine.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    engine.decoder = decoders.Fuse()
    engine.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in (pad, end)])
    engine.add_tokens([AddedToken(text, special=False, normalized=False) for text in tokens])
    return Tokenizer(engine, (1,), 0)


def read_tokenizer(directory: Path, config: dict[str, Any]) -> Tokenizer:
    """Reads tokenizer.json of a Hugging Face directory; end and padding come from its config.json."""
    try:
        engine = Engine.from_file(str(directory / "tokenizer.json"))
    except Exception as error:  # the library raises bare Exception
        detail = f"tokenizer.json of {directory} cannot be read: {error}"
        raise Problem("policy_unavailable", detail, field="policy") from error
    end = config.get("eos_token_id")
    ends: list[Any] = end if isinstance(end, list) else [end]
    if not ends or not all(type(token) is int and 0 <= token < config["vocab_size"] for token in ends):
        raise Problem("policy_unavailable", "config.json has no eos_token_id in the vocabulary", field="policy")
    pad = config.get("pad_token_id")
    return Tokenizer(engine, tuple(ends), pad if isinstance(pad, int) else None)
