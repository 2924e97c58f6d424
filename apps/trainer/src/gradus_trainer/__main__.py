"""Command line: takes the state directory, serves, says where in one line, and leaves when told or orphaned."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import IO

from aiohttp import web

from gradus_trainer import state_lock
from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.engine import Engine
from gradus_trainer.engine.run import Backend
from gradus_trainer.front.app import make_app
from gradus_trainer.generated.wire import FORMAT, TOKEN_VARIABLE
from gradus_trainer.kill_point import kill_point
from gradus_trainer.ledger import Ledger
from gradus_trainer.versions import choose_device, prepare_torch

MAX_BODY_BYTES = 64 << 20
ORPHANED, LOCKED = 0, 75


def main() -> None:
    """Runs the service until SIGTERM, SIGINT, or the end of standard input with --watch-stdin."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if arguments.watch_stdin:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    arguments.state.mkdir(parents=True, exist_ok=True)
    lock = _lock(arguments.state, take_over=arguments.take_over)
    try:
        asyncio.run(_serve(arguments))
    finally:
        lock.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gradus_trainer", description="The trainer service of Gradus.")
    parser.add_argument("--state", type=Path, required=True, help="what is needed to go on after a crash")
    parser.add_argument("--artifacts", type=Path, required=True, help="immutable policies by weight digest")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0 leaves torch's own choice")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument(
        "--nproc", type=int, default=0, help="workers to start on this machine; 0 trains in this process"
    )
    parser.add_argument("--replicas", type=int, default=1, help="whole copies of the policy among the workers")
    parser.add_argument("--workers", metavar="HOST:PORT", help="listen here for workers that are started elsewhere")
    parser.add_argument("--max-body-bytes", type=int, default=MAX_BODY_BYTES)
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    parser.add_argument("--take-over", action="store_true", help="ask a trainer that has the state to leave")
    arguments = parser.parse_args()
    if arguments.nproc and arguments.workers:
        parser.error("--nproc starts workers here, --workers waits for others: give one of them")
    if arguments.replicas < 1 or arguments.nproc % arguments.replicas:
        parser.error(f"--replicas {arguments.replicas} must divide --nproc {arguments.nproc}")
    return arguments


def _leave_with_parent() -> None:
    # os.read holds no lock of Python's, which a leaving interpreter would wait for.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(ORPHANED)


def _lock(state: Path, *, take_over: bool) -> IO[str]:
    lock = state_lock.take(state, take_over=take_over)
    if lock is None:
        # the refusal of a command, for the person who typed it
        print(f"another trainer owns {state}", file=sys.stderr)  # noqa: T201 - for who started it
        sys.exit(LOCKED)
    return lock


async def _serve(arguments: argparse.Namespace) -> None:
    device = choose_device(arguments.device)
    prepare_torch(device, arguments.threads)
    ledger, artifacts = Ledger(arguments.state / "ledger.sqlite"), Artifacts(arguments.artifacts)
    given = os.environ.get(TOKEN_VARIABLE)
    token = given or secrets.token_urlsafe(32)
    backend = _backend(arguments, artifacts, token)
    reached = kill_point(os.environ)
    engine = Engine(arguments.state, artifacts, ledger, device, arguments.threads, backend=backend, reached=reached)
    app = make_app(engine, ledger, token, arguments.max_body_bytes)
    # Bodies are digested as sent and decompressed within a bound, so aiohttp must leave them alone.
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, arguments.host, arguments.port)
    await site.start()
    port = runner.addresses[0][1]
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    line = {"format": FORMAT, "url": f"http://{host}:{port}", "pid": os.getpid()}
    # the first line of standard output is part of the protocol
    print(json.dumps(line if given else line | {"token": token}), flush=True)  # noqa: T201 - the first line is the protocol
    await _told_to_leave()
    await site.stop()
    await asyncio.to_thread(engine.stop)
    await runner.cleanup()
    ledger.close()


def _backend(arguments: argparse.Namespace, artifacts: Artifacts, token: str) -> Backend | None:
    """Where tensors live: None for this process."""
    if not arguments.nproc and not arguments.workers:
        return None
    # torch.distributed.checkpoint takes longer to import than the rest of the service: only workers need it
    from gradus_trainer.engine.torchrun.backend import Torchrun  # noqa: PLC0415 - only workers need it
    from gradus_trainer.engine.torchrun.workers import Job, Workers  # noqa: PLC0415 - only workers need it

    host, _, port = (arguments.workers or "127.0.0.1:0").rpartition(":")
    job = Job(
        processes=arguments.nproc,
        replicas=arguments.replicas,
        host=host,
        port=int(port),
        threads=arguments.threads,
        device=arguments.device,
    )
    return Torchrun(artifacts, Workers(job, token))


async def _told_to_leave() -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


if __name__ == "__main__":
    main()
