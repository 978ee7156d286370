"""The `plataforma` command, without an engine behind it."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize(("missing", "command"), [("typer", "--help"), ("rich", "demo --yes")])
def test_a_missing_extra_is_explained(missing: str, command: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None\nfrom plataforma_sdk.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", script, *command.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "install 'plataforma-sdk[cli]'" in done.stderr


def test_importing_the_entry_point_loads_no_extra() -> None:
    script = "import plataforma_sdk.cli, sys; print({'typer', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_help_imports_no_more_than_it_needs() -> None:
    """Each of these costs a start of the command more than itself; commands import them where they use them."""
    script = (
        "import sys\nfrom plataforma_sdk.cli import main\nsys.argv = ['plataforma', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "slow = {'asyncio', 'attr', 'importlib.metadata', 'pytest', 'rich', 'wasmtime'}\n"
        "rooms = {'manifest', 'module', 'package', 'permissions', 'runtime', 'sandbox', 'testing', 'types', 'ui'}\n"
        "sys.exit(' '.join(sorted((slow | {f'plataforma_sdk.{room}' for room in rooms}) & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
    assert "inspect" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_commands(shell: str) -> None:
    script = "import sys\nfrom plataforma_sdk.cli import main\nsys.argv = ['plataforma']\nmain()"
    wanted = {
        "_PLATAFORMA_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "plataforma pa",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": "plataforma pa",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**os.environ, **wanted}
    )
    assert "pack" in done.stdout
    assert "inspect" not in done.stdout


def test_words_that_the_terminal_cannot_show_do_not_end_a_command(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "plataforma_sdk.cli", "demo", "--yes", "--engine", "trusted"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Pa?s" in done.stdout
