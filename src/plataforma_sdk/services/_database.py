"""The database service: SQL for modules with ``database.read`` and ``database.write``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from plataforma_sdk.errors import HostCallError
from plataforma_sdk.services._authorizer import DatabaseAccess
from plataforma_sdk.services._connection import DatabaseLimits, open_connection
from plataforma_sdk.services._session import DatabaseSession, Job
from plataforma_sdk.types import Clock, SystemClock

__all__ = ["Database", "SqliteDatabase"]


@runtime_checkable
class Database(Protocol):
    """What ``ModuleHost(database=...)`` takes: a database of whatever kind that keeps to `access`."""

    async def query(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, access: DatabaseAccess
    ) -> list[dict[str, Any]]:
        """Run one reading statement and return its rows, column name -> value.

        Raises:
            PermissionDeniedError: ``access`` does not allow a table that the statement touches.
            QuotaExceededError: rows, bytes, time or memory.
            HostCallError: a statement that is not allowed, or is wrong.
        """

    async def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, access: DatabaseAccess) -> int:
        """Run one writing statement as a transaction of its own and return the number of rows it changed.

        Raises:
            PermissionDeniedError, QuotaExceededError, HostCallError: as `query`.
        """

    async def release(self, module: str) -> None:
        """Give back what is held for a module; called when it is unloaded."""

    async def close(self) -> None:
        """Give back everything."""


class SqliteDatabase:
    """A SQLite file, opened anew for each module with a connection and a thread of its own.

    A module runs one SELECT, INSERT, UPDATE or DELETE at a time, on tables that its permissions name; see
    `ALLOWED_FUNCTIONS` and `DatabaseLimits`. ATTACH, PRAGMA, transactions, changes of the schema, recursive queries,
    virtual tables, table-valued functions and ``sqlite_*`` tables are refused. Foreign keys are enforced. A
    view, trigger or foreign key of the host needs the permissions for every table that it touches.

    Values arrive as SQLite holds them. A Decimal is written as its digits, which a NUMERIC column turns into a number
    and a TEXT column keeps; dates are written in ISO 8601. The second column of one name arrives as ``name_2``.

    >>> import asyncio, sqlite3, tempfile, pathlib, contextlib
    >>> from plataforma_sdk.services import DatabaseAccess, SqliteDatabase
    >>> path = pathlib.Path(tempfile.mkdtemp(), "shop.sqlite")
    >>> with contextlib.closing(sqlite3.connect(path)) as shop:
    ...     _ = shop.executescript("CREATE TABLE Customer(name); INSERT INTO Customer VALUES ('Ana')")
    >>> async def main():
    ...     async with SqliteDatabase(path) as database:
    ...         access = DatabaseAccess("vendas", lambda kind, table: kind == "read")
    ...         return await database.query("SELECT name FROM Customer", access=access)
    >>> asyncio.run(main())
    [{'name': 'Ana'}]
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        read_only: bool = False,
        limits: DatabaseLimits | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Name the file; it is opened at a module's first statement.

        Raises:
            FileNotFoundError: there is no such file; this service never creates one.
        """
        self._path = Path(path)
        if not self._path.is_file():
            raise FileNotFoundError(f"no database file at {str(self._path)!r}; create it first")
        self._read_only = read_only
        self._limits = limits or DatabaseLimits()
        self._clock = clock or SystemClock()
        self._sessions: dict[str, DatabaseSession] = {}
        self._is_closed = False

    async def query(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, access: DatabaseAccess
    ) -> list[dict[str, Any]]:
        """See `Database.query`."""
        rows: list[dict[str, Any]] = await self._session(access.module).run(
            Job(sql=sql, params=params, access=access, is_write=False)
        )
        return rows

    async def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, access: DatabaseAccess) -> int:
        """See `Database.execute`."""
        count: int = await self._session(access.module).run(Job(sql=sql, params=params, access=access, is_write=True))
        return count

    async def release(self, module: str) -> None:
        """Stop the module's statement and close its connection; a later statement opens a new one."""
        session = self._sessions.pop(module, None)
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Release every module; later statements are refused."""
        self._is_closed = True
        await asyncio.gather(*map(self.release, list(self._sessions)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _session(self, module: str) -> DatabaseSession:
        if self._is_closed:
            raise HostCallError("ProgrammingError", "the database service is closed", module=module)
        session = self._sessions.get(module)
        if session is None:

            def connect() -> Any:
                return open_connection(self._path, self._limits, read_only=self._read_only)

            session = self._sessions[module] = DatabaseSession(module, connect, self._limits, self._clock)
        return session
