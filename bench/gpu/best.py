"""best.py PLAN RESULTS: the arm with the highest mean last held-out reading; all arms on standard error."""

import json
import statistics
import sys
from pathlib import Path

plan, results = map(Path, sys.argv[1:3])
last: dict[str, list[float]] = {}
for cell in json.loads(plan.read_text())["cells"]:
    file = results / f"{cell['id'][:16]}.json"
    if file.exists():
        curve = [point for point in json.loads(file.read_text())["curve"] if point["set"] == "heldout"]
        last.setdefault(cell["arm"], []).append(curve[-1]["accuracy"])
means = {arm: statistics.fmean(values) for arm, values in last.items()}
for arm, mean in sorted(means.items(), key=lambda pair: -pair[1]):
    sys.stderr.write(f"{mean:.4f} {arm}\n")
sys.stdout.write(max(means, key=lambda arm: means[arm]) + "\n")
