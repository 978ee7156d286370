"""The expectations of a backend on our own service, over a real socket, private and with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ._places import Place
from ._served import Served, serving
from .test_backends import *  # noqa: F403


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.fixture
def place(served: Served, tmp_path: Path) -> Iterator[Place]:
    with served.registry(tmp_path / "registry") as registry:
        yield registry
