"""Opens a connection that may run a stranger's SQL.

**Source:** https://www.sqlite.org/security.html, section "Untrusted SQL Inputs".
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.services._functions import install_functions

__all__ = ["DatabaseLimits", "open_connection"]

LOCK_WAIT_S: Final = 1.0
_DEFENSIVE: Final = ("SQLITE_DBCONFIG_DEFENSIVE", True), ("SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION", False)


@attrs.frozen(kw_only=True)
class DatabaseLimits:
    """What one statement may cost.

    Attributes:
        max_rows: rows that one query may return.
        max_result_bytes: column names and values of one result, about as they cross the boundary.
        max_query_ms: time of one statement, without its wait in the module's queue; a large sort writes some
            70 MB/s of temporary file in that time, removed at its end.
        max_value_bytes: one text or blob, and one row.
        max_sql_bytes: text of one statement.
        max_pending: statements of one module that run or wait.
        max_heap_bytes: memory of SQLite in the **whole process**, as ``PRAGMA hard_heap_limit``: a circuit breaker
            that can be lowered but not raised again; None leaves it alone.
    """

    max_rows: int = 50_000
    max_result_bytes: int = 4 * 1024 * 1024
    max_query_ms: int = 5_000
    max_value_bytes: int = 1024 * 1024
    max_sql_bytes: int = 100_000
    max_pending: int = 64
    max_heap_bytes: int | None = 512 * 1024 * 1024


_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 256,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 10_000,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


def open_connection(path: Path, limits: DatabaseLimits, *, read_only: bool) -> sqlite3.Connection:
    """Open an existing file in autocommit mode, without a statement cache: each statement asks the authorizer anew.

    Raises:
        sqlite3.Error: the file is missing, locked or no database.
    """
    # mode=rw never creates a file; mode=ro is no boundary by itself, ATTACH would still create files
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=0, timeout=LOCK_WAIT_S)
    try:
        _harden(connection, limits)
    except BaseException:
        connection.close()
        raise
    return connection


def _harden(connection: sqlite3.Connection, limits: DatabaseLimits) -> None:
    if limits.max_heap_bytes is not None:
        connection.execute(f"PRAGMA hard_heap_limit = {int(limits.max_heap_bytes)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("SELECT count(*) FROM sqlite_master")  # reads the host's schema before the limits apply
    if hasattr(connection, "setconfig"):  # Python 3.12
        for option, is_on in _DEFENSIVE:
            connection.setconfig(getattr(sqlite3, option), is_on)
    for category, value in _LIMITS.items():
        connection.setlimit(category, value)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.max_value_bytes)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, limits.max_sql_bytes)
    install_functions(connection, max_bytes=limits.max_value_bytes)
