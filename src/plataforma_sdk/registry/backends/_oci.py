"""Modules in any OCI registry: the one that a company runs already.

A repository for each module, a tag for each version, so that publishers of different versions do not meet. An index
that all of them rewrote was tried on paper and dropped: OCI has no compare-and-set, and a lost update would lose a
release. The revision is counted from the tags; they only grow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

import attrs
from cachetools import LRUCache

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError, VersionConflictError
from plataforma_sdk.manifest import Version
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchPage, check_id
from plataforma_sdk.registry._verify import IndexMemory, digest_of
from plataforma_sdk.registry.backends._oci_client import OciClient
from plataforma_sdk.registry.backends._oci_layout import (
    EMPTY,
    YANK_PREFIX,
    Yank,
    attachment_manifest,
    config_of,
    note_manifest,
    read_note,
    read_release,
    release_manifest,
    tag_of,
    version_of,
)
from plataforma_sdk.registry.backends._together import together
from plataforma_sdk.registry.backends._urls import parse_oci
from plataforma_sdk.registry.backends._web import WebOptions
from plataforma_sdk.registry.rules import (
    check_blobs,
    check_listed,
    check_publish,
    namespace_of,
    newest_hit,
    search_hits,
    set_yanked,
)
from plataforma_sdk.types import module_segment

__all__ = ["OciBackend"]

_MODULES: Final = "plataforma.modules"
_OWNERS: Final = "plataforma.owners"
"""Repositories of notes: which modules there are, and whose the namespaces are. No module id has a dot."""

_MAX_REMEMBERED: Final = 16_384


class OciBackend:
    """Releases as OCI artifacts; see `RegistryBackend`. Needs the extra ``http``.

    A registry may let a tag be overwritten, so immutability is kept here: what a tag held first holds for as long as
    the backend lives, a publisher looks before and after it writes, and a client's lock names the digest. Two
    publishers who push one version in the same moment are told apart only afterwards, since OCI has no
    compare-and-set. A search reads every module's newest release: for thousands of modules, run our service.

    >>> OciBackend("oci://registry.example/acme").url
    'oci://registry.example/acme'
    """

    is_local = False

    def __init__(
        self, url: str, *, credentials: tuple[str, str] | None = None, options: WebOptions | None = None
    ) -> None:
        """Name the registry and what stands before all repositories; ``oci+http://`` for one without encryption.

        Raises:
            RegistryError: the address is none, or httpx2 is not installed.
        """
        base = parse_oci(url)
        self.url = url.rstrip("/")
        self._prefix = base.path.lstrip("/")
        self._client = OciClient(base.origin, credentials, options)
        self._memory = IndexMemory()
        self._releases: LRUCache[tuple[str, str], Release] = LRUCache(_MAX_REMEMBERED)

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        """See `RegistryBackend.publish`; the release's tag is written last."""
        check_blobs(release, blobs)
        last, repository = self._memory.last(release.id), self._repository(release.id)
        index = self._memory.accept(await self._load(release.id), last)
        # the tag itself, since a list of tags may be cut or late, and whoever writes the tag overwrites it
        held = None if index.release(release.version) else await self._read_tag(release.id, release.version)
        if check_publish(index.with_release(held) if held else index, release, owner):
            await self._announce(release.id)  # a publisher that was killed may not have come so far
            return self._memory.accept(await self._load(release.id), last)
        if owner is not None and index.owner is None:
            await self._claim(release.id, owner)
        config = config_of(release, blobs[release.archive.digest])
        manifest = release_manifest(release, config)
        await together(lambda data: self._client.push_blob(repository, data), {EMPTY, config[0], *blobs.values()})
        if release.attachments:
            await self._client.push_manifest(repository, manifest)
            for name, blob in release.attachments.items():
                referrer = attachment_manifest(name, blob, manifest)
                await self._client.push_referrer(repository, referrer, digest_of(manifest))
        await self._client.push_manifest(repository, manifest, tag_of(release.version))
        await self._announce(release.id)
        await self._confirm(release)
        return check_listed(self._memory.accept(await self._load(release.id), last), release.version, release.is_same)

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """See `RegistryBackend.fetch`."""
        try:
            async for piece in self._client.blob(self._repository(module_id), blob):
                yield piece
        except PackageNotFoundError:
            raise PackageNotFoundError(f"{module_id}: {self.url} holds no blob {blob.digest}") from None

    async def versions(self, module_id: str) -> ModuleIndex:
        """See `RegistryBackend.versions`; takes a request for each version that was not read before."""
        last = self._memory.last(module_id)
        return self._memory.accept(await self._load(module_id), last)

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """See `RegistryBackend.search`."""
        tags = await self._client.tags(self._join(_MODULES))
        indexes = await together(self._load, [check_id(tag.replace("--", "/")) for tag in tags])
        hits = [hit for index in indexes if (hit := newest_hit(index))]
        return search_hits(hits, query, limit=limit, offset=offset)

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """See `RegistryBackend.yank`."""
        last = self._memory.last(module_id)
        before = self._memory.accept(await self._load(module_id), last)
        if set_yanked(before, version, reason) is before:
            return before
        repository, tag = self._repository(module_id), YANK_PREFIX + tag_of(version)
        known = await self._yank(repository, tag)
        note = {"reason": reason, "changes": (known.changes if known else 0) + 1}
        await self._client.push_blob(repository, EMPTY)
        await self._client.push_manifest(repository, note_manifest("yank", note), tag)
        index = self._memory.accept(await self._load(module_id), last)
        return check_listed(index, version, lambda release: release.yanked == reason)

    async def health(self) -> BackendHealth:
        """See `RegistryBackend.health`."""
        try:
            await self._client.ping()
        except RegistryError as error:
            return BackendHealth(is_ready=False, detail=error.message)
        return BackendHealth(is_ready=True, detail="an OCI registry")

    async def aclose(self) -> None:
        """See `RegistryBackend.aclose`."""
        await self._client.aclose()

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _load(self, module_id: str) -> ModuleIndex:
        """Read the index from the tags."""
        repository = self._repository(module_id)
        tags = set(await self._client.tags(repository))
        versions = [version for tag in tags if (version := version_of(tag))]

        async def release(version: str) -> tuple[Release, int]:
            tag = YANK_PREFIX + tag_of(version)
            mark = await self._yank(repository, tag) if tag in tags else None
            found = await self._release(module_id, version)
            return (attrs.evolve(found, yanked=mark.reason), mark.changes) if mark else (found, 0)

        found = await together(release, versions)
        releases = sorted((item for item, _ in found), key=lambda item: Version.parse(item.version))
        return ModuleIndex(
            id=module_id,
            revision=len(found) + sum(changes for _, changes in found),
            owner=await self._owner(module_id),
            releases=tuple(releases),
        )

    async def _release(self, module_id: str, version: str) -> Release:
        known = self._releases.get((module_id, version)) or await self._read_tag(module_id, version)
        if known is None:
            what = f"{self.url}/{module_id}:{tag_of(version)}"
            raise IntegrityError(f"{what} is listed and not there: the registry lost it, or is being cleaned")
        return self._releases.setdefault((module_id, version), known)

    async def _read_tag(self, module_id: str, version: str) -> Release | None:
        """Read what a version's tag holds now."""
        tag = tag_of(version)
        manifest = await self._client.manifest(self._repository(module_id), tag)
        return (
            None
            if manifest is None
            else read_release(manifest, module_id, version, what=f"{self.url}/{module_id}:{tag}")
        )

    async def _yank(self, repository: str, tag: str) -> Yank | None:
        manifest = await self._client.manifest(repository, tag)
        if manifest is None:
            return None
        note = read_note(manifest, "yank", what=f"{repository}:{tag}")
        try:
            reason, changes = note["reason"], note["changes"]
        except (TypeError, KeyError):
            raise IntegrityError(f"{repository}:{tag} is damaged: it is no mark of a yank") from None
        if not isinstance(reason, str | None) or type(changes) is not int or changes < 1:
            raise IntegrityError(f"{repository}:{tag} is damaged: it is no mark of a yank")
        return Yank(reason, changes)

    async def _owner(self, module_id: str) -> str | None:
        namespace = namespace_of(module_id)
        manifest = await self._client.manifest(self._join(_OWNERS), namespace)
        if manifest is None:
            return None
        owner = read_note(manifest, "owner", what=f"the owner of {namespace}")
        if not isinstance(owner, str):
            raise IntegrityError(f"the owner of {namespace} is damaged: it is no key")
        return owner

    # --- writing ------------------------------------------------------------------------------------------------------

    async def _claim(self, module_id: str, owner: str) -> None:
        namespace = namespace_of(module_id)
        await self._note(_OWNERS, namespace, note_manifest("owner", owner))
        if await self._owner(module_id) != owner:
            raise IntegrityError(f"{module_id}: another key claimed the namespace {namespace!r} in the same moment")

    async def _announce(self, module_id: str) -> None:
        """Note that there is such a module, for searches."""
        tag = module_segment(module_id)
        if await self._client.manifest(self._join(_MODULES), tag) is None:
            await self._note(_MODULES, tag, note_manifest("module", module_id))

    async def _note(self, name: str, tag: str, manifest: bytes) -> None:
        await self._client.push_blob(self._join(name), EMPTY)
        await self._client.push_manifest(self._join(name), manifest, tag)

    async def _confirm(self, release: Release) -> None:
        """Look whether the tag holds what was pushed: a publisher of the same moment may have overwritten it."""
        kept = await self._read_tag(release.id, release.version)
        if kept is None or not kept.is_same(release):
            raise VersionConflictError(
                f"{release.id} {release.version} was published by somebody else in the same moment "
                f"({kept.digest if kept else 'and taken away'}): raise the version in module.toml"
            )

    def _repository(self, module_id: str) -> str:
        return self._join(check_id(module_id))

    def _join(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name
