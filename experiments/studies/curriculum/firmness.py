"""How firm the study's differences are: firmness.py PLAN RESULTS [SET [FIRST LAST]]   (needs scipy)

PLAN is runs/sweeps/<name>/plan.json, which `gradus sweep plan` writes; FIRST and LAST are seeds. Points of accuracy
against uniform over paired seeds: at equal generated tokens by straight lines and by a monotone cubic between
readings, and at equal updates; each with the 95 % and 99.3 % percentile bootstrap and Student's 95 % interval.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.stats import t

Curve = list[tuple[int, float]]


def curve(result: dict[str, Any], evaluated: str) -> Curve:
    """Generated tokens and accuracy of each reading."""
    return [(point["tokens"], point["accuracy"]) for point in result["curve"] if point["set"] == evaluated]


def straight(points: Curve, tokens: float) -> float:
    """The accuracy between two readings, by a straight line."""
    return float(np.interp(tokens, *zip(*points, strict=True)))


def bent(points: Curve, tokens: float) -> float:
    """The same by a cubic that rises and falls only where the readings do (Fritsch and Carlson)."""
    return float(PchipInterpolator(*zip(*points, strict=True))(tokens))


def line(differences: Sequence[float]) -> str:
    """The mean with its intervals."""
    values = 100 * np.array(differences)
    means = np.random.default_rng(0).choice(values, (20000, len(values))).mean(axis=1)
    error = values.std(ddof=1) / np.sqrt(len(values)) * t.ppf(0.975, len(values) - 1)
    ends = [np.quantile(means, (share, 1 - share)) for share in (0.025, 0.025 / 7)]
    ends.append(np.array([values.mean() - error, values.mean() + error]))
    return f"{values.mean():+.1f} " + " ".join(f"[{low:+.1f}, {high:+.1f}]" for low, high in ends)


def main() -> None:
    """Prints the table."""
    plan, results = map(Path, sys.argv[1:3])
    evaluated = sys.argv[3] if len(sys.argv) > 3 else "heldout"
    first, last = map(int, sys.argv[4:6]) if len(sys.argv) > 5 else (0, 1 << 53)
    arms: dict[str, dict[int, dict[str, Any]]] = {}
    for cell in json.loads(plan.read_text())["cells"]:
        if not first <= cell["seed"] <= last:
            continue
        result = json.loads((results / f"{cell['id'][:16]}.json").read_text())
        arms.setdefault(cell["arm"], {})[cell["seed"]] = result
    base = {seed: curve(result, evaluated) for seed, result in arms.pop("uniform").items()}
    for arm, cells in arms.items():
        pairs = [(curve(cells[seed], evaluated), points) for seed, points in base.items()]

        def at_tokens(read: Callable[[Curve, float], float], pairs: list[tuple[Curve, Curve]] = pairs) -> list[float]:
            ends = [min(mine[-1][0], theirs[-1][0]) for mine, theirs in pairs]
            return [read(mine, end) - read(theirs, end) for (mine, theirs), end in zip(pairs, ends, strict=True)]

        sys.stdout.write(f"{arm:13} tokens, straight  {line(at_tokens(straight))}\n")
        sys.stdout.write(f"{'':13} tokens, cubic     {line(at_tokens(bent))}\n")
        sys.stdout.write(f"{'':13} updates           {line([mine[-1][1] - theirs[-1][1] for mine, theirs in pairs])}\n")


if __name__ == "__main__":
    main()
