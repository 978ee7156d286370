"""A PostgreSQL for all cases, each of which has a database of its own there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A server of PostgreSQL; skips where there is none, or no psycopg."""
    from ._postgres import cluster

    with cluster() as server:
        yield server


@pytest.fixture
def database(postgres: Any) -> str:
    """The address of an empty database."""
    url: str = postgres.new_database()
    return url
