"""Command line: takes the state directory, serves, says where in one line, and leaves when told or orphaned."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
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

from gradus_trainer.artifacts import Artifacts
from gradus_trainer.engine.engine import Engine
from gradus_trainer.front.app import make_app
from gradus_trainer.generated.wire import FORMAT, TOKEN_VARIABLE
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
    lock = _lock(arguments.state)
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
    parser.add_argument("--max-body-bytes", type=int, default=MAX_BODY_BYTES)
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    return parser.parse_args()


def _leave_with_parent() -> None:
    # os.read holds no lock of Python's, which a leaving interpreter would wait for.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(ORPHANED)


def _lock(state: Path) -> IO[str]:
    file = (state / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        # the refusal of a command, for the person who typed it
        print(f"another trainer owns {state}", file=sys.stderr)  # noqa: T201 - for who started it
        sys.exit(LOCKED)
    return file


async def _serve(arguments: argparse.Namespace) -> None:
    device = choose_device(arguments.device)
    prepare_torch(device, arguments.threads)
    ledger = Ledger(arguments.state / "ledger.sqlite")
    engine = Engine(arguments.state, Artifacts(arguments.artifacts), ledger, device, arguments.threads)
    given = os.environ.get(TOKEN_VARIABLE)
    token = given or secrets.token_urlsafe(32)
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


async def _told_to_leave() -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


if __name__ == "__main__":
    main()
