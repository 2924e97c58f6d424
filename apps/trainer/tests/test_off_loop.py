"""Great bodies are worked on beside the event loop, which goes on answering; small ones on it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import zstandard

from gradus_trainer.front import body as body_module
from gradus_trainer.front import generation, runs
from gradus_trainer.front.off_loop import INLINE_BYTES
from gradus_trainer.tokenizer import Tokenizer
from tests import tiny
from tests.conftest import ARROW, Service

GREAT = "abc=" * (INLINE_BYTES // 4)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Of each function that works on bodies: whether its last call was on the event loop's thread."""
    seen: dict[str, bool] = {}

    def watch(owner: Any, name: str) -> None:
        function = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            seen[name] = threading.current_thread() is threading.main_thread()
            return function(*arguments, **options)

        monkeypatch.setattr(owner, name, watched)

    for name in ("bytes_digest", "decompress", "parse_object"):
        watch(body_module, name)
    for name in ("tokenize", "detokenize"):
        watch(Tokenizer, name)
    watch(generation, "check_ids")
    watch(runs, "check_ids")
    return seen


@pytest.mark.parametrize(
    ("path", "small", "great", "function"),
    [
        ("/v1/runs/r/tokenize", {"format": 1, "texts": ["ab"]}, {"format": 1, "texts": [GREAT]}, "tokenize"),
        ("/v1/runs/r/detokenize", {"format": 1, "ids": [[6]]}, {"format": 1, "ids": [[6] * 100_000]}, "detokenize"),
        ("/v1/completions", {"model": "r", "prompt": "ab"}, {"model": "r", "prompt": GREAT}, "tokenize"),
        ("/v1/completions", {"model": "r", "prompt": [6]}, {"model": "r", "prompt": [[6] * 100_000]}, "check_ids"),
    ],
)
async def test_text_and_ids(service: Service, threads: dict[str, bool], path, small, great, function):
    await service.open()
    for sent, on_loop in ((small, True), (great, False)):
        threads.clear()
        status, answer = await service.call("POST", path, sent)
        assert status == 200 or answer["code"] == "sequence_too_long"
        assert threads[function] is on_loop
        assert threads["parse_object"] is on_loop


async def test_digests_and_zstandard(service: Service, threads: dict[str, bool]):
    await service.open()
    columns = tiny.columns(4000)
    great = tiny.stream(tiny.table(columns, tiny.metadata(denominator=20_000.0)))
    assert len(great) > INLINE_BYTES
    logprobs = "/v1/runs/r/logprobs"
    for sent, on_loop in ((tiny.update(1), True), (great, False)):
        await service.call("POST", logprobs, data=sent, headers={"Content-Type": ARROW})
        assert threads["bytes_digest"] is on_loop
    # a few bytes may become many
    packed = zstandard.ZstdCompressor().compress(tiny.update(1))
    assert (await service.put(1, packed, **{"Content-Encoding": "zstd"}))[0] == 200
    assert threads["decompress"] is False
