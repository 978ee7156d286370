"""``plataforma desktop`` with what it cannot use; a browser tries the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app

pytest.importorskip("uvicorn")


def test_a_state_that_cannot_be_written_is_said_and_no_traceback_is_shown(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = CliRunner().invoke(app, ["desktop", "--no-open", "--port", "0", "--state", str(tmp_path / "file" / "x")])

    assert result.exit_code == 1
    assert "cannot be used (Not a directory): give a --state that can be written" in " ".join(result.output.split())
