"""The sales module's own tests, written as a third party would: all of them, in all tiers, in a run of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from plataforma_sdk import ModulePackage

ROOT = Path(__file__).parents[3]
VENDAS = ROOT / "examples" / "vendas"
TIERS = ("trusted", "restricted", "wasm")


def run_suite(directory: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as its author does, in the module's directory."""
    is_installed = any(point.name == "plataforma" for point in entry_points(group="pytest11"))
    plugin = () if is_installed else ("-p", "plataforma_sdk.testing.plugin")
    command = (sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", *args, "tests")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CI": "1"}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(240)  # 222 tests, each with a host of its own
def test_every_test_passes_in_every_tier() -> None:
    result = run_suite(VENDAS, "-v")
    assert result.returncode == 0, result.stdout
    passed = re.findall(r"::(\w+)\[(\w+)\S*\] PASSED", result.stdout)
    assert {tier for _, tier in passed} == set(TIERS)
    for tier in TIERS:
        assert len([name for name, where in passed if where == tier]) >= 40


def test_its_tests_are_no_part_of_its_package() -> None:
    assert sorted(ModulePackage.from_directory(VENDAS).files) == [
        "README.md",
        "calculos.py",
        "module.toml",
        "telas.py",
        "vendas.py",
    ]
