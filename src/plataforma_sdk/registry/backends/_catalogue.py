"""The index of a directory registry: SQLite, write-ahead log, full-text search. Every function runs on its thread."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

import attrs
from cachetools import LRUCache

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry._json import seal, unseal
from plataforma_sdk.registry._records import ModuleIndex, Release, SearchHit, SearchPage
from plataforma_sdk.registry.rules import blobs_of, check_publish, namespace_of, newest_hit, set_yanked, words_of

__all__ = ["Catalogue", "open_catalogue"]

_VERSION: Final = 1
_LOCK_WAIT_S: Final = 30.0
_MAX_PARSED: Final = 1_024

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


def open_catalogue(path: Path) -> sqlite3.Connection:
    """Open the file, or make it; only one process may do that at a time.

    Raises:
        RegistryError: the file was written by a newer version of this library.
        sqlite3.Error: it is no database.
    """
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, timeout=_LOCK_WAIT_S)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a publish that was reported outlives a loss of power
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    elif version != _VERSION:
        raise RegistryError(f"{path} was written by a newer version of this library: update it")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # SQLite rolls back by itself after some errors
            connection.execute("ROLLBACK")
        raise


class Catalogue:
    """Reads and writes indexes; each is one sealed row, parsed anew only where its bytes have changed."""

    def __init__(self) -> None:
        self._parsed: LRUCache[str, tuple[bytes, ModuleIndex]] = LRUCache(_MAX_PARSED)

    def index(self, connection: sqlite3.Connection, module_id: str) -> ModuleIndex:
        """Return a module's index, with the owner of its namespace."""
        row = connection.execute("SELECT data FROM modules WHERE id = ?", (module_id,)).fetchone()
        known = self._parse(module_id, row[0]) if row else ModuleIndex(id=module_id)
        owner = _owner(connection, module_id)
        return known if known.owner == owner else attrs.evolve(known, owner=owner)

    def publish(
        self,
        connection: sqlite3.Connection,
        release: Release,
        owner: str | None,
        *,
        ensure_blobs: Callable[[], None] = lambda: None,
    ) -> ModuleIndex:
        """List a release whose blobs are stored; `ensure_blobs` looks once more, when no `sweep` can be under way."""
        with _transaction(connection):
            index = self.index(connection, release.id)
            if check_publish(index, release, owner):
                return index
            ensure_blobs()
            if owner is not None and index.owner is None:
                namespace = namespace_of(release.id)
                claim = seal({"namespace": namespace, "owner": owner})
                connection.execute("INSERT INTO owners VALUES (?, ?)", (namespace, claim))
            index = attrs.evolve(index, owner=owner or index.owner).with_release(release)
            _store(connection, index)
        return index

    def yank(self, connection: sqlite3.Connection, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """Mark a version."""
        with _transaction(connection):
            before = self.index(connection, module_id)
            index = set_yanked(before, version, reason)
            if index is not before:
                _store(connection, index)
        return index

    def sweep(self, connection: sqlite3.Connection, found: Collection[str], remove: Callable[[str], bool]) -> list[str]:
        """Remove those of the digests that no release names, while nobody can list one; return which.

        It reads every index: milliseconds for hundreds of modules, during which others wait to write.
        """
        with _transaction(connection):
            unnamed = set(found)
            for module_id, data in connection.execute("SELECT id, data FROM modules"):
                index = ModuleIndex.from_data(unseal(data, what=f"the index of {module_id}"))
                unnamed.difference_update(blob.digest for release in index.releases for blob in blobs_of(release))
            return [digest for digest in sorted(unnamed) if remove(digest)]

    def _parse(self, module_id: str, data: bytes) -> ModuleIndex:
        cached = self._parsed.get(module_id)
        if cached is not None and cached[0] == data:
            return cached[1]
        index = ModuleIndex.from_data(unseal(data, what=f"the index of {module_id}"))
        self._parsed[module_id] = data, index
        return index


def _owner(connection: sqlite3.Connection, module_id: str) -> str | None:
    namespace = namespace_of(module_id)
    row = connection.execute("SELECT data FROM owners WHERE namespace = ?", (namespace,)).fetchone()
    return str(unseal(row[0], what=f"the owner of {namespace}")["owner"]) if row else None


def _store(connection: sqlite3.Connection, index: ModuleIndex) -> None:
    hit = newest_hit(index)
    data = seal(index.to_data())
    sealed_hit = seal(attrs.asdict(hit)) if hit else None
    (number,) = connection.execute(
        "INSERT INTO modules (id, data, hit) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET data = excluded.data, hit = excluded.hit RETURNING number",
        (index.id, data, sealed_hit),
    ).fetchone()
    connection.execute("DELETE FROM search WHERE rowid = ?", (number,))
    if hit is not None:
        words = [" ".join(words_of(text)) for text in (hit.id, hit.name, hit.description)]
        connection.execute("INSERT INTO search (rowid, id, name, description) VALUES (?, ?, ?, ?)", (number, *words))


def search(connection: sqlite3.Connection, query: str, limit: int, offset: int) -> SearchPage:
    """Find modules: the one of this very id first, then by weight of the words, those of ids most."""
    words = words_of(query)
    if not words:
        rows = connection.execute(
            "SELECT hit FROM modules WHERE hit IS NOT NULL ORDER BY id LIMIT ? OFFSET ?", (limit, offset)
        ).fetchall()
        (total,) = connection.execute("SELECT count(*) FROM modules WHERE hit IS NOT NULL").fetchone()
    else:
        match = " ".join(f'"{word}"*' for word in words)
        row = connection.execute("SELECT number FROM modules WHERE id = ?", (query.strip().lower(),)).fetchone()
        asked = row[0] if row else 0
        rows = connection.execute(_SEARCH, (match, asked, limit, offset, asked)).fetchall()
        (total,) = connection.execute("SELECT count(*) FROM search WHERE search MATCH ?", (match,)).fetchone()
    hits = tuple(SearchHit(**unseal(hit, what="a row of the search")) for (hit,) in rows)
    return SearchPage(hits=hits, total=total)
