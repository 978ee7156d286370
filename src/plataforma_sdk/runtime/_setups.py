"""What each module of a host is given: made at its load, from what the host was made with."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime._launch import ModuleSetup
from plataforma_sdk.runtime._loader import LoadTarget, PackageSource, resolve
from plataforma_sdk.runtime._sources import source_of
from plataforma_sdk.sandbox import Engine, ResourceLimits, ResourceMonitor

if TYPE_CHECKING:
    from pluggy import PluginManager

    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.runtime._state import HostState
    from plataforma_sdk.runtime._telemetry import HostTelemetry
    from plataforma_sdk.runtime._tracing import TracingObserver
    from plataforma_sdk.runtime._wiring import ServiceFactory
    from plataforma_sdk.types import Clock

__all__ = ["SetupFactory"]


@attrs.frozen(kw_only=True)
class SetupFactory:
    """Makes the `ModuleSetup` of each load.

    Attributes:
        state: decisions, audit, storage.
        registry: where names are looked up, or None.
        services: makes what a module reaches by its host.
        telemetry: counts.
        tracing: makes spans, or None.
        plugins: hooks; those of `plataforma_services` serve further methods.
        clock: time.
        grants: what every module holds, as far as it declares it.
        record: whether undeclared permissions may be asked for.
        limits: of a module whose load names none.
        config: module id -> values.
        park_after_s: see `ModuleHost`.
        locale: BCP 47 tag.
    """

    state: HostState
    registry: PackageSource | None
    services: ServiceFactory
    telemetry: HostTelemetry
    tracing: TracingObserver | None
    plugins: PluginManager
    clock: Clock
    grants: tuple[str, ...]
    record: bool
    limits: ResourceLimits
    config: Mapping[str, Mapping[str, Any]]
    park_after_s: float | None
    locale: str

    def make(
        self,
        package: ModulePackage,
        engine: Engine,
        target: LoadTarget,
        *,
        grants: Iterable[str] | None,
        limits: ResourceLimits | None,
        seed: int | None = None,
    ) -> ModuleSetup:
        """Make that of a package, loaded from `target`; it counts from now on."""
        extra_services = self._extra_services()
        given = limits or self.limits
        monitor = ResourceMonitor(given.lowered_by(package.manifest.limits), module=package.id, clock=self.clock)
        source, granted = source_of(target, package, self.registry), (*self.grants, *(grants or ()))
        is_named = isinstance(target, (str, os.PathLike))
        telemetry = self.telemetry.module(package.id, package.version, engine.name, monitor)

        def permissions_of(version: ModulePackage) -> PermissionManager:
            return self.state.permissions(version, granted, source=source, record=self.record, tap=telemetry.on_audit)

        return ModuleSetup(
            engine=engine,
            permissions=permissions_of(package),
            monitor=monitor,
            telemetry=telemetry,
            tracing=self.tracing,
            config=self.config.get(package.id, {}),
            locale=self.locale,
            seed=seed,
            seal_key=self.state.seal_key,
            reread=functools.partial(resolve, target, self.registry) if is_named else None,
            cls=target if isinstance(target, type) else None,
            limits=given,
            park_after_s=self.park_after_s,
            grown=permissions_of,
            shed=lambda permissions: self.state.shed(package.id, permissions),
            services=lambda version, permissions, storage: self.services.make(version, permissions, monitor, storage),
            on_version=self.state.remember_version,
            extra_services=extra_services,
        )

    def _extra_services(self) -> dict[str, Callable[..., Any]]:
        services: dict[str, Callable[..., Any]] = {}
        for found in self.plugins.hook.plataforma_services():
            services.update(found or {})
        return services
