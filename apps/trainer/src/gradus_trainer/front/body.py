"""Request bodies: read within the limit, digest compared, decompressed within the limit."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import zstandard
from aiohttp import web

from gradus_trainer.digest import bytes_digest, content_digest
from gradus_trainer.front.off_loop import compute
from gradus_trainer.generated.wire import HEADER, MEDIA_TYPE
from gradus_trainer.problem import Problem
from gradus_trainer.wire.strict_json import parse_object

LIMIT: web.AppKey[int] = web.AppKey("max_body_bytes", int)


async def read_body(request: web.Request, media_type: str) -> bytes:
    """The bytes as sent. The media type must match; more than the limit is refused without being kept."""
    if request.content_type != media_type:
        raise Problem("media_type_unsupported", f"Content-Type must be {media_type}", field="Content-Type")
    limit = request.app[LIMIT]
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for part in request.content.iter_any():
            body += part
            if len(body) > limit:
                raise _too_large(limit)
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Problem("body_incomplete", f"the body broke off: {error}", field="body") from error
    return bytes(body)


def _too_large(limit: int) -> Problem:
    return Problem("body_too_large", f"the body is greater than {limit} bytes", field="body")


async def read_json(request: web.Request) -> dict[str, Any]:
    """A JSON body."""
    return (await read_sized_json(request))[0]


async def read_sized_json(request: web.Request) -> tuple[dict[str, Any], int]:
    """A JSON body and how many bytes it has, for what is computed from it."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("media_type_unsupported", "a JSON body is not encoded", field="Content-Encoding")
    body = await read_body(request, MEDIA_TYPE["json"])
    return await compute(len(body), parse_object, body, "body"), len(body)


async def read_arrow(request: web.Request, *, digest_required: bool) -> tuple[bytes, str]:
    """(decompressed Arrow bytes, digest of the bytes sent)."""
    stated = content_digest(request.headers.get(HEADER["digest"]))
    if stated is None and digest_required:
        raise Problem("field_missing", "the header Content-Digest is missing", field=HEADER["digest"])
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "zstd"):
        raise Problem("media_type_unsupported", f"Content-Encoding {encoding!r} is unknown", field="Content-Encoding")
    body = await read_body(request, MEDIA_TYPE["arrow"])
    digest = await compute(len(body), bytes_digest, body)
    if stated is not None and stated != digest:
        raise Problem("digest_mismatch", "the body does not have the Content-Digest", field=HEADER["digest"])
    if encoding == "zstd":
        # how much comes out of it is not known before
        body = await asyncio.to_thread(decompress, body, request.app[LIMIT])
    return body, digest


def decompress(body: bytes, limit: int) -> bytes:
    """Zstandard within `limit` bytes of output and of window, whatever the frame claims."""
    window = max(1 << 23, 1 << (limit - 1).bit_length())
    reader = zstandard.ZstdDecompressor(max_window_size=min(window, 1 << 30)).stream_reader(
        io.BytesIO(body), read_across_frames=True
    )
    parts, size = [], 0
    try:
        while part := reader.read(1 << 20):
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
    except zstandard.ZstdError as error:
        raise Problem("arrow_malformed", f"the body is not Zstandard: {error}", field="Content-Encoding") from error
    return b"".join(parts)


def answer_json(document: dict[str, Any], status: int = 200) -> web.Response:
    """A JSON answer."""
    text = json.dumps(document, allow_nan=False, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type=MEDIA_TYPE["json"])
