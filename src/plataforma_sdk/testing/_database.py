"""A database in memory, filled by the test; permissions and limits hold as in a real one."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plataforma_sdk.services import DatabaseAccess, SqliteDatabase

__all__ = ["FakeDatabase"]


class FakeDatabase:
    """SQLite tables of a test's own.

    Args:
        tables: name -> rows, each a mapping; the columns are those of the first row.
        script: SQL that makes what `tables` cannot say.

    >>> import asyncio
    >>> database = FakeDatabase({"Customer": [{"Id": 1, "Name": "Ana"}]})
    >>> database.rows("SELECT Name FROM Customer")
    [{'Name': 'Ana'}]
    >>> asyncio.run(database.close())
    """

    def __init__(self, tables: Mapping[str, Iterable[Mapping[str, Any]]] | None = None, *, script: str = "") -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="plataforma-")
        self._path = Path(self._directory.name, "test.sqlite")
        with contextlib.closing(sqlite3.connect(self._path)) as connection, connection:
            connection.executescript(script)
            for name, rows in (tables or {}).items():
                _fill(connection, name, list(rows))
        self._database = SqliteDatabase(self._path)
        self.statements: list[tuple[str, Any]] = []

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Look at what the module wrote; no permission is asked."""
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, params)]

    async def query(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, access: DatabaseAccess
    ) -> list[dict[str, Any]]:
        """See `Database`; remembered in `statements`."""
        self.statements.append((sql, params))
        return await self._database.query(sql, params, access=access)

    async def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, access: DatabaseAccess) -> int:
        """See `Database`; remembered in `statements`."""
        self.statements.append((sql, params))
        return await self._database.execute(sql, params, access=access)

    async def release(self, module: str) -> None:
        """See `Database`."""
        await self._database.release(module)

    async def close(self) -> None:
        """Remove everything."""
        await self._database.close()
        self._directory.cleanup()


def _fill(connection: sqlite3.Connection, table: str, rows: list[Mapping[str, Any]]) -> None:
    if not rows:
        raise ValueError(f"table {table!r} has no rows to take its columns from: write it in script=")
    columns = list(rows[0])
    names = ", ".join(map(_quoted, columns))
    connection.execute(f"CREATE TABLE {_quoted(table)} ({names})")
    places = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO {_quoted(table)} VALUES ({places})",  # noqa: S608 - the test's own names, quoted
        [[row[column] for column in columns] for row in rows],
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
