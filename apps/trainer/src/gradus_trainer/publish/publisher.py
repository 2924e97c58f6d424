"""One publish to one engine, in order: probe, pause, send, resume, check. What fails after the probe taints the engine.

A probe that fails has changed nothing: the engine serves on, and is known to hold what it held.

A tainted engine is paused and stays so: its weights may be mixed, so nothing is generated on it until a whole publish
succeeds. There is no half way back, because an engine cannot say which tensors it has taken.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from typing import Any

import aiohttp
import torch

from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.live_run import LiveRun
from gradus_trainer.problem import Problem
from gradus_trainer.publish import check, directory, ipc, nccl
from gradus_trainer.publish.control import Control
from gradus_trainer.publish.failure import PublishFailed
from gradus_trainer.publish.staged import Staged
from gradus_trainer.publish.target import Target

log = logging.getLogger("gradus.publish")
CONTROL = frozenset({"/pause", "/resume", "/v1/completions"})


@dataclasses.dataclass(frozen=True)
class Held:
    """What is known of an engine: `state` is clean (it holds `version` of `run`), publishing or tainted."""

    run: str
    version: int
    state: str
    reason: str | None = None


@dataclasses.dataclass(frozen=True)
class Found:
    """What the probe of an engine told."""

    routes: frozenset[str]
    transport: str
    model: str
    seconds: float


class Publisher:
    """Publishes, and keeps what each engine holds. Lives on the event loop."""

    def __init__(self, engine: Engine) -> None:
        self.held: dict[str, Held] = {}
        self._engine = engine
        self._nccl = nccl.NcclGroups()
        self._writing = asyncio.Lock()
        self._locks: dict[str, asyncio.Lock] = {}

    async def publish(self, run: LiveRun, staged: Staged, target: Target) -> dict[str, Any]:
        """Brings the staged weights to an engine. Raises PublishFailed; after its probe the engine is then tainted."""
        async with self._locks.setdefault(target.url, asyncio.Lock()), aiohttp.ClientSession() as client:
            control = Control(client, target.url, target.api_key)
            found = await _probe(control, target)
            self.held[target.url] = Held(run.name, staged.version, "publishing")
            try:
                done = await self._publish(control, run, staged, target, found)
            except BaseException as error:
                self.held[target.url] = Held(run.name, staged.version, "tainted", _words(error))
                log.warning("run %s: publish to %s failed: %s", run.name, target.url, _words(error))
                await control.shut()
                if isinstance(error, PublishFailed) or not isinstance(error, Exception):
                    raise
                raise PublishFailed("update", _words(error)) from error
            self.held[target.url] = Held(run.name, staged.version, "clean")
            return done

    async def _publish(
        self, control: Control, run: LiveRun, staged: Staged, target: Target, found: Found
    ) -> dict[str, Any]:
        clock, seconds, last = time.perf_counter, {"probe": found.seconds}, time.perf_counter()

        def lap(phase: str) -> None:
            nonlocal last
            now = clock()
            seconds[phase], last = now - last, now

        await control.pause()
        lap("pause")
        await self._send(control, run, staged, target, found.transport)
        await control.forget_prefixes(found.routes)
        lap("update")
        await control.resume()
        lap("resume")
        gap = await self._check(control, run, staged.version, target, found.model)
        lap("check")
        seconds["total"] = sum(seconds.values())
        return {"url": target.url, "transport": found.transport, "bytes": staged.bytes, "seconds": seconds, "gap": gap}

    async def _send(self, control: Control, run: LiveRun, staged: Staged, target: Target, transport: str) -> None:
        if transport == "ipc":
            await ipc.send(control, staged)
        elif transport == "nccl":
            await self._nccl.send(control, staged)
        else:
            assert target.directory is not None
            await directory.send(control, run, staged, target.directory, self._writing)

    async def _check(
        self, control: Control, run: LiveRun, version: int, target: Target, model: str
    ) -> dict[str, float]:
        architecture = run.architecture
        prompts = check.prompts_of(version, architecture.vocab_size, architecture.max_positions)
        body = check.request(model, prompts, architecture.max_positions)
        served = check.read_answer(prompts, await control.call("check", "POST", "/v1/completions", body))
        work = self._engine.submit(check.measure, run, version, served)
        try:
            gap = await asyncio.wrap_future(work)
        except Problem as problem:
            raise PublishFailed("check", problem.detail) from problem
        if not gap["mean_abs"] <= target.tolerance:
            detail = f"log-probabilities differ by {gap['mean_abs']:.4g} in the mean, {target.tolerance:g} is allowed"
            raise PublishFailed("check", detail)
        return gap


async def _probe(control: Control, target: Target) -> Found:
    """Asks only."""
    start = time.perf_counter()
    try:
        routes = await control.routes()
        transport = choose_transport(target, routes, torch.cuda.is_available())
        model = await control.model(target.model)
        return Found(routes, transport, model, time.perf_counter() - start)
    except PublishFailed as failure:
        log.warning("publish to %s failed, the engine was left alone: %s", target.url, failure)
        raise


def choose_transport(target: Target, routes: frozenset[str], cuda: bool) -> str:
    """What the target asks for, when the engine has the routes; `auto`: NCCL where it can be, else the directory."""
    if missing := CONTROL - routes:
        raise PublishFailed("probe", _lacking(missing))
    nccl_possible = cuda and nccl.importable() and routes >= nccl.NEEDED
    chosen = target.transport
    if chosen == "auto":
        if not nccl_possible and target.directory is None:
            detail = "NCCL needs vLLM importable, a CUDA device and the engine's routes; name a directory or ipc"
            raise PublishFailed("probe", detail)
        chosen = "nccl" if nccl_possible else "directory"
    if chosen == "nccl" and not nccl.importable():
        raise PublishFailed("probe", "NCCL needs vLLM importable by the trainer")
    needed = {"ipc": ipc.NEEDED, "nccl": nccl.NEEDED, "directory": directory.NEEDED}[chosen]
    if missing := needed - routes:
        raise PublishFailed("probe", _lacking(missing))
    return chosen


def _lacking(missing: frozenset[str]) -> str:
    return f"the engine has no {', '.join(sorted(missing))}; vLLM has them with VLLM_SERVER_DEV_MODE=1"


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, PublishFailed) else f"{type(error).__name__}: {error}"
