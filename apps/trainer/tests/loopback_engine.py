"""An engine in vLLM's manner on loopback with a policy of its own: notes calls, reloads, samples, fails where told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from aiohttp import web

from gradus_trainer.model.decoder import Decoder
from gradus_trainer.model.load import load_directory
from gradus_trainer.sampler.decode import Chunk, decode
from gradus_trainer.tokenizer import character_tokenizer
from gradus_trainer.wire.fields import Fields
from tests import tiny

ROUTES = (
    "/pause",
    "/resume",
    "/init_weight_transfer_engine",
    "/start_weight_update",
    "/update_weights",
    "/finish_weight_update",
    "/get_world_size",
    "/collective_rpc",
    "/reset_prefix_cache",
    "/v1/completions",
    "/v1/models",
)


class LoopbackEngine:
    """`fail` maps a path to the status that its next calls get, one each; `deaf` reloads nothing and says 200.

    `lacks`: routes and query parameters that its /openapi.json does not name."""

    def __init__(self, decoder: Decoder | None = None, lacks: tuple[str, ...] = ()) -> None:
        self.decoder = decoder or tiny.decoder(seed=99, tied_embeddings=True)
        self.calls: list[tuple[str, Any]] = []
        self.fail: dict[str, list[int]] = {}
        self.deaf = False
        self.tokenizer = character_tokenizer(Fields(tiny.CHARACTERS))
        self.completions = 0
        self.said: Callable[[str], None] = lambda _line: None
        self.paused = False
        self._lacks = lacks
        self.url = ""

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.calls]

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.calls.append((request.path_qs, body))
        self.said(request.path_qs)
        statuses = self.fail.get(request.path, [])
        if statuses and (status := statuses.pop(0)) != 200:
            return web.Response(status=status, text="told to fail")
        if request.path == "/openapi.json":
            return web.json_response({"paths": self._paths()})
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": "served"}]})
        if request.path == "/get_world_size":
            return web.json_response({"world_size": 2})
        if request.path in ("/pause", "/resume"):
            self.paused = request.path == "/pause"
        if request.path == "/collective_rpc" and not self.deaf:
            assert body["method"] == "reload_weights"
            path = Path(body["kwargs"]["weights_path"])
            self.decoder, self.tokenizer = load_directory(path, torch.device("cpu"), torch.float32)
        if request.path == "/v1/completions":
            return web.json_response(self._complete(body))
        return web.json_response({"message": "done"})

    def _paths(self) -> dict[str, Any]:
        paths: dict[str, Any] = {path: {"post": {}} for path in ROUTES if path not in self._lacks}
        if "/reset_prefix_cache" in paths and "reset_running_requests" not in self._lacks:
            paths["/reset_prefix_cache"]["post"]["parameters"] = [{"name": "reset_running_requests", "in": "query"}]
        return paths

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        assert not self.paused
        prompts = self._ids(body["prompt"])
        seeds = [self.completions * 1000 + 100 * index for index in range(len(prompts))]
        self.completions += 1
        end = () if body.get("ignore_eos") else self.tokenizer.end
        done = decode(self.decoder, Chunk(prompts, body.get("n", 1), body["max_tokens"], 1.0, seeds, end))
        spoken = [ids[:-1] if stopped else ids for ids, stopped in zip(done.token_ids, done.stopped, strict=True)]
        texts = self.tokenizer.detokenize(spoken)
        return {
            "choices": [
                {
                    "index": index,
                    "text": texts[index],
                    "finish_reason": "stop" if done.stopped[index] else "length",
                    "token_ids": ids,
                    "prompt_token_ids": prompts[index // body.get("n", 1)],
                    "logprobs": {"token_logprobs": done.logprobs[index]},
                }
                for index, ids in enumerate(done.token_ids)
            ]
        }

    def _ids(self, prompt: Any) -> list[list[int]]:
        """Text, token ids, or several of either."""
        if isinstance(prompt, str):
            return self.tokenizer.tokenize([prompt], "prompt")
        return prompt if isinstance(prompt[0], list) else [prompt]


async def main() -> None:
    """Serves until it is ended: its address in the first line, then every call in a line of its own.

    `python -m tests.loopback_engine 3 6`: reloads number 3 to 6 fail.
    """
    first, last = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (1, 0)
    engine = LoopbackEngine()
    engine.fail["/collective_rpc"] = [200] * (first - 1) + [500] * (last - first + 1)
    engine.said = lambda line: print(line, flush=True)  # noqa: T201 - what the test reads
    await engine.start()
    engine.said(engine.url)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
