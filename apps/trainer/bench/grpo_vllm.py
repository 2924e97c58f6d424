"""GRPO with generation by a vLLM server and training by the service, on one machine: the gap after every publish.

python bench/grpo_vllm.py --transport ipc --steps 20      both on one GPU, weights by CUDA IPC
python bench/grpo_vllm.py --transport nccl --engine-gpu 1 the engine on a second GPU
The policy is a decoder of SmolLM2-135M's shape with random weights, warmed up on additions; right sums are rewarded.
--engine URL takes an engine that runs already and has the policy's shape; else `vllm serve` is started.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import pyarrow as pa

PORT = 8123
LOSS = {"kind": "clipped", "clip_low": 0.2, "clip_high": 0.28, "kl_coef": 0.0}
ARROW = {
    "sample_id": pa.utf8(),
    "group_id": pa.utf8(),
    "token_ids": pa.list_(pa.int32()),
    "loss_mask": pa.list_(pa.uint8()),
    "rollout_logprob": pa.list_(pa.float32()),
    "advantage": pa.float32(),
}
DIGITS = "0123456789+="
END, FIRST = 1, 2
"""Token ids: pad 0, end 1, then the characters in order."""
VOCABULARY = 256
SIZES = {
    "135m": {"hidden_size": 576, "intermediate_size": 1536, "layers": 30, "heads": 9, "kv_heads": 3, "head_dim": 64},
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 16},
}
ENGINE_VARIABLES = {
    "VLLM_SERVER_DEV_MODE": "1",
    "VLLM_ALLOW_INSECURE_SERIALIZATION": "1",
    "VLLM_USE_FLASHINFER_SAMPLER": "0",
    "VLLM_HOST_IP": "127.0.0.1",
}


def ids_of(text: str) -> list[int]:
    """One token a character."""
    return [FIRST + DIGITS.index(character) for character in text]


def say(line: str) -> None:
    """One line of output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def question(source: random.Random) -> tuple[str, str]:
    """An addition of two numbers below 100, and the answer."""
    a, b = source.randrange(100), source.randrange(100)
    return f"{a}+{b}=", str(a + b)


class Trainer:
    """The service as a process of ours, spoken to over HTTP."""

    def __init__(self, folder: Path, client: aiohttp.ClientSession, device: str) -> None:
        token = secrets.token_hex(16)
        command = [sys.executable, "-m", "gradus_trainer", "--state", str(folder / "state"), "--device", device]
        self._process = subprocess.Popen(
            [*command, "--artifacts", str(folder / "artifacts"), "--watch-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"GRADUS_TRAINER_TOKEN": token},
        )
        assert self._process.stdout is not None
        self._url = json.loads(self._process.stdout.readline())["url"]
        self._client, self._headers = client, {"Authorization": f"Bearer {token}", "Lease": "0"}
        self.update = 0

    def stop(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait(30)

    async def call(self, method: str, path: str, document: Any = None, status: int = 200) -> Any:
        """One call; another status than the one expected ends the bench."""
        async with self._client.request(method, self._url + path, json=document, headers=self._headers) as answer:
            found = await answer.json(content_type=None)
        if answer.status not in (status, 201):
            raise RuntimeError(f"{method} {path}: {answer.status} {found}")
        return found

    async def open(self, size: str) -> None:
        """A policy of the size with random weights."""
        filler = "".join(chr(0x4E00 + index) for index in range(VOCABULARY - FIRST - len(DIGITS)))
        tokenizer = {"kind": "characters", "pad": "<pad>", "end": "<end>", "tokens": [], "characters": DIGITS + filler}
        shape = SIZES[size] | {"family": "llama", "norm_epsilon": 1e-5, "rope_theta": 1e4, "max_positions": 128}
        shape |= {"tied_embeddings": True, "init_std": 0.02}
        adamw = {
            "kind": "adamw",
            "beta1": 0.9,
            "beta2": 0.95,
            "epsilon": 1e-8,
            "weight_decay": 0.0,
            "max_grad_norm": 1.0,
        }
        policy = {"kind": "init", "seed": 7, "architecture": shape, "tokenizer": tokenizer}
        body = {"format": 1, "policy": policy, "optimizer": adamw, "micro_batch_tokens": 8192}
        self._headers["Lease"] = str((await self.call("PUT", "/v1/runs/r", body))["lease"])

    async def train(self, rows: dict[str, list[Any]], rate: float, loss: dict[str, Any]) -> Any:
        """One update; its answer."""
        self.update += 1
        total = sum(map(sum, rows["loss_mask"]))
        head = {"format": 1, "run": "r", "update": self.update, "parent_version": self.update - 1, "loss": loss}
        head |= {"learning_rate": rate, "normaliser": "tokens", "denominator": float(total)}
        table = pa.table({name: pa.array(values, ARROW[name]) for name, values in rows.items()})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema.with_metadata({"gradus": json.dumps(head)})) as writer:
            writer.write_table(table)
        body = sink.getvalue().to_pybytes()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = self._headers | {"Content-Type": "application/vnd.apache.arrow.stream", "Prefer": "wait=300"}
        headers["Content-Digest"] = f"sha-256=:{digest}:"
        path = f"{self._url}/v1/runs/r/updates/{self.update}"
        async with self._client.put(path, data=body, headers=headers) as answer:
            found = await answer.json(content_type=None)
        if not found.get("applied"):
            raise RuntimeError(f"update {self.update}: {found}")
        return found

    async def publish(self, url: str, status: int = 200, **options: Any) -> Any:
        """Publishes the live version to the engine."""
        target = {"kind": "vllm", "url": url, **options}
        body = {"format": 1, "version": self.update, "targets": [target]}
        return await self.call("POST", "/v1/runs/r/publish", body, status)


def examples(source: random.Random, count: int) -> dict[str, list[Any]]:
    """Rows for the warm-up: additions with their answers."""
    rows: dict[str, list[Any]] = {"sample_id": [], "group_id": [], "token_ids": [], "loss_mask": []}
    for index in range(count):
        asked, answer = question(source)
        prompt, completion = ids_of(asked), [*ids_of(answer), END]
        rows["sample_id"].append(str(index))
        rows["group_id"].append(str(index))
        rows["token_ids"].append(prompt + completion)
        rows["loss_mask"].append([0] * len(prompt) + [1] * len(completion))
    return rows


async def sample(
    client: aiohttp.ClientSession, url: str, model: str, source: random.Random, *, prompts: int, samples: int
) -> tuple[dict[str, list[Any]], float]:
    """A step's rows, weighed by group, and the share of right answers."""
    asked = [question(source) for _ in range(prompts)]

    async def group(prompt: str) -> list[Any]:
        body = {"model": model, "prompt": ids_of(prompt), "n": samples, "max_tokens": 6, "temperature": 1.0}
        body |= {"logprobs": 0, "return_token_ids": True}
        async with client.post(url + "/v1/completions", json=body) as answer:
            found = await answer.json(content_type=None)
        if answer.status != 200:
            raise RuntimeError(f"/v1/completions: {answer.status} {found}")
        choices: list[Any] = found["choices"]
        return choices

    groups = await asyncio.gather(*(group(prompt) for prompt, _ in asked))
    rows: dict[str, list[Any]] = {name: [] for name in ARROW}
    right = 0
    for place, ((prompt, answer), choices) in enumerate(zip(asked, groups, strict=True)):
        rewards = [float(choice["token_ids"] == [*ids_of(answer), END]) for choice in choices]
        right += int(sum(rewards))
        mean = sum(rewards) / len(rewards)
        spread = (sum((reward - mean) ** 2 for reward in rewards) / (len(rewards) - 1)) ** 0.5 + 1e-4
        for index, (choice, reward) in enumerate(zip(choices, rewards, strict=True)):
            before, ids = ids_of(prompt), choice["token_ids"]
            rows["sample_id"].append(f"{place}/{index}")
            rows["group_id"].append(str(place))
            rows["token_ids"].append(before + ids)
            rows["loss_mask"].append([0] * len(before) + [1] * len(ids))
            logprobs = [min(0.0, value) for value in choice["logprobs"]["token_logprobs"]]
            rows["rollout_logprob"].append([0.0] * len(before) + logprobs)
            rows["advantage"].append((reward - mean) / spread)
    return rows, right / (prompts * samples)


def serve(folder: Path, policy: Path, transport: str, gpu: int, memory: float) -> subprocess.Popen[bytes]:
    """`vllm serve` on the policy."""
    served = folder / "served"
    shutil.copytree(policy, served)
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>", "pad_token": "<pad>"}
    (served / "tokenizer_config.json").write_text(json.dumps(names))
    backend = "nccl" if transport == "nccl" else "ipc"
    options = {
        "served-model-name": "policy",
        "host": "127.0.0.1",
        "port": str(PORT),
        "dtype": "bfloat16",
        "max-model-len": "128",
        "max-num-seqs": "512",
        "gpu-memory-utilization": str(memory),
        "generation-config": "vllm",
        "logprobs-mode": "processed_logprobs",
        "weight-transfer-config": json.dumps({"backend": backend}),
        "uvicorn-log-level": "error",
        "compilation-config": json.dumps({"cudagraph_capture_sizes": [1, 2, 4, 8, 16, 32, 64, 128, 256]}),
    }
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(served), "--no-enable-prefix-caching"]
    for name, value in options.items():
        command += [f"--{name}", value]
    environment = os.environ | ENGINE_VARIABLES | {"CUDA_VISIBLE_DEVICES": str(gpu)}
    with (folder / "engine.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)


async def ready(client: aiohttp.ClientSession, url: str, engine: subprocess.Popen[bytes] | None) -> None:
    """Waits until the engine answers."""
    for _ in range(800):
        if engine is not None and engine.poll() is not None:
            raise RuntimeError("the engine ended")
        try:
            async with client.get(url + "/v1/models") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.25)
    raise RuntimeError("the engine was not ready in 200 s")


def row_of(step: int, done: Any, publish: Any, reward: float, seconds: dict[str, float]) -> dict[str, Any]:
    """One line of the table; `gap` is measured right after a publish, `sampler` on the step's own completions."""
    gap, metrics = publish["targets"][0]["gap"] if publish else {}, done["metrics"]
    row = {"step": step, "reward": round(reward, 3)}
    row |= {f"gap_{name}": round(gap[name], 6) for name in ("mean_abs", "max_abs", "k3") if name in gap}
    row |= {f"sampler_{name}": round(metrics[f"sampler_gap/{name}"], 6) for name in ("k3", "max_abs")}
    phases = publish["targets"][0]["seconds"] if publish else {}
    row |= {f"publish_{name}_s": round(value, 4) for name, value in phases.items()}
    return row | {name: round(value, 3) for name, value in seconds.items()}


async def steps(trainer: Trainer, client: aiohttp.ClientSession, url: str, arguments: argparse.Namespace) -> Any:
    """The run: steps with a publish after each update, then one without to see what a stale engine looks like."""
    source = random.Random(3)  # noqa: S311 - questions, no secrets
    how: dict[str, Any] = {"transport": arguments.transport}
    if arguments.transport == "directory":
        how["directory"] = str(arguments.folder / "shared")
    rows = []
    model = "policy" if arguments.engine is None else arguments.model
    for step in range(1, arguments.steps + 3):
        start = time.perf_counter()
        batch, reward = await sample(client, url, model, source, prompts=arguments.prompts, samples=arguments.samples)
        sampled = time.perf_counter()
        done = await trainer.train(batch, arguments.rate, LOSS)
        updated = time.perf_counter()
        publish = await trainer.publish(url, **how) if step <= arguments.steps else None
        seconds = {"generate_s": sampled - start, "update_s": updated - sampled}
        rows.append(row_of(step, done, publish, reward, seconds))
    return rows


async def taint_and_mend(trainer: Trainer, client: aiohttp.ClientSession, url: str, how: dict[str, Any]) -> Any:
    """A publish that fails its check leaves the engine paused; the next whole one lets it go on."""
    failed = await trainer.publish(url, 502, **how, tolerance=1e-12)
    async with client.get(url + "/is_paused") as answer:
        paused = await answer.json(content_type=None) if answer.status == 200 else None
    state = (await trainer.call("GET", "/v1/runs/r/publish"))["targets"][0]["state"]
    await trainer.publish(url, **how)
    mended = (await trainer.call("GET", "/v1/runs/r/publish"))["targets"][0]["state"]
    return {"detail": failed["detail"], "is_paused": paused, "state": state, "after_a_whole_publish": mended}


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Warm-up, engine, steps."""
    limit = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(limit=0)) as client:
        trainer, engine = Trainer(arguments.folder, client, arguments.device), None
        try:
            await trainer.open(arguments.size)
            source = random.Random(1)  # noqa: S311 - questions, no secrets
            start = time.perf_counter()
            for _ in range(arguments.warm_up):
                done = await trainer.train(examples(source, 256), arguments.warm_up_rate, {"kind": "cross_entropy"})
            warm = {"loss": done["metrics"]["loss"], "seconds": round(time.perf_counter() - start, 1)}
            say(f"warm-up {warm}")
            made = await trainer.call("POST", "/v1/runs/r/checkpoints", {"format": 1, "name": "w", "policy": True})
            url = arguments.engine or f"http://127.0.0.1:{PORT}"
            start = time.perf_counter()
            if arguments.engine is None:
                engine = serve(
                    arguments.folder, Path(made["path"]), arguments.transport, arguments.engine_gpu, arguments.memory
                )
            await ready(client, url, engine)
            say(f"engine ready in {time.perf_counter() - start:.0f} s")
            by_directory = await trainer.publish(url, transport="directory", directory=str(arguments.folder / "shared"))
            say(f"by directory {json.dumps(by_directory)}")
            how = {"transport": arguments.transport}
            if arguments.transport == "directory":
                how["directory"] = str(arguments.folder / "shared")
            tainted = await taint_and_mend(trainer, client, url, how)
            say(f"tainted {json.dumps(tainted)}")
            rows = await steps(trainer, client, url, arguments)
            info = await trainer.call("GET", "/v1/info")
        finally:
            trainer.stop()
            if engine is not None:
                engine.terminate()
                engine.wait(30)
    found = {"transport": arguments.transport, "size": arguments.size, "attention": info["runs"][0]["attention"]}
    sizes = {"prompts": arguments.prompts, "samples": arguments.samples, "warm_up": warm, "tainted": tainted}
    return found | sizes | {"by_directory": by_directory["targets"][0], "steps": rows}


def main() -> None:
    """Runs, writes JSON to $OUT, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transport", choices=["ipc", "nccl", "directory"], default="ipc")
    parser.add_argument("--size", choices=list(SIZES), default="135m")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-5)
    parser.add_argument("--warm-up", type=int, default=300)
    parser.add_argument("--warm-up-rate", type=float, default=3e-4)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--engine")
    parser.add_argument("--model", default="served")
    parser.add_argument("--engine-gpu", type=int, default=0)
    parser.add_argument("--memory", type=float, default=0.3, help="share of the GPU that the engine takes")
    arguments = parser.parse_args()
    arguments.folder = Path(tempfile.mkdtemp())
    try:
        found = asyncio.run(run(arguments))
    except BaseException:
        log = arguments.folder / "engine.log"
        if log.exists():
            say(log.read_text(errors="replace")[-6000:])
        raise
    place = Path(os.environ.get("OUT", arguments.folder)) / f"grpo-vllm-{arguments.transport}.json"
    place.write_text(json.dumps(found, indent=2) + "\n")
    columns = ["step", "reward", "gap_mean_abs", "gap_max_abs", "gap_k3", "sampler_k3", "sampler_max_abs"]
    columns += ["publish_update_s", "publish_total_s", "generate_s", "update_s"]
    say("  ".join(columns))
    for row in found["steps"]:
        say("  ".join(str(row.get(name, "-")).ljust(len(name)) for name in columns))


if __name__ == "__main__":
    main()
