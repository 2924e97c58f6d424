"""The control calls of one engine, each within its time; whatever goes wrong is a PublishFailed of its phase."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from gradus_trainer.publish.failure import PublishFailed

SECONDS = {"probe": 30.0, "pause": 120.0, "connect": 120.0, "update": 600.0, "finish": 300.0, "check": 120.0}
DEFAULT_SECONDS = 60.0
SHOWN = 300
"""Characters of an engine's own words that a failure repeats."""

FORGET = "/reset_prefix_cache"


class Control:
    """Control calls of the engine at `url`."""

    def __init__(self, client: aiohttp.ClientSession, url: str, api_key: str | None) -> None:
        self.url = url
        self._client = client
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}

    async def call(self, phase: str, method: str, path: str, body: Any = None) -> Any:
        """One call; its JSON, or None for an empty answer."""
        timeout = aiohttp.ClientTimeout(SECONDS.get(phase, DEFAULT_SECONDS))
        try:
            request = self._client.request(
                method, self.url + path, json=body, headers=self._headers, timeout=timeout, allow_redirects=False
            )
            async with request as answer:
                text = await answer.text()
        except TimeoutError as error:
            raise PublishFailed(phase, f"{method} {path} gave no answer within {timeout.total:g} s") from error
        except (aiohttp.ClientError, OSError, UnicodeDecodeError) as error:
            raise PublishFailed(phase, f"{method} {path} failed: {error or type(error).__name__}") from error
        if answer.status >= 300:
            raise PublishFailed(phase, f"{method} {path} answered {answer.status}: {text[:SHOWN]}")
        try:
            return json.loads(text) if text.strip() else None
        except ValueError as error:
            raise PublishFailed(phase, f"{method} {path} answered no JSON: {text[:SHOWN]}") from error

    async def routes(self) -> frozenset[str]:
        """The paths that the engine says it has, and `PATH?NAME` for the query parameters of a POST."""
        document = await self.call("probe", "GET", "/openapi.json")
        paths = document.get("paths") if isinstance(document, dict) else None
        if not isinstance(paths, dict):
            raise PublishFailed("probe", "/openapi.json has no paths")
        return frozenset(paths) | {name for path, operations in paths.items() for name in _parameters(path, operations)}

    async def model(self, wanted: str | None) -> str:
        """The model to ask: the one wanted, else the only one."""
        document = await self.call("probe", "GET", "/v1/models")
        try:
            names = [str(entry["id"]) for entry in document["data"]]
        except (KeyError, TypeError) as error:
            raise PublishFailed("probe", "/v1/models has no list of ids") from error
        if wanted is not None and wanted in names:
            return wanted
        if wanted is None and len(names) == 1:
            return names[0]
        raise PublishFailed("probe", f"the engine serves {', '.join(names) or 'nothing'}: which is meant by {wanted}?")

    async def pause(self) -> None:
        """Freezes what is being generated and keeps new requests waiting."""
        await self.call("pause", "POST", "/pause?mode=keep")

    async def forget_prefixes(self, routes: frozenset[str]) -> None:
        """Old weights made their keys and values. Paused requests keep theirs unless the engine can begin them anew."""
        if FORGET not in routes:
            return
        running = "?reset_running_requests=true" if f"{FORGET}?reset_running_requests" in routes else ""
        await self.call("update", "POST", FORGET + running)

    async def resume(self) -> None:
        """Lets it generate again."""
        await self.call("resume", "POST", "/resume")

    async def shut(self) -> None:
        """Best effort after a failure: nothing is generated any more, and what waits is given up."""
        try:
            await self.call("pause", "POST", "/pause?mode=abort")
        except PublishFailed:
            return


def _parameters(path: str, operations: Any) -> list[str]:
    """`PATH?NAME` of what can be said in the query of a POST; an engine's document is not trusted to be one."""
    try:
        named = operations["post"]["parameters"]
        return [f"{path}?{parameter['name']}" for parameter in named if parameter["in"] == "query"]
    except (KeyError, TypeError):
        return []
