"""Who is loaded in a host, who is being loaded, and who needs whom.

What a module names under ``[dependencies]`` is loaded before it, in its tier, with the host's grants and no others: a
module that is asked for with grants of its own hands none of them on. A dependency that is loaded already is shared.
One that was loaded for others alone ends with the last of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from plataforma_sdk.errors import ModuleStateError, PackageNotFoundError, PlataformaError, ResolutionError
from plataforma_sdk.manifest import dependencies_first

if TYPE_CHECKING:
    from plataforma_sdk.manifest import Manifest, VersionRange
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.runtime._handle import ModuleHandle
    from plataforma_sdk.runtime._loader import PackageSource

__all__ = ["Roster"]

LoadDependency: TypeAlias = "Callable[[ModulePackage, str], Awaitable[ModuleHandle]]"
"""Loads a package, found by ``"id@range"``."""


@runtime_checkable
class _WholeSource(Protocol):
    """A source that chooses all dependencies together, so that they fit; a `ModuleRegistry` is one."""

    async def install(self, requirements: Mapping[str, str]) -> Mapping[str, ModulePackage]: ...


class Roster:
    """The modules of one host, by id, in the order in which they were loaded: dependencies first."""

    def __init__(self, source: PackageSource | None) -> None:
        self.modules: dict[str, ModuleHandle] = {}
        self._source = source
        self._changes: dict[str, asyncio.Event] = {}
        self._loading: dict[str, ModulePackage] = {}
        self._held: list[ModulePackage] = []
        self._automatic: set[str] = set()

    # --- loading ---------------------------------------------------------------------------------------------------

    def check_free(self, module_id: str) -> None:
        """Make sure that a module is neither loaded nor being loaded.

        Raises:
            ModuleStateError: it is.
        """
        if module_id not in self.modules and module_id not in self._changes:
            return
        users = [] if module_id not in self._automatic else sorted(self._users(module_id))
        why = f" for {', '.join(map(repr, users))}, use host.modules[{module_id!r}]" if users else ""
        raise ModuleStateError(
            f"Module {module_id!r} is loaded already{why}: reload() it, or unload() it first", module=module_id
        )

    @contextlib.contextmanager
    def reserve(self, package: ModulePackage) -> Iterator[None]:
        """Let nobody else load a module meanwhile.

        Raises:
            ModuleStateError: as `check_free`.
        """
        self.check_free(package.id)
        self._loading[package.id] = package
        try:
            with self._changing(package.id):
                yield
        finally:
            del self._loading[package.id]

    def manifest_of(self, module_id: str) -> Manifest | None:
        """Return the manifest of a module that is loaded, or being loaded."""
        handle = self.modules.get(module_id)
        if handle is not None:
            return handle.manifest
        loading = self._loading.get(module_id)
        return None if loading is None else loading.manifest

    @contextlib.contextmanager
    def _changing(self, module_id: str) -> Iterator[None]:
        changed = self._changes[module_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._changes[module_id]
            changed.set()

    @contextlib.asynccontextmanager
    async def needs_of(self, package: ModulePackage, load: LoadDependency) -> AsyncIterator[None]:
        """Have what a package needs loaded, while it is itself being loaded or reloaded.

        What was loaded for it ends if it then does not load.

        Raises:
            PackageNotFoundError: a dependency is not loaded, and there is no registry that has it.
            ResolutionError: one is loaded in a version that does not fit.
            PlataformaError: one does not load; a note says for whom it was to be.
        """
        self._check_users(package)
        self._held.append(package)
        try:
            for dependency, asked in await self._missing(package):
                await self._load(dependency, asked, package, load)
            self._check_fit([package])
            yield
        finally:
            self._held.remove(package)
            await self.sweep()

    async def _load(self, package: ModulePackage, asked: str, needing: ModulePackage, load: LoadDependency) -> None:
        await self._settled([package.id])
        if package.id in self.modules:
            return
        self._check_users(package)
        self._automatic.add(package.id)
        try:
            await load(package, asked)
        except PlataformaError as error:
            error.add_note(
                f"{package.id!r} was to be loaded because {needing.id!r} depends on it; to give it another engine, "
                f"grants or limits, load it first: host.load({asked!r}, ...)"
            )
            raise
        finally:
            if package.id not in self.modules:
                self._automatic.discard(package.id)

    async def _missing(self, package: ModulePackage) -> list[tuple[ModulePackage, str]]:
        """Find what must be loaded, dependencies of dependencies first; each with the name that it was found by."""
        names = {package.id: package.id}
        found = {package.id: package}
        await self._settled(package.manifest.dependencies)
        asked = self._unloaded(package)
        if asked and isinstance(self._source, _WholeSource):
            chosen = await self._source.install({name: needed.text for name, needed in asked.items()})
            found = {**chosen, **found}
        waiting = [package]
        while waiting:
            needing = waiting.pop()
            await self._settled(needing.manifest.dependencies)
            for name, needed in self._unloaded(needing).items():
                if name not in names:
                    names[name] = f"{name}@{needed.text}"
                    if name not in found:
                        found[name] = await self._fetch(name, needed, needing)
                    waiting.append(found[name])
        self._check_fit((found[name] for name in names), found)
        order = dependencies_first([package.id], lambda name: self._unloaded(found[name]))
        return [(found[name], names[name]) for name in order if name != package.id]

    async def _settled(self, module_ids: Iterable[str]) -> None:
        """Wait for those that are just being loaded, or swept away."""
        for module_id in module_ids:
            while (change := self._changes.get(module_id)) is not None:
                await change.wait()

    def _unloaded(self, package: ModulePackage) -> dict[str, VersionRange]:
        dependencies = package.manifest.dependencies
        return {name: needed for name, needed in dependencies.items() if name not in self.modules}

    async def _fetch(self, name: str, needed: VersionRange, needing: ModulePackage) -> ModulePackage:
        if self._source is not None:
            return await self._source.fetch_package(name, needed.text)
        raise PackageNotFoundError(
            f"Module {needing.id!r} depends on {name!r} {needed.text}, which is not loaded, and this host has no "
            f"registry: load {name!r} first, or pass ModuleHost(registry=...)",
            module=needing.id,
        )

    # --- versions --------------------------------------------------------------------------------------------------

    def _check_fit(self, packages: Iterable[ModulePackage], found: Mapping[str, ModulePackage] | None = None) -> None:
        """Make sure that what packages ask for is loaded, or found, in versions that they take."""
        for package in packages:
            for name, needed in package.manifest.dependencies.items():
                handle = self.modules.get(name)
                there = handle.version if handle is not None else found[name].version if found and name in found else ""
                if there and not needed.matches(there):
                    state = "is loaded already" if handle is not None else "was found for others"
                    raise _conflict(package, name, needed, f"{there} {state}")

    def _check_users(self, package: ModulePackage) -> None:
        """Make sure that a version that is to be loaded fits those that need the module."""
        for handle in self.modules.values():
            needed = handle.manifest.dependencies.get(package.id)
            if needed is not None and not needed.matches(package.version):
                raise _conflict(handle.package, package.id, needed, f"{package.version} was to be loaded")

    # --- the end ---------------------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Unload what was loaded for others that are gone, those that need others first."""
        for module_id in reversed(list(self.modules)):
            handle = self.modules.get(module_id)
            is_idle = module_id in self._automatic and module_id not in self._changes
            if handle is not None and is_idle and module_id not in self._needed():  # others came while one ended
                with self._changing(module_id):
                    await handle.unload()

    def forget(self, module_id: str) -> None:
        """Strike a module that has ended off the roster."""
        self.modules.pop(module_id, None)
        self._automatic.discard(module_id)

    def _needed(self) -> set[str]:
        """Collect whatever is reached from a module that was asked for, or from one that is being loaded."""
        needed: set[str] = set()
        roots = [handle.package for name, handle in self.modules.items() if name not in self._automatic]
        waiting = [*roots, *self._held]
        while waiting:
            for name in waiting.pop().manifest.dependencies:
                if name not in needed:
                    needed.add(name)
                    if name in self.modules:
                        waiting.append(self.modules[name].package)
        return needed

    def _users(self, module_id: str) -> set[str]:
        return {name for name, handle in self.modules.items() if module_id in handle.manifest.dependencies}


def _conflict(package: ModulePackage, name: str, needed: VersionRange, there: str) -> ResolutionError:
    return ResolutionError(
        f"Module {package.id!r} {package.version} depends on {name!r} {needed.text}, and {there}: a host runs one "
        f"version of a module; unload {name!r} and those that need it, or take a version of {package.id!r} that fits",
        module=package.id,
        requirements=[(f"{package.id} {package.version}", name, needed.text)],
    )
