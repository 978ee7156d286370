"""The index of a registry, in whatever database. Every function runs on the thread of its database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
from cachetools import LRUCache

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry._json import seal, unseal
from plataforma_sdk.registry._records import ModuleIndex, Release, SearchHit, SearchPage
from plataforma_sdk.registry.backends._database import Database
from plataforma_sdk.registry.backends._sqlite import open_catalogue
from plataforma_sdk.registry.rules import (
    blobs_of,
    check_id,
    check_publish,
    namespace_of,
    newest_hit,
    set_yanked,
    words_of,
)
from plataforma_sdk.sandbox._private import write_aside

if TYPE_CHECKING:
    from plataforma_sdk.registry.backends._postgres import PostgresDatabase

__all__ = ["MARK", "Catalogue", "check_is_here", "open_database", "open_index", "search"]

MARK: Final = "database.id"
"""File of a registry's directory that says which database names its blobs: another one would have them swept."""

_MAX_PARSED: Final = 1_024


def open_index(directory: Path, url: str | None = None) -> Database:
    """Open the index of a registry, or make it: the SQLite file in its directory, or a database by its address.

    Raises:
        RegistryError: it was written by a newer version, the database of the address cannot be used, or the index of
            this directory lies elsewhere.
        sqlite3.Error: the file is no database.
    """
    if url is None:
        check_is_here(directory)
        return open_catalogue(directory / "registry.sqlite")
    if (directory / "registry.sqlite").exists():
        raise RegistryError(f"{directory} has its index in registry.sqlite: name no database, or another directory")
    database = open_database(url)
    try:
        _mark(directory, database)
    except BaseException:
        database.close()
        raise
    return database


def check_is_here(directory: Path) -> None:
    """Make sure that what a registry keeps does not lie in a database elsewhere.

    Raises:
        RegistryError: it does.
    """
    if (directory / MARK).exists():
        raise RegistryError(f"The index of {directory} lies in PostgreSQL: name the database (PLATAFORMA_DATABASE)")


def _mark(directory: Path, database: PostgresDatabase) -> None:
    path = directory / MARK
    if not path.exists():
        write_aside(path, database.identity.encode())
    elif path.read_text() != database.identity:
        raise RegistryError(
            f"{directory} belongs to another database than this one ({database.name}): name that one, or another "
            f"directory; whoever knows that they belong together removes {path}"
        )


def open_database(url: str) -> PostgresDatabase:
    """Open the database of ``postgresql://USER:PASSWORD@HOST:PORT/NAME``, or make what a registry keeps there.

    Raises:
        RegistryError: the extra is missing, or the database cannot be used.
    """
    try:
        from plataforma_sdk.registry.backends._postgres import PostgresDatabase
    except ImportError as error:
        raise RegistryError(
            f"An index in PostgreSQL needs the extra 'postgres': pip install 'plataforma-sdk[postgres]' ({error})"
        ) from None
    return PostgresDatabase(url)


class Catalogue:
    """Reads and writes indexes; each is one sealed row, parsed anew only where its bytes have changed."""

    def __init__(self) -> None:
        self._parsed: LRUCache[str, tuple[bytes, ModuleIndex]] = LRUCache(_MAX_PARSED)

    def index(self, database: Database, module_id: str) -> ModuleIndex:
        """Return a module's index, with the owner of its namespace."""
        row = database.execute("SELECT data FROM modules WHERE id = ?", (module_id,)).fetchone()
        known = self._parse(module_id, row[0]) if row else ModuleIndex(id=module_id)
        owner = _owner(database, module_id)
        return known if known.owner == owner else attrs.evolve(known, owner=owner)

    def publish(
        self,
        database: Database,
        release: Release,
        owner: str | None,
        *,
        ensure_blobs: Callable[[], None] = lambda: None,
    ) -> ModuleIndex:
        """List a release whose blobs are stored; `ensure_blobs` looks once more, when no `sweep` can be under way."""
        with database.transaction():
            index = self.index(database, release.id)
            if check_publish(index, release, owner):
                return index
            ensure_blobs()
            if owner is not None and index.owner is None:
                namespace = namespace_of(release.id)
                claim = seal({"namespace": namespace, "owner": owner})
                database.execute("INSERT INTO owners VALUES (?, ?)", (namespace, claim))
            index = attrs.evolve(index, owner=owner or index.owner).with_release(release)
            _store(database, index)
        return index

    def yank(self, database: Database, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """Mark a version."""
        with database.transaction():
            before = self.index(database, module_id)
            index = set_yanked(before, version, reason)
            if index is not before:
                _store(database, index)
        return index

    def sweep(self, database: Database, found: Collection[str], remove: Callable[[str], bool]) -> list[str]:
        """Remove those of the digests that no release names, while nobody can list one; return which.

        It reads every index: milliseconds for hundreds of modules, during which others wait to write.
        """
        with database.transaction():
            unnamed = set(found)
            for module_id, data in database.execute("SELECT id, data FROM modules"):
                index = ModuleIndex.from_data(unseal(data, what=f"the index of {module_id}"))
                unnamed.difference_update(blob.digest for release in index.releases for blob in blobs_of(release))
            return [digest for digest in sorted(unnamed) if _is_removed(database, digest, remove)]

    def _parse(self, module_id: str, data: bytes) -> ModuleIndex:
        cached = self._parsed.get(module_id)
        if cached is not None and cached[0] == data:
            return cached[1]
        index = ModuleIndex.from_data(unseal(data, what=f"the index of {module_id}"))
        self._parsed[module_id] = data, index
        return index


def _owner(database: Database, module_id: str) -> str | None:
    namespace = namespace_of(module_id)
    row = database.execute("SELECT data FROM owners WHERE namespace = ?", (namespace,)).fetchone()
    return str(unseal(row[0], what=f"the owner of {namespace}")["owner"]) if row else None


def _store(database: Database, index: ModuleIndex) -> None:
    hit = newest_hit(index)
    data = seal(index.to_data())
    sealed_hit = seal(attrs.asdict(hit)) if hit else None
    (number,) = database.execute(
        "INSERT INTO modules (id, data, hit) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET data = excluded.data, hit = excluded.hit RETURNING number",
        (index.id, data, sealed_hit),
    ).fetchone()
    texts = [words_of(text) for text in (hit.id, hit.name, hit.description)] if hit else None
    database.keep_words(number, texts)


def _is_removed(database: Database, digest: str, remove: Callable[[str], bool]) -> bool:
    """Remove a blob, unless somebody could list it: a database that goes takes the lock along, and this goes on."""
    database.check_lock()
    return remove(digest)


def search(database: Database, query: str, limit: int, offset: int) -> SearchPage:
    """Find modules: the one of this very id first, then by weight of the words, those of ids most."""
    words = words_of(query)
    if words:
        hits, total = database.find(words, _number_of(database, query), limit, offset)
    else:
        rows = database.execute(
            "SELECT hit FROM modules WHERE hit IS NOT NULL ORDER BY id LIMIT ? OFFSET ?", (limit, offset)
        ).fetchall()
        hits = [hit for (hit,) in rows]
        (total,) = database.execute("SELECT count(*) FROM modules WHERE hit IS NOT NULL").fetchone()
    found = tuple(SearchHit(**unseal(hit, what="a row of the search")) for hit in hits)
    return SearchPage(hits=found, total=total)


def _number_of(database: Database, query: str) -> int:
    """Return the number of the module that a query names by its id, 0 where it names none."""
    try:
        module_id = check_id(query.strip().lower())
    except IntegrityError:  # not every text is one that a database takes
        return 0
    row = database.execute("SELECT number FROM modules WHERE id = ?", (module_id,)).fetchone()
    return int(row[0]) if row else 0
