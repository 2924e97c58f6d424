"""NCCL: the trainer is rank 0 of a group with the engine's workers and broadcasts to them, by vLLM's own classes.

Needs vLLM importable here, and the engine on another GPU than the policy.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import socket
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import torch

from gradus_trainer.publish.control import Control
from gradus_trainer.publish.failure import PublishFailed
from gradus_trainer.publish.staged import Staged
from gradus_trainer.publish.thread import in_daemon
from gradus_trainer.publish.update_calls import ROUTES, within_update

JOIN_SECONDS, FREE_SECONDS = 120.0, 30.0
"""How long an engine may take to join a group. vLLM's own rendezvous gives up later, in a thread nobody waits for."""
NEEDED = ROUTES | {"/get_world_size"}
log = logging.getLogger("gradus.publish")


def importable() -> bool:
    """Whether this Python has vLLM."""
    return importlib.util.find_spec("vllm") is not None


class NcclGroups:
    """The groups of this process by the engine's address. A group is made once and dropped after a failure."""

    def __init__(self) -> None:
        self._groups: dict[str, Any] = {}

    async def send(self, control: Control, staged: Staged) -> None:
        """One update: the engine is told what comes while it is broadcast."""
        _require_cuda(staged)
        group = self._groups.get(control.url) or await self._connect(control)
        try:
            async with within_update(control):
                await self._transfer(control, group, staged)
        except BaseException:
            self._drop(control.url)
            raise

    async def _connect(self, control: Control) -> Any:
        world = await control.call("connect", "GET", "/get_world_size")
        address, port = own_address(control.url), _free_port()
        info = {
            "master_address": address,
            "master_port": port,
            "rank_offset": 1,
            "world_size": 1 + int(world["world_size"]),
        }
        asked = asyncio.create_task(
            control.call("connect", "POST", "/init_weight_transfer_engine", {"init_info": info})
        )
        joining = in_daemon(_join, info)
        made = asyncio.wrap_future(joining)
        try:
            done, _ = await asyncio.wait({asked, made}, return_when=asyncio.FIRST_EXCEPTION, timeout=JOIN_SECONDS)
            for task in done:
                task.result()
            if not (asked.done() and made.done()):
                raise PublishFailed("connect", f"the engine did not join the NCCL group within {JOIN_SECONDS:g} s")
        except BaseException:
            asked.cancel()
            made.cancel()
            # a group that comes together after all is nobody's
            joining.add_done_callback(_free_late)
            raise
        self._groups[control.url] = made.result()
        return self._groups[control.url]

    async def _transfer(self, control: Control, group: Any, staged: Staged) -> None:
        asked = asyncio.create_task(
            control.call("update", "POST", "/update_weights", {"update_info": staged.description()})
        )
        sent = asyncio.wrap_future(in_daemon(_broadcast, group, staged))
        await asyncio.wait({asked, sent}, return_when=asyncio.FIRST_EXCEPTION)
        if asked.done() and asked.exception() is not None and not sent.done():
            # nobody receives: without this the broadcast would wait for ever
            self._drop(control.url)
            await asyncio.wait({sent}, timeout=FREE_SECONDS)
        await asked
        await asyncio.wait({sent})
        if (error := sent.exception()) is not None:
            raise PublishFailed("update", f"the broadcast failed: {error}") from error

    def _drop(self, url: str) -> None:
        if (group := self._groups.pop(url, None)) is not None:
            log.warning("the NCCL group with %s is given up", url)
            in_daemon(free, group)


def _require_cuda(staged: Staged) -> None:
    if not all(tensor.is_cuda for tensor in staged.tensors.values()):
        raise PublishFailed("update", "NCCL needs the policy on a CUDA device")


def free(group: Any) -> None:
    """Ends a communicator by what vLLM's class has: at once, or else as NCCL does it, which may wait for the others."""
    library, communicator = getattr(group, "nccl", None), getattr(group, "comm", None)
    ways = [(library, "ncclCommAbort", (communicator,)), (group, "destroy", ())]
    ways.append((library, "ncclCommDestroy", (communicator,)))
    for owner, name, arguments in ways:
        if (way := getattr(owner, name, None)) is not None:
            try:
                way(*arguments)
            except Exception:
                log.exception("an NCCL group could not be freed by %s", name)
            return
    log.warning("this vLLM has no way to free an NCCL group: its memory stays taken until the trainer ends")


def _free_late(joining: Future[Any]) -> None:
    """Called in the thread that joined, when nobody waits for the group any more."""
    if joining.exception() is None:
        free(joining.result())


def own_address(url: str) -> str:
    """The address of this host on the way to an engine; nothing is sent."""
    parts = urlsplit(url)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((parts.hostname or "127.0.0.1", parts.port or 80))
        return str(probe.getsockname()[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def _join(info: dict[str, Any]) -> Any:
    from vllm.distributed.weight_transfer.nccl_engine import NCCLWeightTransferEngine  # noqa: PLC0415 - optional, heavy

    torch.cuda.set_device(0)
    return NCCLWeightTransferEngine.trainer_init(info)


def _broadcast(group: Any, staged: Staged) -> None:
    """On a stream of its own: the engine thread's work goes on."""
    stream = torch.cuda.Stream()
    for tensor in staged.tensors.values():
        group.broadcast(tensor, src=0, stream=stream)
    stream.synchronize()
