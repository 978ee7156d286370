"""Where a service keeps its TUF metadata: in the index's own database, so that one transaction is of both.

Triggers note which indexes have changed, whoever changes them: a publish past the service, into the directory, too.
"""

from __future__ import annotations

from typing import Final

from plataforma_sdk.registry.backends._database import Database

__all__ = ["changed_modules", "create_tables", "due_roles", "has_tables", "newest", "read", "write"]

_KEPT: Final = 64
"""Older versions of a role go: who reads a snapshot has that long to read what it names. Roots all stay."""

# `INSERT OR IGNORE` would do nothing in a trigger of SQLite: the statement that fires it decides what a conflict does.
_SQLITE: Final = """
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
_POSTGRESQL: Final = """
CREATE TABLE tuf_metadata (
    role TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL, renew_at DOUBLE PRECISION, data BYTEA NOT NULL,
    PRIMARY KEY (role, version)
);
CREATE INDEX tuf_due ON tuf_metadata (renew_at) WHERE renew_at IS NOT NULL;
CREATE TABLE tuf_changed (id TEXT COLLATE "C" PRIMARY KEY);
CREATE FUNCTION tuf_note_module() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
    INSERT INTO tuf_changed VALUES (new.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION tuf_note_owner() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
    INSERT INTO tuf_changed SELECT id FROM modules
    WHERE id = new.namespace OR starts_with(id, new.namespace || '/') ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER tuf_module_changed AFTER INSERT OR UPDATE ON modules
    FOR EACH ROW EXECUTE FUNCTION tuf_note_module();
CREATE TRIGGER tuf_owner_added AFTER INSERT ON owners FOR EACH ROW EXECUTE FUNCTION tuf_note_owner();
INSERT INTO tuf_changed SELECT id FROM modules;
"""
_TABLES: Final = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}


def has_tables(database: Database) -> bool:
    """Tell whether metadata is kept here."""
    return database.has_table("tuf_metadata")


def create_tables(database: Database) -> None:
    """Make the tables, within a transaction; every module that is there counts as changed."""
    database.create(_TABLES)


def newest(database: Database, role: str) -> bytes | None:
    """Return the newest metadata of a role."""
    row = database.execute(
        "SELECT data FROM tuf_metadata WHERE role = ? ORDER BY version DESC LIMIT 1", (role,)
    ).fetchone()
    return bytes(row[0]) if row else None


def read(database: Database, role: str, version: int) -> bytes | None:
    """Return one version of the metadata of a role."""
    row = database.execute("SELECT data FROM tuf_metadata WHERE role = ? AND version = ?", (role, version)).fetchone()
    return bytes(row[0]) if row else None


def write(database: Database, role: str, version: int, data: bytes, *, renew_at: float | None) -> None:
    """Write the newest metadata of a role.

    Args:
        database: in a transaction.
        role: whose.
        version: of it.
        data: signed.
        renew_at: when it is to be signed anew, seconds of the epoch; None where that is for a person to do.
    """
    database.execute("UPDATE tuf_metadata SET renew_at = NULL WHERE role = ? AND renew_at IS NOT NULL", (role,))
    database.execute("INSERT INTO tuf_metadata VALUES (?, ?, ?, ?)", (role, version, renew_at, data))
    if role != "root":
        database.execute("DELETE FROM tuf_metadata WHERE role = ? AND version <= ?", (role, version - _KEPT))


def due_roles(database: Database, now: float) -> set[str]:
    """Return the roles whose metadata is to be signed anew."""
    return {role for (role,) in database.execute("SELECT role FROM tuf_metadata WHERE renew_at <= ?", (now,))}


def changed_modules(database: Database) -> list[str]:
    """Return the modules whose index changed since it was signed."""
    return [module_id for (module_id,) in database.execute("SELECT id FROM tuf_changed")]
