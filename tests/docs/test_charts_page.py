"""The page of charts names everything that a specification may hold."""

from __future__ import annotations

import re
from pathlib import Path

from plataforma_sdk.ui import _vega
from tests.unit.ui.test_vega import ALL_NAMES

PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/charts.md").read_text("utf-8")


def test_every_name_of_the_list_is_on_the_page() -> None:
    told = set(re.findall(r"`(\$?\w+)`", PAGE))
    assert sorted({*ALL_NAMES, "$schema"} - told) == []


def test_its_figures_are_those_of_the_code() -> None:
    assert f"at most {_vega.MAX_VEGA_CHARS:,} characters" in PAGE
