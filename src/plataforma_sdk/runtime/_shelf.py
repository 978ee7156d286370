"""The modules of one host: those that are loaded, and those that are being loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.runtime._handle import ModuleHandle
from plataforma_sdk.runtime._live import LiveModule

if TYPE_CHECKING:
    from plataforma_sdk.manifest import Manifest
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.runtime._launch import ModuleSetup
    from plataforma_sdk.runtime._parts import HostParts
    from plataforma_sdk.runtime._restore import Restoration
    from plataforma_sdk.runtime._state import HostState
    from plataforma_sdk.runtime._telemetry import HostTelemetry

__all__ = ["ModuleShelf"]


class ModuleShelf:
    """Holds one module for each id, from the beginning of its load to the end of its unload.

    Attributes:
        handles: loaded modules by id.
    """

    def __init__(self, parts: HostParts, state: HostState, telemetry: HostTelemetry) -> None:
        self.handles: dict[str, ModuleHandle] = {}
        self._loading: dict[str, ModulePackage] = {}
        self._parts = parts
        self._state = state
        self._telemetry = telemetry

    def manifest_of(self, module_id: str) -> Manifest | None:
        """Return the manifest of a module that is loaded, or being loaded."""
        handle = self.handles.get(module_id)
        if handle is not None:
            return handle.manifest
        loading = self._loading.get(module_id)
        return None if loading is None else loading.manifest

    @contextlib.contextmanager
    def reserve(self, package: ModulePackage) -> Iterator[None]:
        """Keep the id for this load.

        Raises:
            ModuleStateError: there is a module of this id.
        """
        module_id = package.id
        if module_id in self.handles or module_id in self._loading:
            raise ModuleStateError(
                f"Module {module_id!r} is loaded already: reload() it, or unload() it first", module=module_id
            )
        self._loading[module_id] = package
        try:
            yield
        finally:
            del self._loading[module_id]

    @contextlib.contextmanager
    def drop_where_it_fails(self, setup: ModuleSetup) -> Iterator[None]:
        """Count what a refused module was refused, and keep nothing else of it."""
        try:
            yield
        except BaseException:
            self._telemetry.on_unloaded(setup.telemetry)
            self._state.detach(setup.telemetry.info.id)
            raise

    async def start(
        self, package: ModulePackage, setup: ModuleSetup, restoration: Restoration | None = None
    ) -> ModuleHandle:
        """Launch a module; from now on it is loaded, until it is unloaded."""
        module_id = package.id

        def forget() -> None:
            self.handles.pop(module_id, None)
            self._telemetry.on_unloaded(setup.telemetry)
            self._state.detach(module_id)
            if setup.journal is not None:
                setup.journal.close()

        live = LiveModule(
            package,
            setup,
            self._parts,
            upgrade_from=self._state.older_version(package),
            restoration=restoration,
            on_unloaded=forget,
        )
        handle = self.handles[module_id] = ModuleHandle(live)
        try:
            await live.start()
            self._telemetry.on_loaded(setup.telemetry)
        except BaseException:
            forget()
            raise
        return handle
