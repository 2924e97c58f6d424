"""Turns a GGUF file into a Hugging Face directory, in a process of its own: the service never imports transformers.

`python -m gradus_trainer.model.gguf FILE DIRECTORY` writes config.json, FP32 safetensors and tokenizer.json.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from gradus_trainer.problem import Problem

LIMIT_SECONDS = 3600
ROPE_FACTORS = "rope_freqs.weight"


def file_digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def convert(file: Path, directory: Path) -> None:
    """Runs the conversion and reports what it says when it fails."""
    command = [sys.executable, "-m", "gradus_trainer.model.gguf", str(file.resolve()), str(directory)]
    # the command is this interpreter and this module; no shell, and paths are single arguments
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)  # noqa: S603 - our own script, no shell
    except subprocess.TimeoutExpired as error:
        detail = f"{file} was not converted within {LIMIT_SECONDS} s"
        raise Problem("policy_unavailable", detail, field="policy.path") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise Problem("policy_unavailable", f"{file} cannot be converted: {last}", field="policy.path")


def _write(file: Path, directory: Path) -> None:
    """Dequantises with transformers. Without GgufConfig(dequantize=True) weights may stay packed."""
    # both are loaded in the conversion process only: the service itself starts without transformers
    import gguf  # noqa: PLC0415 - in the child process alone
    import torch  # noqa: PLC0415 - in the child process alone
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig  # noqa: PLC0415 - as above

    if any(tensor.name == ROPE_FACTORS for tensor in gguf.GGUFReader(file).tensors):
        # transformers passes over it, and would make a policy of other angles without a word
        raise ValueError(f"{ROPE_FACTORS}: a scaled rope is read from a Hugging Face directory alone")
    # transformers looks at whatever lies beside the file, code included: here nothing does
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "model.gguf"
        link.symlink_to(file.resolve())
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            gguf_file=link.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            trust_remote_code=False,
        )
        model.save_pretrained(directory)
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=link.name, trust_remote_code=False)
        tokenizer.save_pretrained(directory)
    path = directory / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config["eos_token_id"] = tokenizer.eos_token_id
    config["pad_token_id"] = tokenizer.pad_token_id
    path.write_text(json.dumps(config), "utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]), Path(sys.argv[2]))
