"""`plataforma test`: which directory, which pytest, which exit code."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app

MANIFEST = 'id = "um"\nversion = "1.0.0"\nentry = "um:Um"\n'
SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Um(ModuleFramework):
    async def on_load(self):
        pass

    def um(self):
        return 1

    def render(self):
        return ui.text("um")
"""
TEST = """
def test_um(plataforma_run, plataforma_tier):
    async def body(environment):
        assert await environment.pilot.call("um") == {expected}
        print("ran in", plataforma_tier)
    plataforma_run(body)
"""


@pytest.fixture
def project(tmp_path):
    """A module with one test."""
    (tmp_path / "module.toml").write_text(MANIFEST)
    (tmp_path / "um.py").write_text(SOURCE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_um.py").write_text(TEST.format(expected=1))
    return tmp_path


def run(*words, cwd=None):
    command = [sys.executable, "-m", "plataforma_sdk.cli", "test", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_module_that_is_named_is_tested(project):
    done = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_module_that_one_stands_in_is_tested_and_arguments_are_pytest_s(project):
    done = run("tests/test_um.py", "-s", "-k", "um", "--tier", "restricted", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ran in restricted" in done.stdout


def test_settings_of_a_project_around_it_do_not_change_which_module_is_tested(project, tmp_path_factory):
    around = tmp_path_factory.mktemp("around")
    (around / "pytest.ini").write_text("[pytest]\nplataforma_module = elsewhere\n")
    project.rename(around / "um")
    assert run("um", cwd=around).returncode == 0


def test_a_file_named_like_one_of_the_standard_library_hides_nothing(project):
    (project / "json.py").write_text("raise SystemExit('hidden')")
    assert run(project).returncode == 0


def test_a_failure_is_1(project):
    (project / "tests" / "test_um.py").write_text(TEST.format(expected=2))
    assert run(project).returncode == 1


def test_no_test_at_all_is_1_and_says_where_to_write_one(project):
    (project / "tests" / "test_um.py").unlink()
    done = run(project)
    assert done.returncode == 1
    assert "tests/test_NAME.py" in done.stderr


def test_an_option_that_pytest_does_not_know_is_wrong_use(project):
    done = run(project, "--bogus")
    assert done.returncode == 2
    assert "--bogus" in done.stderr


def test_a_directory_without_a_module_is_wrong_use(tmp_path):
    result = CliRunner().invoke(app, ["test", str(tmp_path)])
    assert result.exit_code == 2
    assert "plataforma new" in result.stderr


def test_an_unknown_tier_is_wrong_use(project):
    result = CliRunner().invoke(app, ["test", str(project), "--tier", "warp"])
    assert result.exit_code == 2
    assert "trusted, restricted, wasm, all" in result.stderr


def test_a_missing_pytest_is_explained(project, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["test", str(project)])
    assert result.exit_code == 2
    assert "-m pip install pytest" in result.stderr
