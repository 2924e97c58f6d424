"""The shims are called as TRL and verl call reward functions, against a real reward server of this tree."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
SHIMS = ROOT / "apps/trainer/shims"
NODE = ROOT / "node_modules/.bin/node"


def load(name: str) -> ModuleType:
    """Loads a shim by its file, as both trainers do."""
    spec = importlib.util.spec_from_file_location(name, SHIMS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def address() -> Iterator[dict[str, str]]:
    command = [str(NODE), str(ROOT / "apps/server/bench/serve.ts"), "numeric", "thinking"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as server:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
        assert server.stdin is not None
        server.stdin.close()
        assert server.wait(20) == 0


@pytest.fixture
def shim(address: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    monkeypatch.setenv("GRADUS_REWARD_URL", address["url"])
    monkeypatch.setenv("GRADUS_REWARD_TOKEN", address["token"])
    return load


def test_trl_plain_completions(shim: Callable[[str], ModuleType]) -> None:
    reward = shim("gradus_trl").gradus_reward
    assert reward.__name__ == "gradus_reward"
    values = reward(
        prompts=["2+2?", "2+3?", "2+4?"],
        completions=["<think>t</think>4", "<think>t</think>6", "6"],
        completion_ids=[[1], [2], [3]],
        answer=["4", 5, "6"],
        trainer_state=None,
        log_extra=None,
        log_metric=None,
    )
    assert values == [1, 0, 0]


def test_trl_conversations_and_unscored(shim: Callable[[str], ModuleType]) -> None:
    said = ["<think>t</think>4", "<think>t</think>4", "it is 4"]
    values = shim("gradus_trl").gradus_reward(
        prompts=[[{"role": "system", "content": "s"}, {"role": "user", "content": "2+2?"}]] * 3,
        completions=[[{"role": "assistant", "content": text}] for text in said],
        completion_ids=[[1]] * 3,
        answer=["4", "four", "4"],
        thinking=["on", "on", "off"],
    )
    assert values == [1, None, 1]


def test_trl_keeps_the_order_of_a_large_batch(shim: Callable[[str], ModuleType]) -> None:
    count = 2000
    completions = [f"<think>t</think>{i}" for i in range(count)]
    answer = [str(i if i % 3 == 0 else i + 1) for i in range(count)]
    values = shim("gradus_trl").gradus_reward(prompts=["?"] * count, completions=completions, answer=answer)
    assert values == [1 if i % 3 == 0 else 0 for i in range(count)]


def test_verl_scores_and_parts(shim: Callable[[str], ModuleType]) -> None:
    compute_score = shim("gradus_verl").compute_score
    right = compute_score(data_source="gsm8k", solution_str="<think>t</think>4", ground_truth="4", extra_info=None)
    assert right == {"score": 1, "accuracy": 1, "format": 1}
    extra = {"question": "2+2?", "thinking": "off", "index": 7}
    router = {"reward_router_address": None, "reward_model_tokenizer": None}
    wrong = compute_score("gsm8k", "<think>t</think>4", 4, extra, **router)
    assert wrong == {"score": 0, "accuracy": 1, "format": 0}


def test_verl_raises_for_what_nobody_can_score(shim: Callable[[str], ModuleType]) -> None:
    with pytest.raises(RuntimeError, match="unscored, gold_unreadable"):
        shim("gradus_verl").compute_score("gsm8k", "<think>t</think>4", "four")


def test_a_wrong_token_is_an_error(shim: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    module = shim("gradus_trl")
    monkeypatch.setenv("GRADUS_REWARD_TOKEN", "wrong")
    with pytest.raises(OSError, match="401"):
        module.gradus_reward(prompts=["?"], completions=["4"], answer=["4"])
