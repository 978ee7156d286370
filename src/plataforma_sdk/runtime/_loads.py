"""Steps of a load: from a package whose dependencies are there to a module that runs."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import attrs

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.runtime._handle import ModuleHandle
from plataforma_sdk.runtime._journals import open_journal
from plataforma_sdk.runtime._launch import require_declared
from plataforma_sdk.runtime._live import LiveModule
from plataforma_sdk.runtime._loader import check_tier

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.runtime._launch import ModuleSetup
    from plataforma_sdk.runtime._loader import LoadTarget
    from plataforma_sdk.runtime._parts import HostParts
    from plataforma_sdk.runtime._restore import Restoration
    from plataforma_sdk.runtime._roster import Roster
    from plataforma_sdk.runtime._setups import SetupFactory
    from plataforma_sdk.runtime._state import HostState
    from plataforma_sdk.runtime._telemetry import HostTelemetry
    from plataforma_sdk.sandbox import Engine, ResourceLimits
    from plataforma_sdk.sandbox.wasm import Journal

__all__ = ["ModuleLoads"]


@attrs.frozen(kw_only=True)
class ModuleLoads:
    """Loads the modules of one host.

    Attributes:
        roster: who is loaded.
        setups: how a module is to run.
        state: decisions and versions.
        parts: the host's rooms.
        telemetry: counts.
        check_use: raises where the host is not entered, or closed.
    """

    roster: Roster
    setups: SetupFactory
    state: HostState
    parts: HostParts
    telemetry: HostTelemetry
    check_use: Callable[[], None]

    def needs_of(self, package: ModulePackage, engine: Engine) -> AbstractAsyncContextManager[None]:
        """Have what a module needs loaded, in its tier: it must not bring code into one that holds less back."""

        async def load(dependency: ModulePackage, asked: str) -> ModuleHandle:
            return await self.load(dependency, engine, asked)

        return self.roster.needs_of(package, load)

    async def load(
        self,
        package: ModulePackage,
        engine: Engine,
        target: LoadTarget,
        *,
        grants: Iterable[str] | None = None,
        limits: ResourceLimits | None = None,
        seed: int | None = None,
        record: str | os.PathLike[str] | Journal | None = None,
    ) -> ModuleHandle:
        """Load a module whose dependencies are there; see `ModuleHost.load`."""
        check_tier(package, engine)
        with self.roster.reserve(package):
            setup = self.setups.make(package, engine, target, grants=grants, limits=limits, seed=seed)
            with self._drop_where_it_fails(setup):
                await require_declared(package, setup.permissions)
                self.check_use()
                return await self._start(package, attrs.evolve(setup, journal=open_journal(record, engine.name)))

    async def restore(
        self,
        found: Restoration,
        engine: Engine,
        *,
        grants: Iterable[str] | None = None,
        limits: ResourceLimits | None = None,
        record: str | os.PathLike[str] | Journal | None = None,
    ) -> ModuleHandle:
        """Let a module go on from where it was; see `ModuleHost.restore`."""
        package = found.package
        with self.roster.reserve(package):
            setup = self.setups.make(package, engine, package, grants=grants, limits=limits)
            with self._drop_where_it_fails(setup):
                await require_declared(package, setup.permissions)
                setup = attrs.evolve(setup, journal=found.open_journal(record, engine.name))
                try:
                    await found.prepare(setup.limits_of(package).max_memory_bytes)
                    self.check_use()
                    return await self._start(package, setup, found)
                except BaseException:
                    found.drop()
                    if setup.journal is not None:
                        setup.journal.close()
                    raise

    @contextlib.contextmanager
    def _drop_where_it_fails(self, setup: ModuleSetup) -> Iterator[None]:
        """Count what a refused module was refused, and keep nothing else of it."""
        try:
            yield
        except BaseException:
            self.telemetry.on_unloaded(setup.telemetry)
            self.state.detach(setup.telemetry.info.id)
            raise

    async def _start(
        self, package: ModulePackage, setup: ModuleSetup, restoration: Restoration | None = None
    ) -> ModuleHandle:
        module_id = package.id

        def forget() -> None:
            self.roster.forget(module_id)
            self.telemetry.on_unloaded(setup.telemetry)
            self.state.detach(module_id)
            if setup.journal is not None:
                setup.journal.close()

        live = LiveModule(
            package,
            attrs.evolve(setup, needs_of=functools.partial(self.needs_of, engine=setup.engine)),
            self.parts,
            upgrade_from=self.state.older_version(package),
            restoration=restoration,
            on_unloaded=forget,
            after_unload=self.roster.sweep,
        )
        handle = ModuleHandle(live)
        self.roster.modules[module_id] = handle
        try:
            await live.start()
            self.telemetry.on_loaded(setup.telemetry)
        except BaseException:
            forget()
            raise
        try:
            self.check_use()
        except ModuleStateError:
            await handle.unload()
            raise ModuleStateError("The host was closed while the module loaded", module=module_id) from None
        return handle
