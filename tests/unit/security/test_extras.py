"""Other tools are asked where they are installed, and say how to get them where they are not."""

from __future__ import annotations

import asyncio
import importlib.util

import pytest

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import ScanStatus, SecurityService
from plataforma_sdk.security.extras import _process, _tools

SOURCE = "import subprocess\n\ndef f(x):\n    subprocess.run(x, shell=True)\n    assert x\n"


def scan(**settings):
    package = ModulePackage.from_source(SOURCE, id="shop")
    return asyncio.run(SecurityService(trial=False, **settings).scan(package))


@pytest.mark.parametrize("name", ["ruff", "bandit", "detect-secrets"])
def test_a_tool_that_is_absent_did_not_run(name, monkeypatch):
    monkeypatch.setattr(_tools, "is_installed", lambda module: False)
    result = scan().result(name)
    assert result.status is ScanStatus.NOT_RUN
    assert f"pip install {name}" in result.reason


def test_yara_without_rules_did_not_run():
    assert "yara_rules=" in scan().result("yara").reason


@pytest.mark.parametrize(("name", "module"), [("ruff", "ruff"), ("bandit", "bandit")])
def test_a_tool_that_is_present_names_file_and_line(name, module):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    found = scan().result(name).issues
    assert ("module.py", 4) in {(issue.path, issue.line) for issue in found}
    assert all(issue.rule.startswith(f"{name}:") for issue in found)


def test_yara_matches_every_file(tmp_path):
    pytest.importorskip("yara")
    (tmp_path / "a.yar").write_text('rule shell { meta: risk = "medium" strings: $a = "shell=True" condition: $a }')
    (found,) = scan(yara_rules=tmp_path / "a.yar").result("yara").issues
    assert (found.rule, found.path, str(found.risk)) == ("yara:shell", "module.py", "medium")


def test_a_tool_that_prints_no_json_is_a_failed_scan(monkeypatch):
    async def broken(module, arguments, request):
        return await _process.run_tool("json.tool", ["--help"], request)

    monkeypatch.setattr(_tools, "is_installed", lambda module: True)
    monkeypatch.setattr(_tools, "run_tool", broken)
    result = scan().result("ruff")
    assert result.status is ScanStatus.FAILED
    assert "printed no JSON" in result.reason


def test_a_source_cannot_stand_in_for_a_module_of_the_tool(monkeypatch, tmp_path):
    """The tool runs where the sources lie: a ``json.py`` of the package must not be what it imports."""
    mark = tmp_path / "mark"

    async def run(module, arguments, request):
        return await _process.run_tool("json.tool", ["data.json"], request)

    monkeypatch.setattr(_tools, "is_installed", lambda module: True)
    monkeypatch.setattr(_tools, "run_tool", run)
    evil = f"open({str(mark)!r}, 'w').close()".encode()
    package = ModulePackage.from_source("x = 1", id="shop", files={"json.py": evil, "argparse.py": evil})
    asyncio.run(SecurityService(trial=False).scan(package))
    assert not mark.exists()
