"""A publisher that is killed leaves a release whole or not at all, and publishing it again succeeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("PLATAFORMA_KILLS", "20"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills what it forks")
@pytest.mark.timeout(60 + KILLS)
def test_a_killed_publisher_leaves_nothing_half_published(tmp_path: Path) -> None:
    script = Path(__file__).with_name("_killed.py")
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "registry"), str(KILLS), "6"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    counts = json.loads(ended.stdout)
    sys.stdout.write(f"{KILLS} publishers: {counts}\n")
    assert counts["killed"] == KILLS
