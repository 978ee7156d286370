"""Where a service keeps blobs: beside its index, or in an object store."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry.backends._blob_files import BlobFiles
from plataforma_sdk.registry.backends._objects import ObjectStore

__all__ = ["BlobStore", "FileBlobs", "ObjectBlobs", "off_the_loop"]

T = TypeVar("T")

_PIECE_BYTES: Final = 1 << 18
_PART_BYTES: Final = 4 << 20


async def off_the_loop(job: Callable[[], T]) -> T:
    """Run what blocks on a thread; a task that is cancelled waits for its end, so that no file is closed under it."""
    future = asyncio.get_running_loop().run_in_executor(None, job)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise


class BlobStore(Protocol):
    """Blobs by their digest; a name appears only when all of its bytes are stored."""

    async def size(self, digest: str) -> int | None:
        """Return the size of a blob, None where there is none."""
        ...

    def read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a blob that is there, from `start` up to `end`."""
        ...

    async def keep(self, digest: str, path: Path) -> None:
        """Store a file whose digest was checked and that is on the disk; it may be moved away."""
        ...


class FileBlobs:
    """Blobs as files; see `BlobStore`."""

    def __init__(self, files: BlobFiles) -> None:
        self._files = files

    async def size(self, digest: str) -> int | None:
        """See `BlobStore.size`."""
        with contextlib.suppress(FileNotFoundError):
            return (await off_the_loop(self._files.path(digest).stat)).st_size
        return None

    async def read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        """See `BlobStore.read`."""
        while start < end:  # opened for each piece: a reader that is cancelled leaves no file open
            piece = await off_the_loop(
                functools.partial(self._files.read, digest, start, min(_PIECE_BYTES, end - start))
            )
            if not piece:
                return
            start += len(piece)
            yield piece

    async def keep(self, digest: str, path: Path) -> None:
        """See `BlobStore.keep`."""
        await off_the_loop(lambda: self._files.keep(digest, path))


class ObjectBlobs:
    """Blobs in an object store; see `BlobStore`. Needs the extra ``s3``."""

    def __init__(self, store: Any, *, url: str) -> None:
        self._store: ObjectStore = store
        self._head: Callable[[str], Any] = store.head
        self._url = url

    async def size(self, digest: str) -> int | None:
        """See `BlobStore.size`."""
        with contextlib.suppress(FileNotFoundError):
            return int((await self._run(lambda: self._head(_path(digest))))["size"])
        return None

    async def read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        """See `BlobStore.read`."""
        for place in range(start, end, _PART_BYTES):
            length = min(_PART_BYTES, end - place)
            part = functools.partial(self._store.get_range, _path(digest), start=place, length=length)
            yield bytes(await self._run(part))

    async def keep(self, digest: str, path: Path) -> None:
        """See `BlobStore.keep`; large files go in parts, and the name appears with the last one."""
        await self._run(lambda: self._store.put(_path(digest), path))

    async def _run(self, job: Callable[[], T]) -> T:
        try:
            return await off_the_loop(job)
        except FileNotFoundError:
            raise
        except Exception as error:  # obstore's own errors; its classes are there only where it is installed
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise RegistryError(f"{self._url} cannot be used ({first[:300]}): try again") from error


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
