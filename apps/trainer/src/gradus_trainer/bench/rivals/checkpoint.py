"""A Hugging Face directory of a shape with random weights, and a tokenizer whose words are `t0`, `t1`, …"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from gradus_trainer.bench.shapes import SHAPES, random_decoder
from gradus_trainer.model.config import config_document
from gradus_trainer.model.load import write_json
from gradus_trainer.model.weights import hugging_face_views

POSITIONS = 4096


def write(shape: str, place: Path, *, weights: bool) -> None:
    """Writes config, tokenizer and, if wanted, BF16 weights. The end token is beyond the vocabulary."""
    architecture = SHAPES[shape]
    place.mkdir(parents=True, exist_ok=True)
    size = architecture.vocab_size
    document = config_document(architecture, 0, [size]) | {"torch_dtype": "bfloat16", "bos_token_id": 0}
    write_json(place / "config.json", document | {"eos_token_id": size, "max_position_embeddings": POSITIONS})
    vocabulary = {f"t{index}": index for index in range(size)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="t1"))  # noqa: S106 - a word, no secret
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<eos>"])
    tokenizer.save(str(place / "tokenizer.json"))
    names = {"pad_token": "t0", "unk_token": "t1", "eos_token": "<eos>"}
    write_json(place / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"} | names)
    if not weights:
        return
    from safetensors.torch import save_file  # noqa: PLC0415 - not needed without weights

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    views = hugging_face_views(random_decoder(architecture, device, torch.float32))
    tensors = {name: view.to("cpu", torch.bfloat16).contiguous() for name, view in views.items()}
    save_file(tensors, place / "model.safetensors", metadata={"format": "pt"})
