"""`ModuleRegistry`: one registry, whatever it lies on; publishes, finds, resolves, fetches and verifies."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import cachetools

from plataforma_sdk.errors import PackageNotFoundError, SandboxError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.plugins import make_plugin_manager
from plataforma_sdk.registry._indexes import Indexes
from plataforma_sdk.registry._lock import Lock
from plataforma_sdk.registry._packages import PackageCache
from plataforma_sdk.registry._parts import Distributor, PackageScanner
from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry._publish import Progress, Publication
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchPage
from plataforma_sdk.registry._resolution import Resolution
from plataforma_sdk.registry._resolver import IndexSource, Resolver
from plataforma_sdk.registry._steps import PublishResult
from plataforma_sdk.registry._verification import Verification, check_content
from plataforma_sdk.registry._verify import read_verified
from plataforma_sdk.registry.backends import open_backend
from plataforma_sdk.registry.trust import (
    BUNDLE,
    Freshness,
    KeyStore,
    PinStore,
    SigningKey,
    Trust,
    TrustPolicy,
    Verdict,
    WatchedSource,
)

__all__ = ["ModuleRegistry"]

_AT_ONCE: Final = 8
_MAX_REMEMBERED: Final = 4_096


class ModuleRegistry:
    """A registry, wherever it lies. It is not believed: every byte is checked against its digest, here.

    Use it as an async context manager, or close it with `aclose`; in one event loop.

    Args:
        backend: an address (see `open_backend`), or a `RegistryBackend`.
        security: scans what is published; a `SecurityService` of default settings where it is left out.
        trust: whose releases are taken; None takes any of a registry of this machine, and signed ones of others.
        state_dir: where keys are, and what each module is held to: its registry and its publisher's key. None forgets
            that with this object.
        cache_dir: an absolute path for fetched archives; None for this user's private cache.
        tuf_root: file with the root of the registry's TUF metadata, from whoever runs it; None believes the first one.
        lock: a lock file: what it names is chosen without asking the registry. It is read once, where it is there,
            and never written: ``plataforma install --lock`` does that.
        plugins: objects with hooks, beside the installed ones.

    Attributes:
        backend: where releases lie.

    >>> import asyncio
    >>> from plataforma_sdk import ModulePackage
    >>> from plataforma_sdk.security import SecurityService
    >>> package = ModulePackage.from_source("class Vendas: ...", id="vendas", version="1.2.0", entry="Vendas")
    >>> quick = SecurityService(trial=False, tools=False)  # without a trial load in `wasm`
    >>> async def main():
    ...     async with ModuleRegistry("memory:", security=quick) as registry:
    ...         await registry.publish(package)
    ...         return (await registry.fetch_package("vendas", "^1")).version
    >>> asyncio.run(main())
    '1.2.0'
    """

    def __init__(
        self,
        backend: RegistryBackend | str | os.PathLike[str],
        *,
        security: PackageScanner | None = None,
        trust: Trust | TrustPolicy | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        lock: str | os.PathLike[str] | None = None,
        tuf_root: str | os.PathLike[str] | None = None,
        plugins: Iterable[object] = (),
    ) -> None:
        self._plugins = make_plugin_manager(plugins)
        if isinstance(backend, (str, os.PathLike)):
            backend = open_backend(backend, plugins=self._plugins)
        self.backend = backend
        directory = None if cache_dir is None else Path(cache_dir).expanduser().absolute()
        self._packages = PackageCache(directory)
        self._indexes = Indexes(backend, directory, lambda: self._freshness)
        self._tuf_root = None if tuf_root is None else Path(tuf_root).expanduser()
        self._given_scanner = security
        self._given_plugins = tuple(plugins)
        self._given_trust = trust
        self._state = None if state_dir is None else Path(state_dir).expanduser()
        self._closing = contextlib.ExitStack()
        self._sources: cachetools.LRUCache[str, str] = cachetools.LRUCache(_MAX_REMEMBERED)
        self._lock_path = None if lock is None else Path(lock).expanduser()

    @property
    def url(self) -> str:
        """The registry's address, without credentials."""
        return self.backend.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of connections and files; a second call does nothing."""
        self._closing.close()
        await self.backend.aclose()

    # --- publishing ------------------------------------------------------------------------------------------------

    async def publish(
        self,
        package: ModulePackage,
        *,
        signer: SigningKey | None = None,
        rotations: bytes | None = None,
        bundle: bytes | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> PublishResult:
        """Publish a package: scan, resolve its dependencies, build, store, distribute, look whether it is found.

        Before it is stored nothing is published; once it is, the version never changes. It is safe to run again.

        Args:
            package: what to publish.
            signer: signs it; this key then owns the module's namespace, or must be the owner's.
            rotations: what ``plataforma key rotate`` wrote, where the namespace was passed on to this key.
            bundle: what sigstore made of the archive that ``plataforma pack`` writes; verified against the trusted root
                of this registry's policy before anything is stored.
            dry_run: end before anything is stored.
            progress: is told of each step, when it begins and when it has ended.

        Raises:
            SecurityScanError: the scan found what must be mended.
            PackageNotFoundError, ResolutionError: its dependencies cannot be resolved in this registry.
            ModuleLoadError, PolicyError: a tier that the manifest does not exclude cannot compile it.
            VersionConflictError: this version is published with other content.
            IntegrityError: the namespace belongs to another key, or the bundle does not verify.
            RegistryError: the registry cannot be reached or written.
        """
        await self._warm()
        publication = Publication(
            backend=self.backend,
            indexes=self._indexes,
            scanner=self._scanner,
            distributors=self._distributors(),
            signer=signer,
            rotations=rotations,
            bundle=bundle,
            sigstore_root=self._policy.sigstore_root,
            progress=progress or (lambda _: None),
        )
        return await publication.run(package, dry_run=dry_run)

    async def yank(self, module_id: str, version: str, reason: str | None = "") -> ModuleIndex:
        """Mark a version as not to be chosen anew, or with None take that back; nothing is ever deleted.

        Raises:
            PackageNotFoundError: there is no such version.
            RegistryError: the registry cannot be reached or written.
        """
        index = await self.backend.yank(module_id, version, reason)
        self._indexes.accept(index)
        return index

    # --- finding ---------------------------------------------------------------------------------------------------

    async def versions(self, module_id: str) -> ModuleIndex:
        """Return all that the registry says about a module; offline, what it said last."""
        return await self._indexes.versions(module_id)

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """Find modules by words of their id, name and description; accents and case do not count."""
        return await self.backend.search(query, limit=limit, offset=offset)

    async def resolve(
        self, requirements: Mapping[str, str], *, lock: Lock | None = None, update: Collection[str] = ()
    ) -> Resolution:
        """Choose a release for each module asked for, and for all that they depend on.

        Args:
            requirements: module id -> range.
            lock: what was chosen before; the registry's own if left out.
            update: ids to choose anew although they are locked; `EVERYTHING` for all.

        Raises:
            PackageNotFoundError: nothing of a module that is asked for lies in its range.
            ResolutionError: no set of versions satisfies the ranges.
            IntegrityError: an index is older than was seen before, or the lock is damaged.
        """
        return await Resolver(self._source).resolve(requirements, lock=lock or self._lock, update=update)

    async def health(self) -> BackendHealth:
        """Tell whether the registry can be used; does not raise."""
        return await self.backend.health()

    # --- fetching --------------------------------------------------------------------------------------------------

    async def fetch_package(self, module_id: str, version_range: str) -> ModulePackage:
        """Return the newest package in the range, with its dependencies fetched, so that they are here offline.

        Raises:
            PackageNotFoundError, ResolutionError: as `resolve`.
            IntegrityError: what the registry sent is not what was published, or nobody who is trusted signed it.
            RegistryError: the registry cannot be reached, and the cache does not hold it.
        """
        return (await self.install({module_id: version_range}))[module_id]

    async def install(self, requirements: Mapping[str, str]) -> Mapping[str, ModulePackage]:
        """Resolve, and fetch, verify and cache all that was chosen, dependencies too.

        Returns:
            module id -> package.

        Raises:
            PackageNotFoundError, ResolutionError, IntegrityError, RegistryError: as `fetch_package`.
        """
        return await self.fetch_all(await self.resolve(requirements))

    async def fetch_all(self, resolution: Resolution, *, lock: Lock | None = None) -> Mapping[str, ModulePackage]:
        """Return the packages that a resolution chose, by id; `lock` as for `resolve`.

        Raises:
            IntegrityError, RegistryError: as `fetch_package`.
        """
        gate, chosen = asyncio.Semaphore(_AT_ONCE), resolution.releases

        async def fetch(module_id: str) -> ModulePackage:
            async with gate:
                return await self.fetch(chosen[module_id], revision=resolution.revisions[module_id], lock=lock)

        if len(chosen) == 1:
            return {module_id: await fetch(module_id) for module_id in chosen}
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {module_id: group.create_task(fetch(module_id)) for module_id in chosen}
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # the others failed with it, or were cancelled
        return {module_id: task.result() for module_id, task in tasks.items()}

    async def fetch(self, release: Release, *, revision: int = 0, lock: Lock | None = None) -> ModulePackage:
        """Return the package of a release that `versions` or `resolve` gave, from the cache where it is there.

        Args:
            release: what to fetch.
            revision: of the index that it stands in, where that is known.
            lock: what says whom to expect where nothing else does; the registry's own if left out.

        Raises:
            IntegrityError: other bytes than its digest says, another module inside, or not signed as it must be.
            RegistryError: as `fetch_package`.
        """
        verdict = await self._check_trust(release, revision, lock or self._lock)
        package = self._packages.get(release.archive)
        if package is None:
            data = await self._read(release, release.archive)
            package = await asyncio.to_thread(self._packages.put, release.archive, data)
        check_content(release, package)
        if verdict is not None:
            verdict.check_package(release, package)
        signer = None if verdict is None else verdict.key  # who says so is believed only where it was verified
        self._sources[package.digest] = signer or f"registry:{self.url}"
        return package

    def source_of(self, package: ModulePackage) -> str:
        """Return what decisions about a fetched package are kept under: its verified publisher, or this registry."""
        return str(self._sources.get(package.digest, f"registry:{self.url}"))

    async def attachment(self, release: Release, name: str) -> bytes:
        """Return what lies beside a release: ``"sbom"``, ``"scan"``, ``"build"``, ``"assets"``, ``"attestation"``.

        Raises:
            PackageNotFoundError: it has no such attachment.
            IntegrityError: other bytes than its digest says.
        """
        blob = release.attachments.get(name)
        if blob is None:
            have = ", ".join(release.attachments) or "none"
            raise PackageNotFoundError(f"{release.id} {release.version} has no {name[:80]!r}; it has {have}")
        return await self._read(release, blob)

    async def verify(self, release: Release) -> Verification:
        """Fetch all of a release from the registry, past the cache, and check it; return what was checked.

        Raises:
            IntegrityError: something is not what was published, or what was signed.
            RegistryError: the registry cannot be reached.
        """
        metadata = await self._indexes.metadata(release.id)
        verdict = await self._check_trust(release, 0, self._lock)
        data = await self._read(release, release.archive)
        package = await asyncio.to_thread(ModulePackage.from_archive, data)
        check_content(release, package)
        if verdict is not None:
            verdict.check_package(release, package)
        for blob in release.attachments.values():
            await self._read(release, blob)
        return Verification.of(release, verdict, metadata)

    async def _check_trust(self, release: Release, revision: int, lock: Lock | None) -> Verdict | None:
        """Decide whether a release is taken; None where whatever the registry serves is."""
        if self._trust is None:
            if BUNDLE not in release.attachments:
                return None
            with PinStore() as forgotten:  # a bundle must verify, whatever is taken
                return await Trust(self._policy, forgotten).verify(release, self.backend)
        locked = None if lock is None else lock.modules.get(release.id)
        return await self._trust.verify(release, self.backend, revision=revision, locked=locked)

    @cached_property
    def _policy(self) -> TrustPolicy:
        if isinstance(self._given_trust, Trust):
            return self._given_trust.policy
        return self._given_trust or TrustPolicy.default_for(self.backend)

    @cached_property
    def _trust(self) -> Trust | None:
        """What this client believes; opened at first use, since it reads files."""
        if isinstance(self._given_trust, Trust):
            return self._given_trust
        policy = self._policy
        if policy.require == "any" and self._state is None:
            return None  # nothing to hold anybody to, and nowhere to keep it
        pins = self._closing.enter_context(PinStore(None if self._state is None else self._state / "pins.sqlite"))
        revoked = () if self._state is None else KeyStore(self._state / "keys").revoked
        return Trust(policy, pins, revoked=revoked)

    @cached_property
    def _freshness(self) -> Freshness | None:
        """Holds indexes to the registry's TUF metadata; None for a backend that has no such thing."""
        kept = None if self._state is None else self._state / "tuf"
        is_required = self._policy.require != "any"
        freshness = Freshness.of(self.backend, kept, root=self._tuf_root, is_required=is_required)
        if freshness is not None:
            self._closing.callback(freshness.close)
        return freshness

    @cached_property
    def _source(self) -> IndexSource:
        return self._indexes if self._trust is None else WatchedSource(self._indexes, self._trust)

    async def _read(self, release: Release, blob: BlobRef) -> bytes:
        pieces = self.backend.fetch(release.id, blob)
        return await read_verified(pieces, blob, what=f"{release.id} {release.version}")

    async def _warm(self) -> None:
        """Make the engine of the trial load ready: the first time on a machine takes longer than a scan may."""
        if self._given_scanner is not None:
            return
        from plataforma_sdk.sandbox.wasm import compiled_runner

        with contextlib.suppress(SandboxError):  # a platform without it: the scan says that it did not run
            await asyncio.to_thread(compiled_runner)

    @cached_property
    def _scanner(self) -> PackageScanner:
        if self._given_scanner is not None:
            return self._given_scanner
        from plataforma_sdk.security import SecurityService  # brings an engine along, which readers do not need

        return SecurityService(plugins=self._given_plugins)

    @cached_property
    def _lock(self) -> Lock | None:
        return Lock.read(self._lock_path) if self._lock_path is not None and self._lock_path.exists() else None

    def _distributors(self) -> list[Distributor]:
        found = self._plugins.hook.plataforma_distribute(registry=self.url)
        return [distributor for distributor in found if distributor is not None]
