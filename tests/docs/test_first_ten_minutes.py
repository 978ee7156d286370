"""The tutorial shows what the command makes: the same files, and the same size and digest of their package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app
from tests.docs.test_snippets import FILE_BLOCK, ROOT

PAGE = (ROOT / "docs" / "tutorial" / "first-ten-minutes.md").read_text(encoding="utf-8")
SHOWN = {block["path"]: block["text"] for block in FILE_BLOCK.finditer(PAGE)}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the module of the tutorial, and say what the command said."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["new", "vendas", "--template", "python", "--yes"])
    assert result.exit_code == 0
    return result.stdout


def test_the_files_of_the_page_are_those_of_the_template(made: str) -> None:
    shown = {path: text for path, text in SHOWN.items() if path.startswith("vendas/")}
    assert {path: Path(path).read_text(encoding="utf-8") for path in shown} == shown
    assert len(shown) == 3


def test_what_the_commands_say_is_on_the_page(made: str) -> None:
    assert made in PAGE
    packed = CliRunner().invoke(app, ["pack", "vendas"]).stdout.replace("vendas/dist/", "dist/")
    assert packed in PAGE


def test_every_command_of_the_page_exists(made: str) -> None:
    named = set(re.findall(r"^\$ plataforma (\w+)", PAGE, re.MULTILINE))
    assert {"new", "test", "dev", "check", "pack"} <= named
    assert all(CliRunner().invoke(app, [name, "--help"]).exit_code == 0 for name in named)
