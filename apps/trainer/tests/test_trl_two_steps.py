"""TRL's GRPOTrainer trains two steps on rewards of our server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "shims/trl_two_steps.py"


def test_trl_trains_two_steps_on_the_servers_rewards(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    steps = [line for line in ended.stdout.splitlines() if line.startswith("{") and "'step'" in line]
    assert [line.rsplit("'step': ", 1)[1] for line in steps] == ["1}", "2}"], ended.stdout
    assert all("'rewards/recorded_reward/mean'" in line for line in steps)
