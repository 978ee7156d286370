"""The index in SQLite: write-ahead log, full-text search. Every function runs on the connection's thread."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from plataforma_sdk.errors import RegistryError

__all__ = ["SqliteDatabase", "open_catalogue", "open_file"]

_VERSION: Final = 1
_LOCK_WAIT_S: Final = 30.0

# The words are folded before they are stored, so that every backend finds alike; the tokenizer only splits them. Its
# table is of Unicode 6.1: letters that are younger (Cn) would separate words.
_SCHEMA: Final = """
CREATE TABLE modules (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, data BLOB NOT NULL, hit BLOB);
CREATE TABLE owners (namespace TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5 (
    id, name, description, prefix = '2 3',
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Cn'"
);
"""

# The inner query touches nothing but the full-text index: a common word is found thousands of times.
_SEARCH: Final = """
SELECT modules.hit FROM (
    SELECT rowid AS number, bm25(search, 10.0, 4.0, 1.0) AS score FROM search WHERE search MATCH ?
    ORDER BY rowid = ? DESC, score, rowid LIMIT ? OFFSET ?
) AS found JOIN modules USING (number) ORDER BY number = ? DESC, score, number
"""


class SqliteDatabase(sqlite3.Connection):
    """A file of SQLite; see `Database`."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Database.transaction`; who reads waits for nobody."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite rolls back by itself after some errors
                self.execute("ROLLBACK")
            raise

    def check_lock(self) -> None:
        """See `Database.check_lock`: a lock on a file goes with its process alone."""

    def create(self, tables: Mapping[str, str]) -> None:
        """See `Database.create`."""
        statement = ""
        for line in tables["sqlite"].splitlines():  # not `executescript`, which would commit what goes before
            statement += f"{line}\n"
            if sqlite3.complete_statement(statement):
                self.execute(statement)
                statement = ""

    def has_table(self, name: str) -> bool:
        """See `Database.has_table`."""
        found = self.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
        return found.fetchone() is not None

    def keep_words(self, number: int, texts: Sequence[Sequence[str]] | None) -> None:
        """See `Database.keep_words`."""
        self.execute("DELETE FROM search WHERE rowid = ?", (number,))
        if texts is not None:
            row = (number, *map(" ".join, texts))
            self.execute("INSERT INTO search (rowid, id, name, description) VALUES (?, ?, ?, ?)", row)

    def find(self, words: Sequence[str], first: int, limit: int, offset: int) -> tuple[list[bytes], int]:
        """See `Database.find`."""
        match = " ".join(f'"{word}"*' for word in words)
        hits = self.execute(_SEARCH, (match, first, limit, offset, first)).fetchall()
        (total,) = self.execute("SELECT count(*) FROM search WHERE search MATCH ?", (match,)).fetchone()
        return [hit for (hit,) in hits], total


def open_file(path: Path) -> SqliteDatabase:
    """Open a file for several processes, or make it with mode 0600.

    Raises:
        OSError: it cannot be made.
        sqlite3.Error: it is no database.
    """
    path.touch(mode=0o600)
    database = sqlite3.connect(path, isolation_level=None, timeout=_LOCK_WAIT_S, factory=SqliteDatabase)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")  # what was reported as done outlives a loss of power
    except BaseException:
        database.close()
        raise
    return database


def open_catalogue(path: Path) -> SqliteDatabase:
    """Open the file of an index, or make it; only one process may do that at a time.

    Raises:
        RegistryError: the file was written by a newer version of this library.
        sqlite3.Error: it is no database.
    """
    database = open_file(path)
    try:
        _prepare(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: SqliteDatabase, path: Path) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == 0:
        database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    elif version != _VERSION:
        raise RegistryError(f"{path} was written by a newer version of this library: update it")
