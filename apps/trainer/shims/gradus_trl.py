"""TRL: `GRPOTrainer(reward_funcs=[gradus_reward])`. The truth is the column `answer`; None = unscored: TRL skips it."""

import json
import os
from urllib.request import Request, urlopen


def gradus_reward(prompts: list, completions: list, answer: list, **columns: object) -> list[float | None]:
    text = [said if isinstance(said, str) else said[-1]["content"] for said in [*prompts, *completions]]
    thinking = columns.get("thinking") or ["on"] * len(answer)
    parts = zip(text[: len(prompts)], map(str, answer), text[len(prompts) :], thinking, strict=True)
    keys = ("question", "gold", "completion", "thinking")
    rows = [{"id": str(i), **dict(zip(keys, part, strict=True))} for i, part in enumerate(parts)]
    headers = {"authorization": f"Bearer {os.environ['GRADUS_REWARD_TOKEN']}", "content-type": "application/json"}
    body = json.dumps({"requests": rows}).encode()
    request = Request(f"{os.environ['GRADUS_REWARD_URL']}/v1/score", body, headers)  # noqa: S310 - the operator's address
    with urlopen(request, timeout=600) as reply:  # noqa: S310 - as above
        return [score["value"] for score in json.load(reply)["scores"]]
