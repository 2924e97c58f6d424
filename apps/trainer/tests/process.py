"""A trainer in a process of its own, to be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests import tiny


class Process:
    """`python -m gradus_trainer` on a state directory; used as a context, it never outlives its test."""

    def __init__(self, root: Path, *options: str, token: str | None = "secret") -> None:
        environment = {name: value for name, value in os.environ.items() if name != "GRADUS_TRAINER_TOKEN"}
        if token is not None:
            environment["GRADUS_TRAINER_TOKEN"] = token
        command = [sys.executable, "-m", "gradus_trainer", "--state", str(root / "state")]
        command += ["--artifacts", str(root / "artifacts"), "--threads", "1", "--device", "cpu", *options]
        root.mkdir(exist_ok=True)
        # a pipe that nobody reads would hold the process up when it is full
        with (root / "trainer.log").open("ab") as log:
            self.child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
            )
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        self.first_line: dict[str, Any] = json.loads(line) if line else {}
        self.token = token or self.first_line.get("token", "")
        self.lease = 0

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.kill()
        for stream in (self.child.stdin, self.child.stdout):
            if stream is not None:
                stream.close()

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.wait(20)

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Lease": str(self.lease)} | headers
        request = urllib.request.Request(self.first_line["url"] + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def post(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        return self.call(method, path, json.dumps(document).encode(), **{"Content-Type": "application/json"})

    def open(self, **changes: Any) -> dict[str, Any]:
        status, document = self.post("PUT", "/v1/runs/r", tiny.run_body(**changes))
        assert status in (200, 201), document
        self.lease = document["lease"]
        return document

    def put(self, number: int, body: bytes, wait: str = "wait=30", run: str = "r") -> tuple[int, Any]:
        headers = {
            "Content-Type": "application/vnd.apache.arrow.stream",
            "Content-Digest": tiny.digest_header(body),
            "Prefer": wait,
        }
        return self.call("PUT", f"/v1/runs/{run}/updates/{number}", body, **headers)

    def checkpoint(self, name: str, policy: bool = False) -> dict[str, Any]:
        status, made = self.post("POST", "/v1/runs/r/checkpoints", {"format": 1, "name": name, "policy": policy})
        assert status == 200, made
        return made
