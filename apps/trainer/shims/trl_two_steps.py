"""TRL's own GRPOTrainer trains a tiny model for two steps on rewards of a Gradus server (needs `trl` and `datasets`).

Prints TRL's log of each step and fails unless the rewards that TRL saw are those of the server:
`python apps/trainer/shims/trl_two_steps.py OUTPUT_DIRECTORY`. A test does it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from datasets import Dataset
from gradus_trl import gradus_reward
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

ROOT = Path(__file__).resolve().parents[3]
SEEN: list[list[float | None]] = []


def recorded_reward(**asked: list) -> list[float | None]:
    """Calls the shim as TRL calls it, and keeps what came back."""
    SEEN.append(gradus_reward(**asked))
    return SEEN[-1]


def tiny_policy() -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    torch.manual_seed(0)
    letters = {character: i for i, character in enumerate(["<pad>", "<end>", *"0123456789+? "])}
    raw = Tokenizer(models.WordLevel(letters, unk_token="<pad>"))  # noqa: S106 - a token of a vocabulary, no secret
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<end>")  # noqa: S106 - as above
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(letters), max_position_embeddings=64, pad_token_id=0, eos_token_id=1, **size)
    return LlamaForCausalLM(config), tokenizer


def train(output: str) -> list[dict]:
    model, tokenizer = tiny_policy()
    sums = [(a, b) for a in range(5) for b in range(5)]
    rows = {"prompt": [f"{a}+{b}?" for a, b in sums], "answer": [str(a + b) for a, b in sums]}
    rows["thinking"] = ["off"] * len(sums)
    settings = GRPOConfig(
        output_dir=output,
        max_steps=2,
        per_device_train_batch_size=16,
        num_generations=8,
        max_completion_length=2,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        bf16=False,
        save_strategy="no",
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[recorded_reward],
        args=settings,
        train_dataset=Dataset.from_dict(rows),
        processing_class=tokenizer,
    )
    trainer.train()
    return [entry for entry in trainer.state.log_history if "reward" in entry]


def main() -> None:
    command = [str(ROOT / "node_modules/.bin/node"), str(ROOT / "apps/server/bench/serve.ts"), "numeric", "thinking"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as server:  # noqa: S603 - our own server
        assert server.stdout is not None
        assert server.stdin is not None
        address = json.loads(server.stdout.readline())
        os.environ |= {"GRADUS_REWARD_URL": address["url"], "GRADUS_REWARD_TOKEN": address["token"]}
        log = train(sys.argv[1])
        server.stdin.close()
    for entry, values in zip(log, SEEN, strict=True):
        scored = [value for value in values if value is not None]
        print({key: value for key, value in entry.items() if "reward" in key or key == "step"})  # noqa: T201 - what the script is for
        assert abs(entry["reward"] - sum(scored) / len(scored)) < 1e-6, (entry, values)


if __name__ == "__main__":
    main()
