"""A registry in memory: for tests, and the shortest example of a backend."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Mapping

import attrs

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, VersionConflictError
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchHit, SearchPage

__all__ = ["MemoryBackend", "check_publish", "newest_hit", "set_yanked", "words_of"]


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
        known = self._indexes.get(module_id, ModuleIndex(id=module_id))
        return attrs.evolve(known, owner=self._owners.get(namespace_of(module_id)))

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """See `RegistryBackend.search`."""
        wanted = words_of(query)
        hits = [hit for _, index in sorted(self._indexes.items()) if (hit := newest_hit(index)) and _fits(hit, wanted)]
        return SearchPage(hits=tuple(hits[offset : offset + limit]), total=len(hits))

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """See `RegistryBackend.yank`."""
        self._indexes[module_id] = index = set_yanked(await self.versions(module_id), version, reason)
        return index

    async def health(self) -> BackendHealth:
        """See `RegistryBackend.health`."""
        return BackendHealth(is_ready=True, detail=f"{len(self._indexes)} modules in memory")

    async def aclose(self) -> None:
        """See `RegistryBackend.aclose`."""


# --- what every backend decides alike --------------------------------------------------------------------------------


def namespace_of(module_id: str) -> str:
    """Return whose name an id is: ``"acme"`` of ``"acme/vendas"``, and the id itself where it has no namespace."""
    return module_id.partition("/")[0]


def check_publish(index: ModuleIndex, release: Release, owner: str | None) -> bool:
    """Decide whether a release may be added; return True where the very same one is there already.

    Raises:
        IntegrityError: the namespace belongs to another key.
        VersionConflictError: this version exists with other content.
    """
    if index.owner is not None and owner != index.owner:
        raise IntegrityError(
            f"{release.id}: the namespace {namespace_of(release.id)!r} belongs to the key {index.owner}, and this "
            f"release is signed by {owner or 'nobody'}: publish with the owner's key, or under a name of your own"
        )
    known = index.release(release.version)
    if known is None:
        return False
    if known.is_same(release):
        return True
    raise VersionConflictError(
        f"{release.id} {release.version} is published with other content ({known.digest}); "
        "versions are immutable: raise the version in module.toml"
    )


def set_yanked(index: ModuleIndex, version: str, reason: str | None) -> ModuleIndex:
    """Return the index with a version yanked, or not yanked again.

    Raises:
        PackageNotFoundError: there is no such version.
    """
    known = index.release(version)
    if known is None:
        have = ", ".join(release.version for release in index.releases) or "none"
        raise PackageNotFoundError(f"{index.id} {version} was never published; there are: {have}")
    return index if known.yanked == reason else index.with_release(attrs.evolve(known, yanked=reason))


def newest_hit(index: ModuleIndex) -> SearchHit | None:
    """Return what a search shows of a module: its newest release that is not yanked, prereleases only where alone."""
    usable = [release for release in index.releases if release.yanked is None]
    if not usable:
        return None
    best = next((release for release in reversed(usable) if "-" not in release.version), usable[-1])
    return SearchHit(id=best.id, version=best.version, name=best.name, description=best.description)


def words_of(text: str) -> list[str]:
    """Return the words of a text, without accents and case: ``"Gestão"`` -> ``["gestao"]``."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in plain.casefold()).split()


def _fits(hit: SearchHit, wanted: list[str]) -> bool:
    have = words_of(f"{hit.id} {hit.name} {hit.description}")
    return all(any(word.startswith(part) for word in have) for part in wanted)
