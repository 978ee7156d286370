"""A publisher or a service that is killed leaves a release whole or not at all, and publishing again succeeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("PLATAFORMA_KILLS", "20"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills what it forks")
@pytest.mark.timeout(60 + 4 * KILLS)
@pytest.mark.parametrize("way", ["backend", "pipeline"])
def test_a_killed_publisher_leaves_nothing_half_published(way: str, tmp_path: Path) -> None:
    counts = run_script("_killed.py", tmp_path / "registry", way)
    assert counts["killed"] == KILLS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills what it forks")
@pytest.mark.timeout(60 + 2 * KILLS)
def test_a_killed_service_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    counts = run_script("_service_killed.py", tmp_path / "registry")
    assert counts["killed"] == KILLS
    assert counts["releases"] > 0


def run_script(name: str, root: Path, *options: str) -> dict[str, int]:
    """Run a script that kills `KILLS` times, and return what it counted."""
    script = Path(__file__).with_name(name)
    ended = subprocess.run(
        [sys.executable, str(script), str(root), str(KILLS), "6", *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    counts: dict[str, int] = json.loads(ended.stdout)
    sys.stdout.write(f"{name} {' '.join(options)}: {counts}\n")
    return counts
