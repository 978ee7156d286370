"""Modules in an object store: S3, Google Cloud Storage, Azure, and all that speak like them.

Nothing is ever overwritten but blobs by themselves: each revision of an index is an object of its own, and whoever
creates it first has it. That needs no more of a store than to create an object only where there is none, which all of
them can, and leaves the history to read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

import attrs

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.registry._json import seal, unseal
from plataforma_sdk.registry._records import (
    BackendHealth,
    BlobRef,
    ModuleIndex,
    Release,
    SearchHit,
    SearchPage,
    check_id,
)
from plataforma_sdk.registry._verify import IndexMemory
from plataforma_sdk.registry.backends._together import together
from plataforma_sdk.registry.rules import (
    check_blobs,
    check_publish,
    namespace_of,
    newest_hit,
    search_hits,
    set_yanked,
)
from plataforma_sdk.types import module_segment

__all__ = ["ObjectBackend", "ObjectStore", "open_store"]

T = TypeVar("T")

_REVISION: Final = re.compile(r"modules/(?P<segment>[a-z0-9-]+)/(?P<revision>[0-9]{12})\.json", re.ASCII)
_PIECE_BYTES: Final = 4 << 20
_MAX_RACES: Final = 32
_RETRIES_S: Final = 60
_MAX_RETRIES: Final = 3


class ObjectStore(Protocol):
    """What is used of a store of obstore. Its blocking methods, on threads: a process that has used the asynchronous
    ones is aborted at its end more often than not (0.12.1 on CPython 3.13: 16 of 24 times)."""

    def get(self, path: str) -> Any:
        """Return an object; its `bytes()` are the content."""

    def get_range(self, path: str, *, start: int, length: int) -> Any:
        """Return a part of an object."""

    def list(self, prefix: str | None = None) -> Iterable[Any]:
        """Yield lists of ``{"path": ...}``."""

    def put(self, path: str, file: Any, *, mode: Any = None) -> Any:
        """Write an object, with mode ``"create"`` only where there is none."""


class ObjectBackend:
    """Releases in an object store; see `RegistryBackend`. Needs the extra ``s3``, whichever store it is.

    ``modules/<id>/<revision>.json`` are the indexes, ``owners/<namespace>.json`` the keys, ``blobs/`` the bytes.
    Reading an index takes a list and two reads; a search lists all modules and reads those that changed since the last
    one: for thousands of modules, run our service.

    >>> from obstore.store import MemoryStore
    >>> ObjectBackend(MemoryStore(), url="s3://bucket/modules").url
    's3://bucket/modules'
    """

    def __init__(self, store: ObjectStore, *, url: str, is_local: bool = False) -> None:
        """Take a store of obstore, and what it is called.

        Raises:
            RegistryError: obstore is not installed.
        """
        self.url = url
        self.is_local = is_local
        self._store = store
        self._errors = _load_obstore().exceptions
        self._memory = IndexMemory()
        self._hits: dict[str, tuple[int, SearchHit | None]] = {}

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        """See `RegistryBackend.publish`."""
        check_blobs(release, blobs)
        last, is_stored = self._memory.last(release.id), False
        for _ in range(_MAX_RACES):
            index = await self._load(release.id)
            if check_publish(index, release, owner):
                return self._memory.accept(index, last)
            if not is_stored:
                await together(lambda item: self._put(_blob_path(item[0]), item[1]), blobs.items())
                is_stored = True
            if owner is not None and index.owner is None and not await self._claim(release.id, owner):
                continue  # somebody did so meanwhile; the next round tells whether it was this key
            index = attrs.evolve(index, owner=owner or index.owner).with_release(release)
            if await self._append(index):
                return self._memory.accept(index, last)
        raise self._crowded(release.id)

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """See `RegistryBackend.fetch`."""
        path, missing = _blob_path(blob.digest), f"{check_id(module_id)}: {self.url} holds no blob {blob.digest}"
        if blob.size == 0:
            yield await self._get(path, missing=missing)
        for start in range(0, blob.size, _PIECE_BYTES):
            yield await self._get(path, missing=missing, part=(start, min(_PIECE_BYTES, blob.size - start)))

    async def versions(self, module_id: str) -> ModuleIndex:
        """See `RegistryBackend.versions`."""
        last = self._memory.last(module_id)
        return self._memory.accept(await self._load(module_id), last)

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """See `RegistryBackend.search`."""
        newest = await self._newest("modules")
        changed = [segment for segment, revision in newest.items() if self._hits.get(segment, (0,))[0] != revision]
        for index in await together(lambda segment: self._read(segment, newest[segment]), changed):
            self._hits[module_segment(index.id)] = index.revision, newest_hit(index)
        hits = [hit for segment in newest if (hit := self._hits[segment][1])]
        return search_hits(hits, query, limit=limit, offset=offset)

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """See `RegistryBackend.yank`."""
        last = self._memory.last(module_id)
        for _ in range(_MAX_RACES):
            before = await self._load(module_id)
            index = set_yanked(before, version, reason)
            if index is before or await self._append(index):
                return self._memory.accept(index, last)
        raise self._crowded(module_id)

    async def health(self) -> BackendHealth:
        """See `RegistryBackend.health`."""
        try:
            await self._newest("modules/-")  # no id reads so: asks, and lists nothing
        except RegistryError as error:
            return BackendHealth(is_ready=False, detail=error.message)
        return BackendHealth(is_ready=True, detail="an object store")

    async def aclose(self) -> None:
        """See `RegistryBackend.aclose`; obstore keeps its connections for the process."""

    # --- objects ------------------------------------------------------------------------------------------------------

    async def _load(self, module_id: str) -> ModuleIndex:
        segment = module_segment(check_id(module_id))
        newest = await self._newest(f"modules/{segment}")
        index = await self._read(segment, newest[segment]) if newest else ModuleIndex(id=module_id)
        return attrs.evolve(index, owner=await self._owner(module_id))

    async def _newest(self, prefix: str) -> dict[str, int]:
        """List the newest revision of each module below a prefix."""
        paths = await self._run(lambda: [item["path"] for page in self._store.list(prefix) for item in page])
        newest: dict[str, int] = {}
        for found in filter(None, map(_REVISION.fullmatch, paths)):
            newest[found["segment"]] = max(int(found["revision"]), newest.get(found["segment"], 0))
        return newest

    async def _read(self, segment: str, revision: int) -> ModuleIndex:
        path = _index_path(segment, revision)
        data = await self._get(path, missing=f"{self.url}/{path} is listed and not there")
        index = ModuleIndex.from_data(unseal(data, what=f"{self.url}/{path}"))
        if (module_segment(index.id), index.revision) != (segment, revision):
            raise IntegrityError(f"{self.url}/{path} holds revision {index.revision} of {index.id}: it was moved")
        return index

    async def _append(self, index: ModuleIndex) -> bool:
        """Write the next revision; False where somebody else was first."""
        return await self._create(_index_path(module_segment(index.id), index.revision), seal(index.to_data()))

    async def _owner(self, module_id: str) -> str | None:
        namespace = namespace_of(module_id)
        path = f"owners/{namespace}.json"
        try:
            claim = unseal(await self._get(path, missing=""), what=f"{self.url}/{path}")
        except PackageNotFoundError:
            return None
        if claim.get("namespace") != namespace or not isinstance(claim.get("owner"), str):
            raise IntegrityError(f"{self.url}/{path} is damaged: it is no claim of {namespace}")
        return str(claim["owner"])

    async def _claim(self, module_id: str, owner: str) -> bool:
        namespace = namespace_of(module_id)
        return await self._create(f"owners/{namespace}.json", seal({"namespace": namespace, "owner": owner}))

    async def _create(self, path: str, data: bytes) -> bool:
        def create() -> bool:
            try:
                self._store.put(path, data, mode="create")
            except self._errors.AlreadyExistsError:
                return False
            return True

        return await self._run(create)

    async def _put(self, path: str, data: bytes) -> None:
        await self._run(lambda: self._store.put(path, data))

    async def _get(self, path: str, *, missing: str, part: tuple[int, int] | None = None) -> bytes:
        """Read an object, or a part of it: where it starts and how long it is."""

        def get() -> bytes:
            if part is None:
                return bytes(self._store.get(path).bytes())
            return bytes(self._store.get_range(path, start=part[0], length=part[1]))

        return await self._run(get, missing=missing)

    async def _run(self, call: Callable[[], T], *, missing: str = "") -> T:
        """Run a call on a thread, and turn what the store says into errors of a registry."""
        try:
            return await asyncio.to_thread(call)
        except FileNotFoundError:
            raise PackageNotFoundError(missing or f"{self.url} is not there: make the bucket first") from None
        except (self._errors.BaseError, OSError, ValueError) as error:
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise RegistryError(
                f"{self.url} cannot be used ({first[:300]}): see to its name and your credentials"
            ) from error

    def _crowded(self, module_id: str) -> RegistryError:
        return RegistryError(f"{module_id}: {_MAX_RACES} others were faster to write to {self.url}: try again")


def open_store(url: str) -> ObjectStore:
    """Open the store of ``s3://bucket/prefix``, ``gs://`` or ``az://``, with the credentials of the environment.

    Raises:
        RegistryError: obstore is not installed, or cannot read the address or the environment.
    """
    from datetime import timedelta

    obstore = _load_obstore()
    # S3 then refuses what was damaged on the way; the others check by themselves
    checked = {"aws_checksum_algorithm": "SHA256"} if url.startswith("s3:") else None
    try:
        store: ObjectStore = obstore.store.from_url(
            url,
            config=checked,
            retry_config={"max_retries": _MAX_RETRIES, "retry_timeout": timedelta(seconds=_RETRIES_S)},
        )
    except (obstore.exceptions.BaseError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise RegistryError(f"{url[:200]} is no object store that can be opened: {first[:300]}") from None
    return store


def _load_obstore() -> Any:
    try:
        import obstore.exceptions
        import obstore.store
    except ImportError:
        raise RegistryError("Object stores are reached by obstore: pip install 'plataforma-sdk[s3]'") from None
    return obstore


def _index_path(segment: str, revision: int) -> str:
    return f"modules/{segment}/{revision:012d}.json"


def _blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
