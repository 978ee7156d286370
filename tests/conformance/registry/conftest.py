"""The backend that a case runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ._places import PLACES, Place


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty store and how to open a backend on it."""
    return PLACES[request.param](tmp_path)
