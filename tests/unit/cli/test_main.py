"""The `plataforma` command, without an engine behind it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import plataforma_sdk
from plataforma_sdk.cli._app import app


def test_version_is_shown() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"plataforma-sdk {plataforma_sdk.__version__}\n")


def test_without_a_terminal_it_does_not_grant_by_itself() -> None:
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--yes" in result.stderr


def test_an_unknown_engine_is_wrong_use() -> None:
    assert CliRunner().invoke(app, ["demo", "--engine", "warp"]).exit_code == 2


def test_data_without_the_tables_is_wrong_use(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"")
    result = CliRunner().invoke(app, ["demo", "--yes", "--engine", "trusted", "--data", str(other)])
    assert result.exit_code == 2
    assert "Invoice" in result.stderr


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_explained(missing: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None\nfrom plataforma_sdk.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "install 'plataforma-sdk[cli]'" in done.stderr


def test_importing_the_entry_point_loads_no_extra() -> None:
    script = "import plataforma_sdk.cli, sys; print({'typer', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
