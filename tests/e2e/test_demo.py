"""The main job through the command: the same module, the same data, the same window in every tier.

Where the shared folder lies beside the repository (or ``PLATAFORMA_SHARED`` names it), it also runs on real data.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli._app import app

TIERS = ["trusted", "restricted", "wasm"]
SHARED = Path(os.environ.get("PLATAFORMA_SHARED", Path(__file__).parents[2].parent / "shared"))
REAL_DATA = SHARED / "data" / "chinook" / "chinook.sqlite"
KEYS = ["engine", "module", "version", "rows", "receita", "denied", "events", "usage", "tree"]

pytestmark = pytest.mark.timeout(180)  # the first use of the wasm tier builds and compiles its guest


def demo(*options: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["demo", "--yes", "--json", *options])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("engine", TIERS)
def test_one_tier_prints_one_object(engine: str) -> None:
    (line,) = demo("--engine", engine)
    assert list(line) == KEYS
    assert (line["engine"], line["module"], line["version"]) == (engine, "vendas", "1.0.0")
    assert line["rows"] == {"clientes": 24, "produtos": 120, "vendas": 180}
    assert line["receita"] == "1195.39"
    assert line["denied"] == ["system.clipboard"]
    assert line["events"] == 2
    assert set(line["usage"]) == {"cpu_ms", "fuel", "memory_bytes", "host_calls"}
    assert line["usage"]["host_calls"] > 0


def test_the_window_is_the_same_in_all_tiers() -> None:
    lines = demo()
    assert [line["engine"] for line in lines] == TIERS
    assert lines[0]["tree"] == lines[1]["tree"] == lines[2]["tree"]


@pytest.mark.skipif(not REAL_DATA.is_file(), reason="the shared data is absent: set PLATAFORMA_SHARED to its folder")
def test_real_data_gives_its_known_figures() -> None:
    lines = demo("--data", str(REAL_DATA))
    assert [line["rows"] for line in lines] == [{"clientes": 59, "produtos": 3503, "vendas": 412}] * 3
    assert [line["receita"] for line in lines] == ["2328.60"] * 3
    assert lines[0]["tree"] == lines[1]["tree"] == lines[2]["tree"]


def test_in_words_it_shows_window_meters_and_refusal() -> None:
    result = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["demo", "--yes", "--engine", "trusted"])
    assert result.exit_code == 0, result.stderr
    for expected in ("Receita por mês", "1,195.39 USD", "Olá, Ana", "What each tier read and used", "system.clipboard"):
        assert expected in result.stdout
