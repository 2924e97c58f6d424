"""TRL: `GRPOTrainer(reward_funcs=[gradus_reward])`. The truth is the column `answer`; None = unscored: TRL skips it."""

import json
import os
from urllib.request import Request, urlopen


def gradus_reward(prompts, completions, answer, **columns):
    asked, said = ([x if isinstance(x, str) else x[-1]["content"] for x in side] for side in (prompts, completions))
    parts = zip(asked, map(str, answer), said, columns.get("thinking") or ["on"] * len(answer), strict=True)
    keys = ("id", "question", "gold", "completion", "thinking")
    rows = [dict(zip(keys, (str(i), *part), strict=True)) for i, part in enumerate(parts)]
    headers = {"authorization": f"Bearer {os.environ['GRADUS_REWARD_TOKEN']}", "content-type": "application/json"}
    body = json.dumps({"requests": rows}).encode()
    with urlopen(Request(f"{os.environ['GRADUS_REWARD_URL']}/v1/score", body, headers), timeout=600) as reply:
        return [score["value"] for score in json.load(reply)["scores"]]
