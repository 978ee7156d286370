"""Where a service keeps its TUF metadata: in the index's own database, so that one transaction is of both.

Triggers note which indexes have changed, whoever changes them: a publish past the service, into the directory, too.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

__all__ = ["changed_modules", "create_tables", "due_roles", "has_tables", "newest", "read", "transaction", "write"]

_KEPT: Final = 64
"""Older versions of a role go: who reads a snapshot has that long to read what it names. Roots all stay."""

# `INSERT OR IGNORE` would do nothing in a trigger: the statement that fires it decides what a conflict does.
_TABLES: Final = """
CREATE TABLE tuf_metadata (
    role TEXT NOT NULL, version INTEGER NOT NULL, renew_at REAL, data BLOB NOT NULL, PRIMARY KEY (role, version)
) WITHOUT ROWID;
CREATE INDEX tuf_due ON tuf_metadata (renew_at) WHERE renew_at IS NOT NULL;
CREATE TABLE tuf_changed (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TRIGGER tuf_module_added AFTER INSERT ON modules BEGIN
    INSERT INTO tuf_changed SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM tuf_changed WHERE id = new.id);
END;
CREATE TRIGGER tuf_module_changed AFTER UPDATE ON modules BEGIN
    INSERT INTO tuf_changed SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM tuf_changed WHERE id = new.id);
END;
CREATE TRIGGER tuf_owner_added AFTER INSERT ON owners BEGIN
    INSERT INTO tuf_changed SELECT id FROM modules
    WHERE (id = new.namespace OR substr(id, 1, length(new.namespace) + 1) = new.namespace || '/')
    AND id NOT IN (SELECT id FROM tuf_changed);
END;
INSERT INTO tuf_changed SELECT id FROM modules;
"""


def has_tables(connection: sqlite3.Connection) -> bool:
    """Tell whether metadata is kept here."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tuf_metadata'")
    return found.fetchone() is not None


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of a block or nothing; nobody else writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, within a transaction; every module that is there counts as changed."""
    statement = ""
    for line in _TABLES.splitlines():  # not `executescript`, which would commit what goes before
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def newest(connection: sqlite3.Connection, role: str) -> bytes | None:
    """Return the newest metadata of a role."""
    row = connection.execute(
        "SELECT data FROM tuf_metadata WHERE role = ? ORDER BY version DESC LIMIT 1", (role,)
    ).fetchone()
    return bytes(row[0]) if row else None


def read(connection: sqlite3.Connection, role: str, version: int) -> bytes | None:
    """Return one version of the metadata of a role."""
    row = connection.execute("SELECT data FROM tuf_metadata WHERE role = ? AND version = ?", (role, version)).fetchone()
    return bytes(row[0]) if row else None


def write(connection: sqlite3.Connection, role: str, version: int, data: bytes, *, renew_at: float | None) -> None:
    """Write the newest metadata of a role.

    Args:
        connection: in a transaction.
        role: whose.
        version: of it.
        data: signed.
        renew_at: when it is to be signed anew, seconds of the epoch; None where that is for a person to do.
    """
    connection.execute("UPDATE tuf_metadata SET renew_at = NULL WHERE role = ? AND renew_at IS NOT NULL", (role,))
    connection.execute("INSERT INTO tuf_metadata VALUES (?, ?, ?, ?)", (role, version, renew_at, data))
    if role != "root":
        connection.execute("DELETE FROM tuf_metadata WHERE role = ? AND version <= ?", (role, version - _KEPT))


def due_roles(connection: sqlite3.Connection, now: float) -> set[str]:
    """Return the roles whose metadata is to be signed anew."""
    return {role for (role,) in connection.execute("SELECT role FROM tuf_metadata WHERE renew_at <= ?", (now,))}


def changed_modules(connection: sqlite3.Connection) -> list[str]:
    """Return the modules whose index changed since it was signed."""
    return [module_id for (module_id,) in connection.execute("SELECT id FROM tuf_changed")]
