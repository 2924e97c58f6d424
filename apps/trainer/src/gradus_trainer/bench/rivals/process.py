"""Runs a rival as a process: whether its packages are there, its last line as a result, its failure in words."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import subprocess
import sys
import time
from typing import Any

log = logging.getLogger("gradus.bench")
LIMIT_SECONDS = 400
TRL_MICRO = {"tiny": 8, "135m": 32, "0.6b": 16, "1.5b": 8, "4b": 4, "8b": 2}
"""Sequences that TRL trains on at once: its log-probabilities need [tokens, vocabulary]."""
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_USE_FLASHINFER_SAMPLER": "0",
    "VLLM_HOST_IP": "127.0.0.1",
    "GLOO_SOCKET_IFNAME": "lo",
    "NCCL_SOCKET_IFNAME": "lo",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
"""What vLLM and transformers need on a machine without a network."""


def missing(*packages: str) -> str | None:
    """Why a rival cannot run here; None when it can."""
    absent = [package for package in packages if importlib.util.find_spec(package) is None]
    return f"{' and '.join(absent)} not installed" if absent else None


def results(case: str, packages: tuple[str, ...], module: str, *arguments: str) -> list[dict[str, Any]]:
    """The JSON objects that a module of this folder prints, or one that says why there are none."""
    if reason := missing(*packages):
        return [{"case": case, "skipped": reason}]
    environment = QUIET | os.environ | {"PYTORCH_ALLOC_CONF": ""}
    command = [sys.executable, "-m", f"gradus_trainer.bench.rivals.{module}", *arguments]
    start = time.perf_counter()
    try:
        done = subprocess.run(  # noqa: S603 - our own script, no shell
            command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return [{"case": case, "skipped": f"no result within {LIMIT_SECONDS} s"}]
    log.info("%s took %.0f s", case, time.perf_counter() - start)
    found = [json.loads(line[len("RESULT ") :]) for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not found:
        log.warning("%s failed:\n%s\n%s", case, done.stdout[-1500:], done.stderr[-3000:])
        return [{"case": case, "skipped": f"it ended with status {done.returncode}"}]
    return [{"case": case} | result for result in found]
