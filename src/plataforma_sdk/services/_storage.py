"""Key-value storage of one module, in a SQLite file of its own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from plataforma_sdk import codec
from plataforma_sdk.errors import HostCallError, QuotaExceededError
from plataforma_sdk.services._staged import Changes
from plataforma_sdk.services._worker import SqliteWorker
from plataforma_sdk.types import is_module_id, module_segment

__all__ = ["KeyValueStorage"]

T = TypeVar("T")

MAX_KEY_BYTES: Final = 256
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS used (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER, keys INTEGER)",
    "INSERT OR IGNORE INTO used VALUES (1, 0, 0)",
)


class KeyValueStorage:
    """What a module keeps between runs: text keys, values of the codec.

    Keys are counted as UTF-8 and values as encoded, together at most `max_bytes`. Work happens on a thread of its own;
    every change is a transaction, durable when the call returns.

    >>> import asyncio
    >>> from plataforma_sdk.services import KeyValueStorage
    >>> async def main():
    ...     async with KeyValueStorage(None, "vendas") as storage:
    ...         await storage.set("filtro", {"pais": "Brazil"})
    ...         return await storage.get("filtro"), await storage.keys(), storage.used_bytes
    >>> asyncio.run(main())
    ({'pais': 'Brazil'}, ['filtro'], 23)
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None,
        module_id: str,
        *,
        max_bytes: int = 5 * 1024 * 1024,
        max_keys: int = 10_000,
    ) -> None:
        """Keep the module's file in `directory`, which is made if need be; None keeps everything in memory.

        Raises:
            ValueError: `module_id` is no module id, so that no file name can be made of it.
        """
        if not is_module_id(module_id):
            raise ValueError(f"{module_id[:80]!r} is not a module id")
        self._module = module_id
        # a fixed beginning: a module may be called 'con' or 'nul', which are devices on Windows
        self._path = None if directory is None else Path(directory) / f"storage-{module_segment(module_id)}.sqlite"
        self._max_bytes = max_bytes
        self._max_keys = max_keys
        self._used_bytes = 0
        self._worker = SqliteWorker(self._connect, name=f"plataforma-kv-{module_id}")

    @property
    def max_bytes(self) -> int:
        """What keys and values may take together."""
        return self._max_bytes

    @property
    def used_bytes(self) -> int:
        """Bytes in use after the last call; 0 before the first one, `open` counts too."""
        return self._used_bytes

    async def open(self) -> None:
        """Open the file now, not at the first call.

        Raises:
            HostCallError: it cannot be opened.
        """
        await self._run(lambda _: None)

    async def get(self, key: str) -> Any:
        """Return the value of `key`, or None.

        Raises:
            HostCallError: the key is no text of 1 to 256 bytes, or the file cannot be read.
        """
        name = self.check_key(key)
        row = await self._run(lambda db: db.execute("SELECT value FROM entry WHERE key = ?", (name,)).fetchone())
        return None if row is None else codec.decode(row[0])

    async def set(self, key: str, value: Any) -> None:
        """Keep `value` under `key`, in place of what was there.

        Raises:
            QuotaExceededError: resource ``storage`` or ``storage_keys``; what was there stays.
            CodecError: the value does not cross a boundary.
            HostCallError: as `get`.
        """
        name, data = self.check_key(key), codec.encode(value).encode()
        await self._run(lambda db: self._put(db, name, data))

    async def delete(self, key: str) -> bool:
        """Forget `key`; tell whether it was there."""
        name = self.check_key(key)
        return await self._run(lambda db: self._remove(db, name))

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin with `prefix`, in order of their UTF-8 bytes."""
        if not isinstance(prefix, str):
            raise self._fault("TypeError", "the prefix is not a string")
        start = prefix.encode("utf-8", "replace")
        sql = "SELECT key FROM entry WHERE key >= ? AND substr(key, 1, ?) = ? ORDER BY key"
        rows = await self._run(lambda db: db.execute(sql, (start, len(start), start)).fetchall())
        return [bytes(row[0]).decode() for row in rows]

    async def apply(self, changes: Changes) -> Changes:
        """Make many changes in one transaction; return those that would undo them.

        Raises:
            QuotaExceededError: they do not fit; nothing has changed.
            HostCallError: as `get`.
        """
        return await self._run(lambda db: self._apply(db, changes))

    async def aclose(self) -> None:
        """Close the file; a second call does nothing."""
        await self._worker.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._worker.run(job)
        except (sqlite3.Error, OSError) as error:
            # neither the text nor the cause crosses: both may name the file
            raise self._fault(type(error).__name__, "the storage of the module cannot be read or written") from None
        except RuntimeError:
            raise self._fault("RuntimeError", "the storage of the module is closed") from None

    def check_room(self, used_bytes: int, keys: int, *, grows: tuple[bool, bool] = (True, True)) -> None:
        """Raise `QuotaExceededError` where so much is more than the storage holds, as far as it grows."""
        advice = "delete what is not needed, or raise max_storage_bytes under [limits]"
        room = (("storage", used_bytes, self.max_bytes, "bytes"), ("storage_keys", keys, self._max_keys, "keys"))
        for (resource, used, limit, unit), has_grown in zip(room, grows, strict=True):
            if has_grown and used > limit:  # a quota that was lowered must not keep a module from shrinking
                raise QuotaExceededError(
                    resource, used=used, limit=limit, unit=unit, module=self._module, advice=advice
                )

    def check_key(self, key: str) -> bytes:
        """Return the key as it is stored.

        Raises:
            HostCallError: it is no text of 1 to 256 bytes.
        """
        try:
            name = key.encode("utf-8") if isinstance(key, str) else b""
        except UnicodeEncodeError:
            name = b""
        if not 1 <= len(name) <= MAX_KEY_BYTES:
            raise self._fault("ValueError", f"a storage key is a text of 1 to {MAX_KEY_BYTES} bytes")
        return name

    def _fault(self, type_name: str, text: str) -> HostCallError:
        return HostCallError(type_name, text, module=self._module)

    # on the thread

    def _connect(self) -> sqlite3.Connection:
        if self._path is not None:
            _create_private(self._path)
        connection = sqlite3.connect(self._path or ":memory:", isolation_level=None)
        try:
            if self._path is not None:
                connection.execute("PRAGMA journal_mode = WAL")
            for statement in _SCHEMA:
                connection.execute(statement)
            self._used_bytes = _used(connection)[0]
        except BaseException:
            connection.close()
            raise
        return connection

    def _put(self, db: sqlite3.Connection, name: bytes, data: bytes) -> None:
        with _transaction(db):
            old = _size_of(db, name)
            used, keys = _used(db)
            after, count = used - old + len(name) + len(data), keys + (old == 0)
            self.check_room(after, count, grows=(after > used, old == 0))
            db.execute("INSERT OR REPLACE INTO entry VALUES (?, ?)", (name, data))
            db.execute("UPDATE used SET bytes = ?, keys = ?", (after, count))
        self._used_bytes = after

    def _remove(self, db: sqlite3.Connection, name: bytes) -> bool:
        with _transaction(db):
            old = _size_of(db, name)
            if old:
                db.execute("DELETE FROM entry WHERE key = ?", (name,))
                db.execute("UPDATE used SET bytes = bytes - ?, keys = keys - 1", (old,))
            self._used_bytes = _used(db)[0]
        return old > 0

    def _apply(self, db: sqlite3.Connection, changes: Changes) -> Changes:
        with _transaction(db):
            undo = {name: _value_of(db, name) for name in changes}
            kept = {name: data for name, data in changes.items() if data is not None}
            used, keys = _used(db)
            (freed, fewer), (added, more) = _sizes(undo), _sizes(kept)
            after, count = used - freed + added, keys - fewer + more
            self.check_room(after, count, grows=(after > used, count > keys))
            db.executemany("DELETE FROM entry WHERE key = ?", [(name,) for name in changes])
            db.executemany("INSERT INTO entry VALUES (?, ?)", kept.items())
            db.execute("UPDATE used SET bytes = ?, keys = ?", (after, count))
        self._used_bytes = after
        return undo


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _used(db: sqlite3.Connection) -> tuple[int, int]:
    used, keys = db.execute("SELECT bytes, keys FROM used").fetchone()
    return used, keys


def _size_of(db: sqlite3.Connection, name: bytes) -> int:
    """Bytes of an entry, 0 if there is none: an entry always has some."""
    row = db.execute("SELECT length(key) + length(value) FROM entry WHERE key = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def _sizes(changes: Changes) -> tuple[int, int]:
    """Count the bytes and the entries of what is kept."""
    sizes = [len(name) + len(data) for name, data in changes.items() if data is not None]
    return sum(sizes), len(sizes)


def _value_of(db: sqlite3.Connection, name: bytes) -> bytes | None:
    row = db.execute("SELECT value FROM entry WHERE key = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def _create_private(path: Path) -> None:
    """Make directory and file for this user alone, before SQLite would make them for everybody; follow no link."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    file = os.open(path, flags, 0o600)
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(file, 0o600)  # a file from a careless copy
    finally:
        os.close(file)
