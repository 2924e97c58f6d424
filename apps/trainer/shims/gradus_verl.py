"""verl: `custom_reward_function.path=gradus_verl.py`. Unscored raises: verl has no word for it, a 0 would be untrue."""

import json
import os
from urllib.request import Request, urlopen


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    row = {"id": data_source, "gold": str(ground_truth), "completion": solution_str, "thinking": "on"}
    row |= {key: extra_info[key] for key in ("question", "thinking") if key in (extra_info or {})}
    headers = {"authorization": f"Bearer {os.environ['GRADUS_REWARD_TOKEN']}", "content-type": "application/json"}
    body = json.dumps({"requests": [row]}).encode()
    with urlopen(Request(f"{os.environ['GRADUS_REWARD_URL']}/v1/score", body, headers), timeout=600) as reply:
        (score,) = json.load(reply)["scores"]
    if score["value"] is None:
        raise RuntimeError(f"{data_source}: unscored, {score['unscored']}")
    return {"score": score["value"], **score["components"]}
