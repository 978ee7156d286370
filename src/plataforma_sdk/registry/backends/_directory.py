"""The embedded default: a directory with blobs by digest and one SQLite index, or an index in PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchPage
from plataforma_sdk.registry._verify import IndexMemory
from plataforma_sdk.registry.backends import _catalogue
from plataforma_sdk.registry.backends._blob_files import BlobFiles
from plataforma_sdk.registry.backends._database import Database
from plataforma_sdk.registry.rules import blobs_of, check_blobs, check_publish
from plataforma_sdk.sandbox._private import locked
from plataforma_sdk.services._worker import DatabaseWorker

__all__ = ["GRACE_S", "DirectoryBackend"]

T = TypeVar("T")

GRACE_S: Final = 86_400.0
"""A day: longer than any client takes from its first upload to the release that names it."""

_PIECE_BYTES: Final = 1 << 20


class DirectoryBackend:
    """A registry in a directory, for many processes of one machine; see `RegistryBackend`.

    ``registry.sqlite`` holds the indexes and the search, ``blobs/`` the bytes. A release is listed in one transaction
    after its blobs are on the disk, so a process that is killed leaves it whole or not at all, and at worst a blob
    that nothing names, which `sweep` removes. The directory is made with mode 0700, with the first call. A file system
    over a network whose locks do not work is no place for it. With a ``database`` the index lies in PostgreSQL, and
    whatever else would lie in ``registry.sqlite``.

    >>> import asyncio, tempfile
    >>> async def main():
    ...     with tempfile.TemporaryDirectory() as directory:
    ...         backend = DirectoryBackend(directory)
    ...         try:
    ...             return await backend.health()
    ...         finally:
    ...             await backend.aclose()
    >>> asyncio.run(main())
    BackendHealth(is_ready=True, detail='0 modules in a directory')
    """

    is_local = True

    def __init__(self, path: str | os.PathLike[str], *, database: str | None = None) -> None:
        """Name the directory; a leading ``~`` is the user's home.

        Args:
            path: of the directory.
            database: address of a PostgreSQL database that holds the index in place of ``registry.sqlite``:
                ``postgresql://USER:PASSWORD@HOST:PORT/NAME``, with the extra ``postgres``. It is shown nowhere.
        """
        self.path = Path(path).expanduser().absolute()
        self.url = f"dir:{self.path}"
        self._blobs = BlobFiles(self.path / "blobs")
        self._database = database
        self._catalogue = _catalogue.Catalogue()
        self._memory = IndexMemory()
        self._worker = DatabaseWorker(self._connect, name="plataforma-registry")

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        """See `RegistryBackend.publish`."""
        check_blobs(release, blobs)
        last = self._memory.last(release.id)

        def restore() -> None:  # what was here before it was listed may have been swept meanwhile
            self._blobs.put({digest: blobs[digest] for digest in self._blobs.missing(blobs)})

        def job(database: Database) -> ModuleIndex:
            if not check_publish(self._catalogue.index(database, release.id), release, owner):
                self._blobs.put(blobs)
            return self._catalogue.publish(database, release, owner, ensure_blobs=restore)

        return self._memory.accept(await self._run(job), last)

    async def enlist(self, release: Release, *, owner: str | None = None, are_blobs_here: bool = True) -> ModuleIndex:
        """List a release as `publish` does, whose blobs the caller has checked and stored: a service streams them.

        Raises:
            RegistryError: one of the blobs was swept meanwhile; or as `publish`.
        """
        last = self._memory.last(release.id)

        def check() -> None:
            if are_blobs_here and self._blobs.missing(blob.digest for blob in blobs_of(release)):
                raise RegistryError(f"{release.id} {release.version}: a blob was swept meanwhile: publish again")

        index = await self._run(lambda database: self._catalogue.publish(database, release, owner, ensure_blobs=check))
        return self._memory.accept(index, last)

    async def beside(self, job: Callable[[Database, _catalogue.Catalogue], T]) -> T:
        """Run a job on the index's own thread and connection: for what a service keeps beside the index."""
        return await self._run(lambda database: job(database, self._catalogue))

    async def sweep(self, *, grace_s: float = GRACE_S, dry_run: bool = False) -> dict[str, int]:
        """Remove blobs that no release names: what publishers left that were killed, or that were refused.

        Others may publish meanwhile. It may be killed at any point: only what nobody needs is gone.

        Args:
            grace_s: leave what was written in so many seconds: it may be about to be listed.
            dry_run: remove nothing.

        Returns:
            digest -> bytes of what was removed, or would be.

        Raises:
            IntegrityError: an index is damaged; nothing is removed then.
            RegistryError: the directory cannot be used.
        """
        before = time.time() - grace_s

        def remove(digest: str) -> bool:
            return dry_run or self._blobs.remove(digest, unless_after=before)

        def job(database: Database) -> dict[str, int]:
            old = self._blobs.older_than(before)
            return {digest: old[digest] for digest in self._catalogue.sweep(database, old, remove)} if old else {}

        return await self._run(job)

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """See `RegistryBackend.fetch`."""
        offset = 0
        while True:
            piece = await self._run(self._read(blob.digest, offset))
            if piece is None:
                raise PackageNotFoundError(f"{module_id}: {self.url} holds no blob {blob.digest}")
            yield piece
            offset += len(piece)
            if len(piece) < _PIECE_BYTES:
                return

    async def versions(self, module_id: str) -> ModuleIndex:
        """See `RegistryBackend.versions`."""
        last = self._memory.last(module_id)
        index = await self._run(lambda database: self._catalogue.index(database, module_id))
        return self._memory.accept(index, last)

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """See `RegistryBackend.search`."""
        return await self._run(lambda database: _catalogue.search(database, query, limit, offset))

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """See `RegistryBackend.yank`."""
        last = self._memory.last(module_id)
        index = await self._run(lambda database: self._catalogue.yank(database, module_id, version, reason))
        return self._memory.accept(index, last)

    async def health(self) -> BackendHealth:
        """See `RegistryBackend.health`."""
        try:
            count = await self._run(lambda db: db.execute("SELECT count(*) FROM modules").fetchone()[0])
        except RegistryError as error:
            return BackendHealth(is_ready=False, detail=error.message)
        return BackendHealth(
            is_ready=True, detail=f"{count} modules in {'a directory' if self._database is None else 'PostgreSQL'}"
        )

    async def aclose(self) -> None:
        """See `RegistryBackend.aclose`."""
        await self._worker.close()

    def _read(self, digest: str, offset: int) -> Callable[[Database], bytes | None]:
        return lambda _: self._blobs.read(digest, offset, _PIECE_BYTES)

    def _connect(self) -> Database:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.path):
            self._blobs.prepare()
            return _catalogue.open_index(self.path, self._database)

    async def _run(self, job: Callable[[Database], T]) -> T:
        """Run a job on the registry's thread, and turn what the disk says into errors of a registry."""
        try:
            return await self._worker.run(job)
        except sqlite3.OperationalError as error:
            raise RegistryError(f"{self.url} cannot be used now ({error}): try again, or see to its disk") from error
        except sqlite3.Error as error:
            raise IntegrityError(f"{self.url} is damaged ({error}): restore registry.sqlite from a copy") from error
        except OSError as error:
            raise RegistryError(
                f"{self.url} cannot be used ({error.strerror}): see to its disk and its mode"
            ) from error
        except RuntimeError as error:
            raise RegistryError(f"{self.url} is closed") from error
