"""Logits, greedy text and saved directories agree with transformers' modules."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from gradus_trainer.digest import weights_digest
from gradus_trainer.model.attention import causal_attention
from gradus_trainer.model.config import architecture_from_config, architecture_from_wire, config_document
from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.load import load_directory, save_directory
from gradus_trainer.model.rope import rope_table
from gradus_trainer.model.rope_scaling import Llama3Scaling
from gradus_trainer.model.weights import hugging_face_views, weight_shapes
from gradus_trainer.problem import Problem
from gradus_trainer.sampler.decode import Chunk, decode
from gradus_trainer.tokenizer import character_tokenizer
from gradus_trainer.wire.fields import Fields
from tests import tiny

CASES = [
    ("llama", False, 2, None),
    ("llama", True, 4, None),
    ("llama", True, 2, "llama3"),
    ("qwen2", True, 2, None),
    ("qwen2", False, 1, None),
    ("qwen3", False, 2, None),
]
# with a base of 100 the angles of the tiny policy turn 5.1, 1.6, 0.5 and 0.2 times in 32 positions: kept, mixed, slowed
SCALED = {"rope_theta": 100.0, "rope_scaling": Llama3Scaling(8.0, 1.0, 4.0, 32)}


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case)))
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Decoder, torch.nn.Module]:
    """Our decoder and transformers' model, which read what we saved."""
    from transformers import AutoModelForCausalLM

    family, tied, kv_heads, rope = request.param
    ours = tiny.decoder(family, tied_embeddings=tied, kv_heads=kv_heads, **(SCALED if rope else {}))
    save_directory(tmp_path, ours, character_tokenizer(Fields(tiny.CHARACTERS)))
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path, dtype=torch.float32, attn_implementation="eager", trust_remote_code=False
    )
    assert theirs.config.rope_parameters["rope_type"] == (rope or "default")
    return ours, theirs.eval()


def test_logits_equal(pair):
    ours, theirs = pair
    ids_BT = torch.randint(0, tiny.VOCAB, (3, 20), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        hidden = ours(ids_BT, ours.rope_from_start(20), causal_attention)
        torch.testing.assert_close(hidden @ ours.head.T, theirs(ids_BT).logits, atol=2e-5, rtol=1e-5)


def test_greedy_decoding_equals_generate_token_by_token(pair):
    ours, theirs = pair
    prompts = [[5, 9, 11], [4, 8, 20, 21, 3, 7], [30]]
    done = decode(ours, Chunk(prompts, 1, 20, 0.0, [0, 1, 2], (1,)))
    for prompt, ids in zip(prompts, done.token_ids, strict=True):
        told = theirs.generate(
            torch.tensor([prompt]), max_new_tokens=20, do_sample=False, eos_token_id=1, pad_token_id=0
        )
        assert ids == told[0, len(prompt) :].tolist()


def test_weights_have_the_names_of_transformers_and_come_back(pair, tmp_path):
    ours, theirs = pair
    names = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    if ours.untied_head is None:
        names.pop("lm_head.weight", None)
    assert weight_shapes(ours.architecture) == names
    again, tokenizer = load_directory(tmp_path, torch.device("cpu"), torch.float32)
    assert again.architecture == ours.architecture
    assert again.architecture.parameters == sum(parameter.numel() for parameter in ours.parameters())
    assert tokenizer.end == (1,)
    assert weights_digest(hugging_face_views(again)) == weights_digest(hugging_face_views(ours))


def test_angles_of_llama_3_1_are_those_of_transformers():
    """As its config.json says it, in the names of transformers 4: all that differs from a plain rope is its table."""
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    sizes = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
    sizes |= {"num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5}
    scaling = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_type": "llama3"}
    scaling["original_max_position_embeddings"] = 8192
    stated = {"model_type": "llama", "rope_theta": 500000.0, "rope_scaling": scaling, **sizes}
    architecture = architecture_from_config(stated)
    assert (architecture.head_dim, architecture.parameters) == (128, 8_030_261_248)
    frequency, _ = ROPE_INIT_FUNCTIONS["llama3"](LlamaConfig(**json.loads(json.dumps(stated))), "cpu")
    cosine, sine = rope_table(dataclasses.replace(architecture, max_positions=2), torch.device("cpu"))
    torch.testing.assert_close(torch.atan2(sine[1], cosine[1]), frequency, atol=1e-9, rtol=1e-6)
    again = architecture_from_config(config_document(architecture, None, [1]))
    assert again == architecture
    assert config_document(architecture, None, [1])["rope_scaling"]["factor"] == 8.0


def test_a_policy_of_253_thousand_million_parameters_may_be_asked_for():
    """The greatest of docs/scale.md; ten times as many is a slip."""
    shape = {"family": "llama", "hidden_size": 16384, "intermediate_size": 53248, "layers": 78, "heads": 128}
    shape |= {"kv_heads": 8, "head_dim": 128, "norm_epsilon": 1e-5, "rope_theta": 5e5, "max_positions": 8192}
    shape |= {"tied_embeddings": False, "init_std": 0.02}
    made = architecture_from_wire(Fields(dict(shape)), 128256)
    assert 252e9 < made.parameters < 254e9
    with pytest.raises(Problem, match="more than"):
        architecture_from_wire(Fields(shape | {"layers": 780}), 128256)


def test_equal_seeds_make_equal_weights_and_others_do_not():
    digests = [weights_digest(hugging_face_views(tiny.decoder(seed=seed))) for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


def test_initial_weights_have_the_stated_spread_and_norms_are_one():
    made = Decoder(tiny.architecture(hidden_size=64, init_std=0.05), torch.device("cpu"), torch.float32)
    from gradus_trainer.model.initialise import initialise

    initialise(made, 1)
    for name, view in hugging_face_views(made).items():
        if "norm" in name:
            assert torch.equal(view, torch.ones_like(view))
        else:
            assert abs(view.std().item() - 0.05) < 0.004


def test_digest_is_spelled_as_the_protocol_says():
    import hashlib

    weights = {"b": torch.tensor([[1.0, 2.0, 3.0]]), "a": torch.tensor([0.5])}
    a = b"a\0float32\x001\0" + bytes.fromhex("0000003f")
    b = b"b\0float32\x001,3\0" + bytes.fromhex("0000803f0000004000004040")
    assert weights_digest(weights) == hashlib.sha256(a + b).hexdigest()
