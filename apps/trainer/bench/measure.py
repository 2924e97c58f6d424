"""Measures the service as the orchestrator meets it, over HTTP: small and large updates, chunks, round trips.

python bench/measure.py [--shape tiny|smollm2] [--device cpu|cuda] [--threads 2] prints one JSON object a figure.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import os
import statistics
import string
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import pyarrow as pa

VOCABULARY = {"tiny": 48, "smollm2": 49152}
SHAPE = {
    "tiny": {"hidden_size": 128, "intermediate_size": 256, "layers": 2, "heads": 4, "kv_heads": 4, "head_dim": 32},
    "smollm2": {"hidden_size": 576, "intermediate_size": 1536, "layers": 30, "heads": 9, "kv_heads": 3, "head_dim": 64},
}


class Client:
    """One connection to one service."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=900)
        self._lease = "0"

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[float, Any]:
        """(seconds, JSON answer); anything but success ends the measurement."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        digest = base64.b64encode(hashlib.sha256(sent).digest()).decode()
        headers = {"Authorization": "Bearer bench", "Content-Type": kind, "Lease": self._lease, "Prefer": "wait=600"}
        start = time.perf_counter()
        self._connection.request(method, path, sent, headers | {"Content-Digest": f"sha-256=:{digest}:"})
        answer = self._connection.getresponse()
        document = json.loads(answer.read())
        seconds = time.perf_counter() - start
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {document}")
        self._lease = str(document.get("lease", self._lease))
        return seconds, document


def run_body(shape: str) -> dict[str, Any]:
    """A policy made from a seed whose vocabulary has the wanted size."""
    letters = string.ascii_lowercase + "="
    special = ["<think>", "</think>", "<user>", "<assistant>"]
    tokens = [*special, *(f"<{index}>" for index in range(VOCABULARY[shape] - 2 - len(special) - len(letters)))]
    if len(tokens) > 4096:  # The protocol's tokenizer is small: the rest of the vocabulary is characters.
        rest = [chr(0x20000 + index) for index in range(len(tokens) - 4096)]
        tokens, letters = tokens[:4096], letters + "".join(rest)
    rest_of_shape = {"norm_epsilon": 1e-5, "rope_theta": 1e4, "max_positions": 1024, "tied_embeddings": True}
    architecture = {"family": "llama", "init_std": 0.03} | rest_of_shape | SHAPE[shape]
    tokenizer = {"kind": "characters", "pad": "<pad>", "end": "<end>", "tokens": tokens, "characters": letters}
    optimizer = {"kind": "adamw", "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0, "max_grad_norm": 1}
    policy = {"kind": "init", "seed": 1, "architecture": architecture, "tokenizer": tokenizer}
    return {"format": 1, "policy": policy, "optimizer": optimizer, "micro_batch_tokens": 16384, "dtype": "auto"}


def update(number: int, rows: int, lengths: tuple[int, int], loss: str, vocabulary: int) -> bytes:
    """An update of random rows of the given least and greatest length, the first third of each a prompt."""
    random = np.random.default_rng(number)
    ids = [
        random.integers(2, vocabulary, length, dtype=np.int32)
        for length in random.integers(lengths[0], lengths[1] + 1, rows)
    ]
    masks = [(np.arange(len(row)) >= max(1, len(row) // 3)).astype(np.uint8) for row in ids]
    columns = {
        "sample_id": pa.array([str(row) for row in range(rows)]),
        "group_id": pa.array(["g"] * rows),
        "token_ids": pa.array(ids, pa.list_(pa.int32())),
        "loss_mask": pa.array(masks, pa.list_(pa.uint8())),
    }
    spec: dict[str, Any] = {"kind": loss}
    if loss == "clipped":
        spec |= {"clip_low": 0.2, "clip_high": 0.28, "kl_coef": 0.0}
        columns["rollout_logprob"] = pa.array([-4 * mask.astype(np.float32) for mask in masks])
        columns["advantage"] = pa.array(random.normal(size=rows).astype(np.float32))
    stated = {"format": 1, "run": "bench", "update": number, "parent_version": number - 1, "learning_rate": 1e-4}
    stated |= {"loss": spec, "normaliser": "tokens", "denominator": float(sum(int(mask.sum()) for mask in masks))}
    table = pa.table(columns).replace_schema_metadata({"gradus": json.dumps(stated)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    result: bytes = sink.getvalue().to_pybytes()
    return result


def report(name: str, seconds: list[float], **facts: Any) -> None:
    """One line of JSON; the first measurement warms up."""
    warm = seconds[1:]
    figures = {"median_s": round(statistics.median(warm), 5), "min_s": round(min(warm), 5), "n": len(warm)}
    sys.stdout.write(json.dumps({"what": name} | figures | facts) + "\n")
    sys.stdout.flush()


def measure(client: Client, shape: str, rows: int) -> None:
    """All figures of one shape."""
    vocabulary, number = VOCABULARY[shape], 0
    client.call("PUT", "/v1/runs/bench", run_body(shape))
    report("GET /v1/info", [client.call("GET", "/v1/info")[0] for _ in range(50)])
    for name, count, lengths, loss, times in (
        ("update of 24 rows", 24, (20, 35), "cross_entropy", 40),
        (f"update of {rows} rows", rows, (30, 60), "clipped", 6),
        (f"update of {rows} long rows", rows, (120, 200), "clipped", 3),
    ):
        seconds: list[float] = []
        answer: dict[str, Any] = {}
        for _ in range(times):
            number += 1
            body = update(number, count, lengths, loss, vocabulary)
            took, answer = client.call(
                "PUT", f"/v1/runs/bench/updates/{number}", body, "application/vnd.apache.arrow.stream"
            )
            seconds.append(took)
        tokens = answer["usage"]["tokens"]
        rate = round(tokens / statistics.median(seconds[1:]))
        report(name, seconds, tokens=tokens, tokens_per_s=rate, usage=answer["usage"], timings=answer["timings"])
    for name, count, most, times in ((f"chunk of {rows} rows", rows, 30, 8), (f"chunk of {rows}, 128", rows, 128, 3)):
        random = np.random.default_rng(0)
        prompts = [random.integers(2, 30, random.integers(6, 16)).tolist() for _ in range(count // 16)]
        asked = {"model": "bench", "prompt": prompts, "n": 16, "max_tokens": most, "logprobs": 0}
        asked |= {"return_token_ids": True, "seed": 1}
        answers = [client.call("POST", "/v1/completions", asked) for _ in range(times)]
        tokens = answers[-1][1]["usage"]["completion_tokens"]
        seconds = [took for took, _ in answers]
        report(name, seconds, tokens=tokens, tokens_per_s=round(tokens / statistics.median(seconds[1:])))


def main() -> None:
    """Starts a service on a fresh state directory and measures it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=list(SHAPE), default="tiny")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--rows", type=int, default=512)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "gradus_trainer", "--state", root + "/s", "--artifacts", root + "/a"]
        command += ["--device", arguments.device, "--threads", arguments.threads, "--watch-stdin"]
        environment = os.environ | {"GRADUS_TRAINER_TOKEN": "bench"}
        start = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as child:
            assert child.stdout is not None
            url = json.loads(child.stdout.readline())["url"]
            report("start", [0.0, time.perf_counter() - start])
            try:
                measure(Client(url), arguments.shape, arguments.rows)
            finally:
                child.terminate()


if __name__ == "__main__":
    main()
