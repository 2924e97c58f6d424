"""What the front and rank 0 say to each other over TCP: frames of one JSON object and bytes. No pickle.

Both prove that they know the token before anything else is read, each by a digest over the other's random challenge, so
the token itself never travels. What follows is neither encrypted nor signed: the network of a job must be private.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import socket
import struct
import threading
import time
from typing import Any

MAGIC = b"GRD1"
HEAD = struct.Struct(">4sIQ")
MAX_HEADER, MAX_BODY = 16 << 20, 1 << 36
CHALLENGE_BYTES = 32
HANDSHAKE_SECONDS = 10.0
CONNECT_SECONDS, AGAIN_SECONDS = 600.0, 0.5

Message = tuple[dict[str, Any], bytes]


class LinkBroken(Exception):
    """The other side is gone, is not who it should be, or does not speak this protocol."""


class Link:
    """One connection; `send` may be called from several threads, `receive` from one."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._sending = threading.Lock()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # a host that vanished says nothing: ask it every now and then
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Sends one message."""
        text = json.dumps(header, allow_nan=False).encode()
        try:
            with self._sending:
                self._socket.sendall(HEAD.pack(MAGIC, len(text), len(body)) + text)
                self._socket.sendall(body)
        except OSError as error:
            raise LinkBroken(str(error)) from error

    def receive(self) -> Message:
        """Waits for one message."""
        magic, text, size = HEAD.unpack(self._exactly(HEAD.size))
        if magic != MAGIC or text > MAX_HEADER or size > MAX_BODY:
            raise LinkBroken("this is not a message of ours")
        try:
            header = json.loads(self._exactly(text))
        except ValueError as error:
            raise LinkBroken("the header of a message is not JSON") from error
        if not isinstance(header, dict):
            raise LinkBroken("the header of a message is not an object")
        return header, self._exactly(size)

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        try:
            while len(parts) < count:
                part = self._socket.recv(min(1 << 20, count - len(parts)))
                if not part:
                    raise LinkBroken("the connection was closed")
                parts += part
        except OSError as error:
            raise LinkBroken(str(error)) from error
        return bytes(parts)

    def close(self) -> None:
        """Ends the connection; whoever waits in `receive` wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def prove(self, token: str, *, front: bool) -> None:
        """Exchanges challenges and proofs; raises when the other side does not know the token."""
        mine = secrets.token_bytes(CHALLENGE_BYTES)
        self._socket.settimeout(HANDSHAKE_SECONDS)
        try:
            self._socket.sendall(mine)
            theirs = self._exactly(CHALLENGE_BYTES)
            self._socket.sendall(_proof(token, theirs, by_front=front))
            if not hmac.compare_digest(self._exactly(CHALLENGE_BYTES), _proof(token, mine, by_front=not front)):
                raise LinkBroken("the other side does not know the token")
            self._socket.settimeout(None)
        except OSError as error:
            raise LinkBroken(str(error)) from error


def _proof(token: str, challenge: bytes, *, by_front: bool) -> bytes:
    # the two sides prove different things, so that none can hand back what it was sent
    return hmac.new(token.encode(), (b"front" if by_front else b"rank0") + challenge, hashlib.sha256).digest()


def connect(host: str, port: int, token: str, seconds: float = CONNECT_SECONDS) -> Link:
    """Rank 0's way to the front, which may start later or be on its way back."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            link = Link(socket.create_connection((host, port), HANDSHAKE_SECONDS))
            break
        except OSError as error:
            if time.monotonic() > deadline:
                raise LinkBroken(f"the front at {host}:{port} cannot be reached: {error}") from error
            time.sleep(AGAIN_SECONDS)
    try:
        link.prove(token, front=False)
    except LinkBroken:
        link.close()
        raise
    return link
