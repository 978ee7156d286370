"""The allow-list that SQLite asks while it compiles a module's statement.

Nothing is judged by the name of a view or trigger that SQLite reports as responsible: a common table expression can
take that name, so every table is asked for itself, those behind the host's own views and triggers included.

**Source:** https://www.sqlite.org/security.html; FTS shadow tables as in CVE-2018-20346 (Magellan).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import attrs

from plataforma_sdk.errors import HostCallError, PermissionDeniedError
from plataforma_sdk.services._functions import ALLOWED_FUNCTIONS

__all__ = ["AccessKind", "Authorizer", "DatabaseAccess", "Tables", "read_tables"]

AccessKind: TypeAlias = Literal["read", "write"]
"""What a statement does to a table: ``database.read`` or ``database.write`` guards it."""

_WRITES: Final = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}


@attrs.frozen
class DatabaseAccess:
    """Who uses the database, and what it may touch.

    Attributes:
        module: id of the module.
        allows: ``("read" | "write", table) -> bool``, asked anew for every statement and table, **on the database
            thread** of the module: it must be quick and only read. An exception it raises refuses the statement and
            reaches the module.
    """

    module: str
    allows: Callable[[AccessKind, str], bool]


@attrs.frozen
class Tables:
    """What the schema holds, by name in lower case.

    Attributes:
        open: tables and views -> their spelling in the schema.
        closed: virtual tables and the shadow tables behind them, always refused.
    """

    open: dict[str, str] = attrs.field(factory=dict)
    closed: frozenset[str] = frozenset()


def read_tables(connection: sqlite3.Connection) -> Tables:
    """Read the schema; the authorizer must stand aside meanwhile."""
    rows = connection.execute(
        "SELECT type, name, rootpage FROM sqlite_master WHERE type IN ('table', 'view')"
    ).fetchall()
    virtual = tuple(name.lower() for kind, name, page in rows if kind == "table" and not page)
    closed = {
        name.lower()
        for _, name, _ in rows
        if name.lower() in virtual or name.lower().startswith(tuple(f"{owner}_" for owner in virtual))
    }
    return Tables({name.lower(): name for _, name, _ in rows if name.lower() not in closed}, frozenset(closed))


class Authorizer:
    """Says yes to what is on the list and no to everything else; keeps the first refusal.

    Attributes:
        refusal: the first error of this statement, or None.
        has_written: whether the statement writes.
    """

    def __init__(self, access: DatabaseAccess, tables: Tables, *, is_write: bool) -> None:
        self._access = access
        self._tables = tables
        self._is_write = is_write
        self._granted: set[tuple[AccessKind, str]] = set()
        self.refusal: Exception | None = None
        self.has_written = False

    def __call__(self, action: int, first: str | None, second: str | None, schema: str | None, _: str | None) -> int:
        """Answer `sqlite3_set_authorizer`: SQLITE_OK or SQLITE_DENY."""
        try:
            self._check(action, first or "", second or "", schema)
        except Exception as error:  # noqa: BLE001 - sqlite3 would swallow it; whatever goes wrong refuses
            self.refusal = self.refusal or error
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    def _check(self, action: int, first: str, second: str, schema: str | None) -> None:
        if action == sqlite3.SQLITE_SELECT:
            return
        if action == sqlite3.SQLITE_FUNCTION:
            self._check_function(second)
        elif action == sqlite3.SQLITE_READ:
            self._check_read(first, second, schema)
        elif action in _WRITES and self._is_write:
            self._check_table("write", first, schema)
            self.has_written = True
        elif action in _WRITES and first.lower() in self._tables.open:
            raise self._refuse("query() only reads; use execute() for INSERT, UPDATE and DELETE")
        elif action == sqlite3.SQLITE_RECURSIVE:
            raise self._refuse("recursive common table expressions are not allowed; read in pages instead")
        else:
            raise self._refuse("a module runs SELECT, INSERT, UPDATE and DELETE on tables, and nothing else")

    def _check_function(self, name: str) -> None:
        if name.lower() not in ALLOWED_FUNCTIONS:
            raise self._refuse(f"the SQL function {name[:60]!a} is not allowed")

    def _check_read(self, table: str, column: str, schema: str | None) -> None:
        key = table.lower()
        is_unknown = key not in self._tables.open and key not in self._tables.closed
        # SQLite asks for count(*) over a subquery or common table expression too: by its alias, without a schema.
        # The schema cannot have changed meanwhile: tables were read in the same transaction.
        if is_unknown and not column and schema is None and not key.startswith(("sqlite_", "pragma_")):
            return
        self._check_table("read", table, schema)

    def _check_table(self, kind: AccessKind, table: str, schema: str | None) -> None:
        name = self._tables.open.get(table.lower())
        if name is None or schema not in {"main", None} or name.lower().startswith("sqlite_"):
            raise self._refuse("the schema, virtual tables and table-valued functions are not open to modules")
        if (kind, name) in self._granted:
            return
        if not self._access.allows(kind, name):
            raise PermissionDeniedError(f"database.{kind}[{name}]", module=self._access.module)
        self._granted.add((kind, name))  # for this one statement: a row has many columns

    def _refuse(self, text: str) -> HostCallError:
        return HostCallError("NotSupportedError", text, module=self._access.module)
