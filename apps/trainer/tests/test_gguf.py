"""A GGUF file made here, with random weights and a tiny byte-level vocabulary, becomes a policy with those weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.model import gguf as gguf_module
from gradus_trainer.model.gguf import convert
from gradus_trainer.model.weights import hugging_face_views
from gradus_trainer.problem import Problem
from tests import tiny
from tests.conftest import Service

HIDDEN, HEADS, HEAD_DIM, WIDE, LAYERS = 64, 4, 16, 96, 2
TOKENS = ["<unk>", "<bos>", "<eos>", *"abcdefghijklmnopqrstuvwxyzĠ=", "ab"]
VOCAB = len(TOKENS)
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


def permuted(weight: np.ndarray) -> np.ndarray:
    """Llama GGUF files keep query and key rows interleaved: pairs (2i, 2i + 1) instead of (i, i + D/2)."""
    return weight.reshape(HEADS, 2, HEAD_DIM // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path: Path, *, scaled: bool = False) -> dict[str, np.ndarray]:
    """Writes a llama file; gives its weights by Hugging Face name."""
    import gguf

    random = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(WIDE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, 3] + [1] * (VOCAB - 3))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)

    weights: dict[str, np.ndarray] = {}

    def tensor(theirs: str, ours: str, *shape: int) -> None:
        value = random.normal(0, 0.1, shape).astype(np.float32)
        weights[ours] = value
        rows = permuted(value) if "attn_q" in theirs or "attn_k" in theirs else value
        writer.add_tensor(theirs, np.ascontiguousarray(rows))

    if scaled:
        writer.add_tensor("rope_freqs.weight", np.linspace(1, 8, HEAD_DIM // 2, dtype=np.float32))
    tensor("token_embd.weight", "model.embed_tokens.weight", VOCAB, HIDDEN)
    tensor("output_norm.weight", "model.norm.weight", HIDDEN)
    for layer in range(LAYERS):
        theirs, ours = f"blk.{layer}", f"model.layers.{layer}"
        for name in "qkv":
            tensor(f"{theirs}.attn_{name}.weight", f"{ours}.self_attn.{name}_proj.weight", HIDDEN, HIDDEN)
        tensor(f"{theirs}.attn_output.weight", f"{ours}.self_attn.o_proj.weight", HIDDEN, HIDDEN)
        tensor(f"{theirs}.attn_norm.weight", f"{ours}.input_layernorm.weight", HIDDEN)
        tensor(f"{theirs}.ffn_norm.weight", f"{ours}.post_attention_layernorm.weight", HIDDEN)
        tensor(f"{theirs}.ffn_gate.weight", f"{ours}.mlp.gate_proj.weight", WIDE, HIDDEN)
        tensor(f"{theirs}.ffn_up.weight", f"{ours}.mlp.up_proj.weight", WIDE, HIDDEN)
        tensor(f"{theirs}.ffn_down.weight", f"{ours}.mlp.down_proj.weight", HIDDEN, WIDE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


async def test_a_gguf_file_is_converted_once_and_opens(service: Service, tmp_path: Path):
    weights = write_gguf(tmp_path / "tiny.gguf")
    policy = {"kind": "gguf", "path": str(tmp_path / "tiny.gguf")}
    opened = await service.open(policy=policy)
    assert (opened["vocab_size"], opened["max_positions"]) == (VOCAB, 128)
    (note,) = (tmp_path / "artifacts").glob("gguf-*.json")
    digest = json.loads(note.read_text())["digest"]
    assert digest == opened["policy_digest"]
    decoder, tokenizer = Artifacts(tmp_path / "artifacts").load(digest, torch.device("cpu"), torch.float32)
    for name, view in hugging_face_views(decoder).items():
        np.testing.assert_array_equal(view.numpy(), weights[name], err_msg=name)
    assert tokenizer.end == (2,)
    assert tokenizer.tokenize(["abc"], "texts") == [[TOKENS.index("ab"), TOKENS.index("c")]]
    assert len((await service.complete(prompt=[[5, 6]], n=2))["choices"]) == 2
    again = await service.open("again", policy=policy)
    assert again["policy_digest"] == digest


def test_what_lies_beside_a_gguf_file_is_neither_read_nor_run(tmp_path: Path):
    (tmp_path / "alone").mkdir()
    write_gguf(tmp_path / "alone/tiny.gguf")
    beside, marker = tmp_path / "beside", tmp_path / "was-run"
    beside.mkdir()
    write_gguf(beside / "tiny.gguf")
    (beside / "evil.py").write_text(f"open({str(marker)!r}, 'w')\n")
    code = {kind: "evil.Evil" for kind in ("AutoConfig", "AutoModelForCausalLM")}
    (beside / "config.json").write_text(json.dumps({"model_type": "llama", "auto_map": code, "eos_token_id": 5}))
    tokenizer = {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}, "eos_token": "a", "tokenizer_class": "Evil"}
    (beside / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    made = []
    for folder in (tmp_path / "alone", beside):
        out = folder / "out"
        out.mkdir()
        convert(folder / "tiny.gguf", out)
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= made[0].keys()
    assert made[0] == made[1]
    assert not marker.exists()


def test_a_conversion_that_takes_too_long_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gguf_module, "LIMIT_SECONDS", 0.01)
    with pytest.raises(Problem, match=r"tiny\.gguf was not converted within 0\.01 s") as raised:
        convert(tmp_path / "tiny.gguf", tmp_path)
    assert (raised.value.code, raised.value.field) == ("policy_unavailable", "policy.path")


def test_a_file_that_is_no_gguf_is_a_problem(tmp_path: Path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    with pytest.raises(Problem, match="cannot be converted"):
        Artifacts(tmp_path / "a").load_gguf(tmp_path / "bad.gguf", torch.device("cpu"), torch.float32)
    assert not list((tmp_path / "a").iterdir())


def test_a_file_with_a_scaled_rope_is_refused(tmp_path: Path):
    """transformers would read it as a policy of other angles."""
    write_gguf(tmp_path / "tiny.gguf", scaled=True)
    with pytest.raises(Problem, match="scaled rope"):
        Artifacts(tmp_path / "a").load_gguf(tmp_path / "tiny.gguf", torch.device("cpu"), torch.float32)


def test_a_hugging_face_directory_is_checked_before_it_is_used(tmp_path: Path):
    from gradus_trainer.model.load import load_directory, save_directory, save_tensors
    from gradus_trainer.tokenizer import character_tokenizer
    from gradus_trainer.wire.fields import Fields

    tokenizer = character_tokenizer(Fields(tiny.CHARACTERS))

    def refusal(change) -> str:
        save_directory(tmp_path, tiny.decoder(), tokenizer)
        change()
        with pytest.raises(Problem) as caught:
            load_directory(tmp_path, torch.device("cpu"), torch.float32)
        assert caught.value.code == "policy_unavailable"
        return caught.value.detail

    def configure(**changes):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    weights = tmp_path / "model.safetensors"
    assert "mlp_bias" in refusal(lambda: configure(mlp_bias=True))
    assert "rope type" in refusal(lambda: configure(rope_parameters={"rope_type": "yarn", "rope_theta": 1e4}))
    assert "low_freq_factor" in refusal(lambda: configure(rope_parameters=LLAMA3 | {"high_freq_factor": 1.0}))
    assert "original_max" in refusal(lambda: configure(rope_parameters={"rope_type": "llama3", "rope_theta": 1e4}))
    assert "model_type" in refusal(lambda: configure(model_type="gpt2"))
    assert "hidden_act" in refusal(lambda: configure(hidden_act="gelu"))
    assert "eos_token_id" in refusal(lambda: configure(eos_token_id=None))
    assert "eos_token_id" in refusal(lambda: configure(eos_token_id=[1, 99]))
    assert "expected floats" in refusal(lambda: configure(intermediate_size=40))
    assert "no weight" in refusal(lambda: save_tensors(weights, {"x": torch.zeros(2)}))
    assert "cannot be read" in refusal(lambda: weights.write_bytes(b"\xff" * 64))
    assert "no weight" in refusal(lambda: weights.rename(tmp_path / "pytorch_model.bin"))
    assert "cannot be read" in refusal((tmp_path / "tokenizer.json").unlink)
    assert "cannot be read" in refusal(lambda: (tmp_path / "config.json").write_text("{"))
