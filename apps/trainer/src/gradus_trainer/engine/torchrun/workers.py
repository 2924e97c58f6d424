"""The front's side of a torchrun job: starts the workers or waits for them, asks rank 0, notices when they are gone."""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import dataclasses
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any, TypeVar

from gradus_trainer.engine.torchrun.link import Link, LinkBroken, Message
from gradus_trainer.generated.wire import TOKEN_VARIABLE
from gradus_trainer.problem import Problem

FRESH_STORE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""Workers that start again must not find the addresses of those before them, which torchrun's own store would keep."""
MAX_RESTARTS = 1000
MONITOR_SECONDS = 0.2
START_SECONDS = 600.0
STOP_SECONDS = 20.0
log = logging.getLogger("gradus.workers")
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Job:
    """`processes` workers are started on this machine; with 0 they are started elsewhere and come to `host`:`port`."""

    processes: int
    replicas: int
    host: str = "127.0.0.1"
    port: int = 0
    threads: int = 0
    device: str = "auto"


class Workers:
    """`generation` counts the groups of workers that have come; a run that an older one held is lost."""

    def __init__(self, job: Job, token: str) -> None:
        self._job, self._token = job, token
        self._changed = threading.Condition()
        self._link: Link | None = None
        self.generation = 0
        self._asked: dict[int, concurrent.futures.Future[Message]] = {}
        self._saves: dict[int, concurrent.futures.Future[None]] = {}
        self._ids = itertools.count(1)
        self._stopping = False
        self._launcher: subprocess.Popen[bytes] | None = None
        self._started_at = 0
        # the launcher dies with the thread that started it, so that thread must stay
        self._launching = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="launching")
        self._server = socket.create_server((job.host, job.port))
        self.address: tuple[str, int] = self._server.getsockname()[:2]
        threading.Thread(target=self._welcome, name="workers", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Says whether a group of workers is connected."""
        return self._link is not None

    @property
    def missing(self) -> bool:
        """Says whether workers are awaited. Those that are started here on the first request are not, before it."""
        launcher = self._launcher
        coming = not self._job.processes or (launcher is not None and launcher.poll() is None)
        return coming and not self.alive

    # Coming and going

    def _welcome(self) -> None:
        while True:
            try:
                connection, address = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection: socket.socket, address: Any) -> None:
        link = Link(connection)
        try:
            link.prove(self._token, front=True)
            ready, _ = link.receive()
            log.info("workers from %s: %s", address[0], ready)
        except LinkBroken as error:
            log.warning("a connection from %s was refused: %s", address[0], error)
            link.close()
            return
        with self._changed:
            self._lose("other workers came in their place")
            self._link, self.generation = link, self.generation + 1
            self._changed.notify_all()
        try:
            while True:
                self._take(*link.receive())
        except LinkBroken as error:
            with self._changed:
                if self._link is link:
                    self._lose(str(error))
        finally:
            link.close()

    def _lose(self, reason: str) -> None:
        """Called with the lock held."""
        if self._link is None:
            return
        log.warning("the workers are gone: %s", reason)
        self._link.close()
        self._link = None
        problem = Problem("workers_lost", f"the workers are gone ({reason}); they start again, send the request again")
        for answer in self._asked.values():
            answer.set_exception(problem)
        for written in self._saves.values():
            written.set_exception(problem)
        self._asked.clear()
        self._saves.clear()

    def _take(self, header: dict[str, Any], body: bytes) -> None:
        problem = header.get("problem")
        error = None if problem is None else Problem(problem["code"], problem["detail"], field=problem["field"])
        with self._changed:
            written = self._saves.pop(header["saved"], None) if "saved" in header else None
            answer = self._asked.pop(header["id"], None) if "id" in header else None
        if written is not None:
            _settle(written, None, error)
        if answer is not None:
            _settle(answer, (header, body), error)

    # Asking

    def ask(self, asked: dict[str, Any], body: bytes = b"") -> Message:
        """Has every rank do something and waits for the answer."""
        return self._send(asked, body)[0].result()

    def save(self, asked: dict[str, Any]) -> concurrent.futures.Future[None]:
        """Has every rank stage its state; what is given back is done when it is on disk."""
        staged, written = self._send(asked, b"", saves=True)
        staged.result()
        return written

    def _send(
        self, asked: dict[str, Any], body: bytes, *, saves: bool = False
    ) -> tuple[concurrent.futures.Future[Message], concurrent.futures.Future[None]]:
        number = next(self._ids)
        answer: concurrent.futures.Future[Message] = concurrent.futures.Future()
        written: concurrent.futures.Future[None] = concurrent.futures.Future()
        with self._changed:
            link = self._link
            if link is None:
                raise Problem("workers_lost", "the workers are gone; they start again, send the request again")
            self._asked[number] = answer
            if saves:
                self._saves[number] = written
        try:
            link.send(asked | {"id": number}, body)
        except LinkBroken as error:
            with self._changed:
                if self._link is link:
                    self._lose(str(error))
        return answer, written

    # Starting and stopping

    def require(self, seconds: float = START_SECONDS) -> int:
        """Waits until workers are there, starting them where that is ours to do; their generation."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._link is None:
                if self._stopping:
                    raise Problem("shutting_down", "the trainer is shutting down")
                if self._job.processes:
                    self._keep_launcher()
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Problem("workers_lost", f"no workers came within {seconds:.0f} s")
                self._changed.wait(min(left, 1.0))
            return self.generation

    def _keep_launcher(self) -> None:
        """Starts the launcher unless it runs; one that ended before its workers came is told."""
        launcher = self._launcher
        if launcher is not None and launcher.poll() is not None:
            self._launcher = None
            if self.generation == self._started_at:
                detail = f"the workers ended with status {launcher.returncode} before they were ready, see the log"
                raise Problem("workers_lost", detail)
        if self._launcher is None:
            self._started_at = self.generation
            self._launcher = self._launching.submit(self._start).result()

    def _start(self) -> subprocess.Popen[bytes]:
        job, (host, port) = self._job, self.address
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nnodes=1"]
        command += [f"--nproc-per-node={job.processes}", f"--max-restarts={MAX_RESTARTS}"]
        command += [f"--monitor-interval={MONITOR_SECONDS}", "-m", "gradus_trainer.engine.torchrun.worker"]
        command += [f"--front={host}:{port}", f"--replicas={job.replicas}"]
        command += [f"--device={job.device}", f"--threads={job.threads}"]
        environment = os.environ | {
            TOKEN_VARIABLE: self._token,
            "OMP_NUM_THREADS": str(job.threads or 1),
            **FRESH_STORE,
        }
        log.info("starting %d workers", job.processes)
        # a group of its own, so that no worker outlives its launcher; nothing of ours may go to standard output
        return subprocess.Popen(  # noqa: S603 - the command is made above
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - calls one function of the C library
        )

    def leave(self) -> None:
        """Waits for no workers any more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Lets the workers finish what they write, then ends them."""
        self.leave()
        link = self._link
        if link is not None:
            with contextlib.suppress(LinkBroken):
                link.send({"do": "stop", "id": 0})
        self._server.close()
        launcher = self._launcher
        if launcher is not None:
            try:
                launcher.wait(STOP_SECONDS if link is not None else 0)
            except subprocess.TimeoutExpired:
                _end(launcher)
        self._launching.shutdown()


def _settle(future: concurrent.futures.Future[Result], result: Result, error: Problem | None) -> None:
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _end(launcher: subprocess.Popen[bytes]) -> None:
    """torchrun ends its workers when it is told to leave; what is left after that is killed with its whole group."""
    launcher.terminate()
    try:
        launcher.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(launcher.pid, signal.SIGKILL)
        launcher.wait()


def _die_with_parent() -> None:
    """Linux: the launcher gets SIGTERM when the front dies, also by kill -9, and ends its workers."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
