"""TUF metadata and tokens in PostgreSQL: the cases of SQLite, on another database."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="needs the extra postgres")
pytest.importorskip("tuf", reason="needs the extra trust")

from plataforma_sdk.web.registry import open_tokens
from tests.unit.web.registry._tuf_case import Case, Run, run_case
from tests.unit.web.registry.test_tokens import *  # noqa: F403
from tests.unit.web.registry.test_tuf import *  # noqa: F403

del test_the_file_holds_no_token, test_metadata_of_a_private_registry_needs_a_token  # noqa: F821 - of files


@pytest.fixture
def tokens(tmp_path, database):
    with contextlib.closing(open_tokens(tmp_path / "registry", database)) as connection:
        yield connection


@pytest.fixture
def run(tmp_path: Path, database: str) -> Run:
    def use(case: Callable[[Case], Awaitable[None]]) -> None:
        run_case(tmp_path, case, database)

    return use
