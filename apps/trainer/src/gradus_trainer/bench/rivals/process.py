"""Runs a rival as a process: whether its packages are there, its last line as a result, its failure in words."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

log = logging.getLogger("gradus.bench")
LIMIT_SECONDS = 400.0
"""What all rivals of a shape may take together, unless the command says otherwise."""
START_SECONDS = 45.0
"""What a rival needs at least before it has a result."""
MARK = "RESULT "
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


class Rivals:
    """Who is measured beside ours, and what all of them together may still take."""

    def __init__(self, names: Sequence[str] = (), seconds: float = LIMIT_SECONDS) -> None:
        self._names, self._seconds, self._left = names, seconds, seconds

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def results(self, case: str, packages: tuple[str, ...], module: str, *arguments: str) -> list[dict[str, Any]]:
        """See below. Nothing is started that has no time to end."""
        if self._left < START_SECONDS and missing(*packages) is None:
            return [{"case": case, "skipped": f"rivals have used their {self._seconds:g} s"}]
        start = time.perf_counter()
        found = results(case, packages, module, *arguments, limit=self._left)
        self._left -= time.perf_counter() - start
        return found


NOBODY = Rivals()


def results(
    case: str, packages: tuple[str, ...], module: str, *arguments: str, limit: float = LIMIT_SECONDS
) -> list[dict[str, Any]]:
    """The JSON objects that a module of this folder prints; when it breaks off, one more that says why."""
    if reason := missing(*packages):
        return [{"case": case, "skipped": reason}]
    environment = QUIET | os.environ | {"PYTORCH_ALLOC_CONF": ""}
    command = [sys.executable, "-m", f"gradus_trainer.bench.rivals.{module}", *arguments]
    start = time.perf_counter()
    try:
        done = subprocess.run(  # noqa: S603 - our own script, no shell
            command, capture_output=True, text=True, timeout=limit, check=False, env=environment
        )
    except subprocess.TimeoutExpired as late:
        # bytes, whatever `text` says
        printed = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
        return [*_read(case, printed), {"case": case, "skipped": f"not done within {limit:.0f} s"}]
    log.info("%s took %.0f s", case, time.perf_counter() - start)
    found = _read(case, done.stdout)
    if done.returncode or not found:
        log.warning("%s failed:\n%s\n%s", case, done.stdout[-1500:], done.stderr[-3000:])
        return [*found, {"case": case, "skipped": f"it ended with status {done.returncode}"}]
    return found


def _read(case: str, printed: str) -> list[dict[str, Any]]:
    return [{"case": case} | json.loads(line[len(MARK) :]) for line in printed.splitlines() if line.startswith(MARK)]
