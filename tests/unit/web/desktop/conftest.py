"""Fixtures of the desktop."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from tests.unit.web.desktop.desk import Open, open_desk


@pytest.fixture
def open_case(tmp_path: Path) -> Open:
    """Open a desktop with a counter on it: ``async with open_case(limits=...) as case``."""
    return functools.partial(open_desk, tmp_path)
