"""A registry in memory: for tests, and the shortest example of a backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import attrs

from plataforma_sdk.errors import PackageNotFoundError
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchPage, check_id
from plataforma_sdk.registry.rules import (
    check_blobs,
    check_publish,
    namespace_of,
    newest_hit,
    search_hits,
    set_yanked,
)

__all__ = ["MemoryBackend"]


class MemoryBackend:
    """Holds releases and blobs in dictionaries; see `RegistryBackend`.

    >>> import asyncio
    >>> asyncio.run(MemoryBackend().versions("vendas")).releases
    ()
    """

    is_local = True

    def __init__(self, url: str = "memory:") -> None:
        self.url = url
        self._indexes: dict[str, ModuleIndex] = {}
        self._owners: dict[str, str] = {}
        self._blobs: dict[str, bytes] = {}

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        """See `RegistryBackend.publish`."""
        check_blobs(release, blobs)
        index = await self.versions(release.id)
        if check_publish(index, release, owner):
            return index
        namespace = namespace_of(release.id)
        if owner is not None:
            self._owners[namespace] = owner
        self._blobs.update(blobs)
        self._indexes[release.id] = attrs.evolve(index, owner=owner or index.owner).with_release(release)
        return self._indexes[release.id]

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """See `RegistryBackend.fetch`."""
        data = self._blobs.get(blob.digest)
        if data is None:
            raise PackageNotFoundError(f"{module_id}: {self.url} holds no blob {blob.digest}")
        yield data

    async def versions(self, module_id: str) -> ModuleIndex:
        """See `RegistryBackend.versions`."""
        known = self._indexes.get(module_id) or ModuleIndex(id=check_id(module_id))
        return attrs.evolve(known, owner=self._owners.get(namespace_of(module_id)))

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """See `RegistryBackend.search`."""
        hits = [hit for index in self._indexes.values() if (hit := newest_hit(index))]
        return search_hits(hits, query, limit=limit, offset=offset)

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """See `RegistryBackend.yank`."""
        self._indexes[module_id] = index = set_yanked(await self.versions(module_id), version, reason)
        return index

    async def health(self) -> BackendHealth:
        """See `RegistryBackend.health`."""
        return BackendHealth(is_ready=True, detail=f"{len(self._indexes)} modules in memory")

    async def aclose(self) -> None:
        """See `RegistryBackend.aclose`."""
