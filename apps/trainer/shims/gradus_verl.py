"""verl: `custom_reward_function.path=gradus_verl.py`. Unscored raises: verl has no word for it, a 0 would be untrue."""

import json
import os
from urllib.request import Request, urlopen


def compute_score(
    data_source: str, solution_str: str, ground_truth: object, extra_info: dict | None = None, **_: object
) -> dict[str, float]:
    known = {key: (extra_info or {})[key] for key in ("question", "thinking") if key in (extra_info or {})}
    row = {"id": data_source, "gold": str(ground_truth), "completion": solution_str, "thinking": "on", **known}
    headers = {"authorization": f"Bearer {os.environ['GRADUS_REWARD_TOKEN']}", "content-type": "application/json"}
    body = json.dumps({"requests": [row]}).encode()
    request = Request(f"{os.environ['GRADUS_REWARD_URL']}/v1/score", body, headers)  # noqa: S310 - the operator's address
    with urlopen(request, timeout=600) as reply:  # noqa: S310 - as above
        (score,) = json.load(reply)["scores"]
    if score["value"] is None:
        raise RuntimeError(f"{data_source}: unscored, {score['unscored']}")
    return {"score": score["value"], **score["components"]}
