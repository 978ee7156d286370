"""The example of a tested module: its own tests pass in every tier, and they hold its manifest to least privilege."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COLLECTED = 5
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    return Path(shutil.copytree(ROOT / "examples" / "testing", tmp_path / "estoque", ignore=ignored))


def run_its_tests(example: Path, *options: str) -> tuple[int, str]:
    """Run them as their author does: from that directory, with nothing but the plugin."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "plataforma_sdk.testing.plugin", *options]
    done = subprocess.run(command, cwd=example, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_its_tests_pass_in_every_tier(example: Path) -> None:
    code, output = run_its_tests(example)
    assert f"{3 * COLLECTED} passed" in output
    assert code == 0


def test_a_permission_that_it_does_without_fails_them(example: Path) -> None:
    """Least privilege is a test result."""
    manifest = example / "module.toml"
    manifest.write_text(
        manifest.read_text("utf-8").replace("[config", '"system.storage" = "Para nada"\n\n[config'), "utf-8"
    )
    code, output = run_its_tests(example, "--plataforma-tier", "trusted")
    assert f"{COLLECTED} passed" in output
    assert "system.storage" in output
    assert code == 1


@pytest.mark.parametrize(
    ("permission", "told"),
    [
        ("api.estoque[GET]", "needs 'api.estoque[GET]'"),
        ("api.estoque[POST]", "needs 'api.estoque[POST]'"),
        ("window.create", "needs 'window.create'"),
        ("system.clipboard", "system.clipboard"),
        ("system.notifications", "1 encomendados"),  # the module looks whether it may: nothing is refused
    ],
)
def test_a_permission_that_is_missing_fails_them(example: Path, permission: str, told: str) -> None:
    manifest = example / "module.toml"
    lines = manifest.read_text("utf-8").splitlines()
    manifest.write_text("\n".join(line for line in lines if not line.startswith(f'"{permission}"')), "utf-8")
    code, output = run_its_tests(example, "--plataforma-tier", "trusted")
    assert told in output
    assert code == 1
