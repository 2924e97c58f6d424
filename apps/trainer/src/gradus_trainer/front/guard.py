"""What every request passes: the bearer token, then problems instead of exceptions."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable

import torch
from aiohttp import web

from gradus_trainer.generated.wire import MEDIA_TYPE
from gradus_trainer.problem import Problem

TOKEN: web.AppKey[str] = web.AppKey("token", str)
OPEN = frozenset({"/healthz", "/readyz"})
"""What a supervisor asks, who has no token."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger("gradus.front")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers 401 before anything else is looked at, and a problem for whatever goes wrong."""
    try:
        if request.path not in OPEN and not _authorized(request):
            raise Problem("unauthorized", "a bearer token is needed", field="Authorization")
        return await handler(request)
    except Problem as problem:
        return _answer(problem)
    except web.HTTPNotFound:
        return _answer(Problem("route_unknown", f"there is no route {request.path[:200]}"))
    except web.HTTPMethodNotAllowed as error:
        response = _answer(Problem("method_not_allowed", f"{request.method} is not allowed here"))
        response.headers["Allow"] = error.headers.get("Allow", "")
        return response
    except asyncio.CancelledError:
        if request.transport is None:
            raise
        return _answer(Problem("shutting_down", "the trainer is shutting down"))
    except Exception as error:
        log.exception("%s %s", request.method, request.path)
        memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        detail = "out of memory" if memory else f"{type(error).__name__}: {error}"
        return _answer(Problem("trainer_failed", detail))


def _authorized(request: web.Request) -> bool:
    sent = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(sent, f"Bearer {request.app[TOKEN]}".encode())


def _answer(problem: Problem) -> web.Response:
    text = json.dumps(problem.document(), ensure_ascii=True)
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
    return web.Response(text=text, status=problem.status, content_type=MEDIA_TYPE["problem"], headers=headers)
