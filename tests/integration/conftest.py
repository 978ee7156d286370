"""A PostgreSQL for all cases, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A server of PostgreSQL; skips where there is none, or no psycopg."""
    from tests.integration.registry._postgres import cluster

    with cluster() as server:
        yield server


@pytest.fixture(scope="session")
def used_database(postgres: Any) -> str:
    """The address of a database that earlier cases have written to: one for each would be a gigabyte."""
    url: str = postgres.new_database()
    return url


@pytest.fixture
def database(used_database: str) -> str:
    """The address of a database without a registry in it."""
    import psycopg

    with psycopg.connect(used_database) as connection:
        connection.execute("DROP SCHEMA IF EXISTS plataforma CASCADE")
    return used_database
