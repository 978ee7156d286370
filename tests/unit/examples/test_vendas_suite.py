"""The sales module's own tests, written as a third party would: all of them, in all tiers, in a run of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plataforma_sdk import ModulePackage
from plataforma_sdk.cli._app import app
from plataforma_sdk.permissions import is_within

ROOT = Path(__file__).parents[3]
VENDAS = ROOT / "examples" / "vendas"
TIERS = ("trusted", "restricted", "wasm")


def run_suite(directory: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as its author does, in the module's directory."""
    is_installed = any(point.name == "plataforma" for point in entry_points(group="pytest11"))
    plugin = () if is_installed else ("-p", "plataforma_sdk.testing.plugin")
    command = (sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", *args)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CI": "1"}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(240)  # 222 tests, each with a host of its own
def test_every_test_passes_in_every_tier() -> None:
    result = run_suite(VENDAS, "-v", "tests")
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


# --- record ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of the suite, as ``--api`` takes them."""
    spec = importlib.util.spec_from_file_location("vendas_conftest", VENDAS / "tests" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    rows = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rows)
    path = tmp_path_factory.mktemp("api") / "api.json"
    tables = {"clientes": rows.CLIENTES, "produtos": rows.PRODUTOS, "vendas": rows.VENDAS}
    path.write_text(json.dumps({f"GET /vendas/{name}": table for name, table in tables.items()}))
    return path


def copy_of_vendas(directory: Path, permissions: dict[str, str]) -> Path:
    """Copy the module, with these permissions instead of its own."""
    copy = directory / "vendas"
    shutil.copytree(VENDAS, copy)
    text = (copy / "module.toml").read_text(encoding="utf-8")
    head, tail = text.partition("[permissions.required]")[0], text.partition("[events]")[2]
    tables = "".join(
        f"[permissions.{kind}]\n"
        + "".join(f'"{name}" = "why"\n' for name, where in permissions.items() if where == kind)
        for kind in ("required", "optional")
    )
    (copy / "module.toml").write_text(f"{head}{tables}\n[events]{tail}", encoding="utf-8")
    return copy


@pytest.mark.timeout(120)
@pytest.mark.parametrize("engine", TIERS)
def test_record_writes_exactly_what_it_uses(tmp_path: Path, api: Path, engine: str) -> None:
    """From a manifest that declares nothing; the clipboard is refused, as a host does that never declared it."""
    copy = copy_of_vendas(tmp_path, {})
    options = ("--engine", engine, "--api", str(api), "--deny", "system.clipboard", "--write")
    result = CliRunner().invoke(app, ["record", str(copy), *options])
    assert result.exit_code == 0, result.output
    recorded = ModulePackage.from_directory(copy).manifest.permissions.declared
    assert set(recorded) == set(ModulePackage.from_directory(VENDAS).manifest.permissions.declared)


LINES = {
    "api.vendas[GET]": "required",
    "window.create": "required",
    "events.subscribe[user.login]": "required",
    "events.subscribe[data.vendas.updated]": "required",
    "events.emit[module.vendas.filtrada]": "optional",
    "system.notifications": "optional",
}


def test_the_lines_are_those_of_the_manifest() -> None:
    declared = ModulePackage.from_directory(VENDAS).manifest.permissions.declared
    assert is_within(LINES, declared)
    assert is_within(declared, LINES)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("removed", LINES)
def test_without_any_one_line_a_test_fails_and_names_it(tmp_path: Path, removed: str) -> None:
    copy = copy_of_vendas(tmp_path, {name: where for name, where in LINES.items() if name != removed})
    result = run_suite(
        copy, "--plataforma-tier", "trusted", "tests/test_permissions.py::test_each_permission_is_needed"
    )
    assert result.returncode == 1, result.stdout
    assert re.search(rf"^E .*{re.escape(removed)}", result.stdout, re.MULTILINE), result.stdout
