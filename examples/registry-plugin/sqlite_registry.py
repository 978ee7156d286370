"""A registry in one SQLite file, as a plugin: `plataforma publish DIR --registry sqlite:modules.db`.

A backend stores and lists, and this is all of it: a table of indexes, one of owners, one of blobs. What may be
published, what a yank changes and what a search finds is decided by `plataforma_sdk.registry.rules`, alike for all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import attrs

from plataforma_sdk import hookimpl
from plataforma_sdk.errors import PackageNotFoundError, RegistryError
from plataforma_sdk.registry import BackendHealth, BlobRef, ModuleIndex, RegistryBackend, Release, SearchPage, rules

SCHEMA = """
CREATE TABLE IF NOT EXISTS modules (id TEXT PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS owners (namespace TEXT PRIMARY KEY, owner TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blobs (digest TEXT PRIMARY KEY, data BLOB NOT NULL);
"""


@hookimpl
def plataforma_registry_backend(url: str) -> RegistryBackend | None:
    """Open ``sqlite:FILE``; the entry point in ``pyproject.toml`` makes this file a plugin."""
    return SqliteBackend(url.removeprefix("sqlite:")) if url.startswith("sqlite:") else None


class SqliteBackend:
    """See `RegistryBackend`; blocks its event loop for as long as the disk takes, which an example may."""

    is_local = True

    def __init__(self, path: str) -> None:
        self.url = f"sqlite:{path}"
        self._path = path

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        """Blobs, owner and index are written in one transaction: all of it, or nothing."""
        rules.check_blobs(release, blobs)
        with self._transaction() as database:
            index = _load(database, release.id)
            if rules.check_publish(index, release, owner):
                return index
            database.executemany("INSERT OR REPLACE INTO blobs VALUES (?, ?)", blobs.items())
            if owner is not None:
                namespace = rules.namespace_of(release.id)
                database.execute("INSERT OR IGNORE INTO owners VALUES (?, ?)", (namespace, owner))
            return _save(database, attrs.evolve(index, owner=owner).with_release(release))

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """Whoever calls this checks the bytes; a backend need not."""
        with self._transaction() as database:
            row = database.execute("SELECT data FROM blobs WHERE digest = ?", (blob.digest,)).fetchone()
        if row is None:
            raise PackageNotFoundError(f"{module_id}: {self.url} holds no blob {blob.digest}")
        yield row[0]

    async def versions(self, module_id: str) -> ModuleIndex:
        """Return the index, an empty one for what was never published."""
        with self._transaction() as database:
            return _load(database, rules.check_id(module_id))

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """Reading every index will do for a few hundred modules."""
        with self._transaction() as database:
            rows = database.execute("SELECT data FROM modules").fetchall()
        hits = [rules.newest_hit(ModuleIndex.from_data(json.loads(text))) for (text,) in rows]
        return rules.search_hits(filter(None, hits), query, limit=limit, offset=offset)

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """Nothing is deleted."""
        with self._transaction() as database:
            index = _load(database, rules.check_id(module_id))
            return _save(database, rules.set_yanked(index, version, reason))

    async def health(self) -> BackendHealth:
        """Tell what is wrong instead of raising it."""
        try:
            with self._transaction() as database:
                (count,) = database.execute("SELECT count(*) FROM modules").fetchone()
        except RegistryError as error:
            return BackendHealth(is_ready=False, detail=error.message)
        return BackendHealth(is_ready=True, detail=f"{count} modules in one file")

    async def aclose(self) -> None:
        """Nothing stays open between calls."""

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the file's write lock: whoever waits for it sees what was written before."""
        try:
            database = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            try:
                database.executescript(SCHEMA)
                database.execute("BEGIN IMMEDIATE")
                yield database
                database.execute("COMMIT")
            finally:
                database.close()  # takes back what was not committed
        except sqlite3.Error as error:
            raise RegistryError(f"{self.url} cannot be used: {error}") from error


def _load(database: sqlite3.Connection, module_id: str) -> ModuleIndex:
    row = database.execute("SELECT data FROM modules WHERE id = ?", (module_id,)).fetchone()
    index = ModuleIndex.from_data(json.loads(row[0])) if row else ModuleIndex(id=module_id)
    namespace = rules.namespace_of(module_id)
    owner = database.execute("SELECT owner FROM owners WHERE namespace = ?", (namespace,)).fetchone()
    return attrs.evolve(index, owner=owner[0] if owner else None)


def _save(database: sqlite3.Connection, index: ModuleIndex) -> ModuleIndex:
    text = json.dumps(index.to_data())
    database.execute("INSERT OR REPLACE INTO modules VALUES (?, ?)", (index.id, text))
    return index
