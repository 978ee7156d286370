"""One instance of a module: how it is to run, what belongs to it, and how it is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import attrs

from plataforma_sdk.errors import ModuleLoadError, PermissionDeniedError
from plataforma_sdk.runtime._leaks import Leak, Suspect
from plataforma_sdk.runtime._noted import noted
from plataforma_sdk.runtime._session import ModuleSession
from plataforma_sdk.runtime._tracing import TracedProxy
from plataforma_sdk.sandbox import ApiProxy, EngineContext, Lingering, ResourceMonitor

if TYPE_CHECKING:
    from plataforma_sdk.module import ModuleFramework
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.runtime._parts import HostParts, ModuleServices
    from plataforma_sdk.runtime._telemetry import ModuleTelemetry
    from plataforma_sdk.runtime._tracing import TracingObserver
    from plataforma_sdk.sandbox import Engine, Instance, ResourceLimits
    from plataforma_sdk.sandbox.wasm import Journal, Resumption
    from plataforma_sdk.services import KeyValueStorage, StagedStorage

__all__ = ["Launched", "ModuleSetup", "launch", "require_declared"]


@attrs.frozen(kw_only=True)
class ModuleSetup:
    """How a module is to run; the same for all its instances.

    Attributes:
        engine: runs it.
        permissions: what it may do.
        monitor: its meters and limits.
        telemetry: its counts and records.
        config: the host's values for its ``[config]``.
        locale: BCP 47 tag.
        seed: seed of its random numbers, or None.
        journal: where what crosses is recorded, or None.
        seal_key: returns the key that snapshots are sealed with.
        park_after_s: seconds without work after which it is parked, or None.
        reread: reads its package again, for a reload; None where there is nothing to read again.
        limits: what the host gives, before the manifest lowers it.
        lowered: what a person has lowered further, name -> value.
        cls: the class, where the host loads one that it already holds.
        grown: makes permissions for a version that declares more, as a fresh load would.
        shed: lets go of permissions that `grown` made, or that it replaced.
        services: makes the services of a version, with the storage that the module has.
        on_version: called when a version has loaded.
        tracing: makes spans of what it asks of its host, or None.
        extra_services: services of plugins, method -> what serves it.
        needs_of: has what a version depends on loaded, while the block lasts.
    """

    engine: Engine
    permissions: PermissionManager
    monitor: ResourceMonitor
    telemetry: ModuleTelemetry
    config: Mapping[str, Any]
    limits: ResourceLimits
    grown: Callable[[ModulePackage], PermissionManager]
    shed: Callable[[PermissionManager], None] = lambda _: None
    services: Callable[[ModulePackage, PermissionManager, KeyValueStorage | None], ModuleServices]
    locale: str = "en"
    seed: int | None = None
    journal: Journal | None = None
    seal_key: Callable[[], bytes] = lambda: b""
    park_after_s: float | None = None
    reread: Callable[[], Awaitable[ModulePackage]] | None = None
    cls: type[ModuleFramework] | None = None
    on_version: Callable[[ModulePackage], None] = lambda _: None
    tracing: TracingObserver | None = None
    extra_services: Mapping[str, Callable[..., Any]] = attrs.field(factory=dict)
    needs_of: Callable[[ModulePackage], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
    lowered: Mapping[str, int] = attrs.field(factory=dict)

    def host_limits(self, package: ModulePackage) -> ResourceLimits:
        """Return what the host gives, lowered by a version's manifest."""
        return self.limits.lowered_by(package.manifest.limits)

    def limits_of(self, package: ModulePackage) -> ResourceLimits:
        """Return what an instance of a version may use."""
        return self.host_limits(package).lowered_by(self.lowered)

    def with_limits(self, changes: Mapping[str, Any]) -> ModuleSetup:
        """Return one with other limits of the host."""
        return attrs.evolve(self, limits=attrs.evolve(self.limits, **changes))

    def with_lowered(self, changes: Mapping[str, Any], package: ModulePackage) -> ModuleSetup:
        """Return one where more, or less, is lowered; None takes a lowering back."""
        lowered = {name: value for name, value in {**self.lowered, **changes}.items() if value is not None}
        attrs.evolve(self.limits, **lowered)  # raises where there is no such limit
        if "max_fuel" in lowered and self.host_limits(package).max_fuel is None:
            raise ValueError("max_fuel is the engine's own here, so what would be less is not known: use set_limits")
        return attrs.evolve(self, lowered=lowered)


@attrs.frozen
class Launched:
    """One instance with what belongs to it."""

    package: ModulePackage
    permissions: PermissionManager
    services: ModuleServices
    limits: ResourceLimits
    instance: Instance
    session: ModuleSession
    proxy: ApiProxy

    async def dispose(self) -> list[Suspect]:
        """Take back what it registered, and free it; return what should be gone now."""
        self.session.dispose()
        self.proxy.close()
        await self.instance.close()
        return [*await self.session.settle(), *self._running()]

    def _running(self) -> list[Suspect]:
        """List what the module had started by itself, where its engine knows of it."""
        if not isinstance(self.instance, Lingering):
            return []
        package = self.package
        return [
            (
                Leak(module=package.id, version=package.version, kind=item.kind, name=item.name, where=item.where),
                item.is_there,
            )
            for item in self.instance.left_running()
        ]


async def launch(
    setup: ModuleSetup,
    parts: HostParts,
    call: Callable[..., Awaitable[Any]],
    *,
    package: ModulePackage,
    permissions: PermissionManager,
    services: ModuleServices,
    storage: StagedStorage | None = None,
    on_pile: Callable[[Leak], None] = lambda _: None,
    on_dirty: Callable[[], None] = lambda: None,
    is_staged: bool = False,
    resumption: Resumption | None = None,
) -> Launched:
    """Make an instance of a version of the module, behind its own proxy; `@load` is for the caller to call.

    Args:
        setup: how it is to run.
        parts: the host's rooms.
        call: what its registrations call the module by.
        package: the version.
        permissions: what that version may do.
        services: what the module has for itself.
        storage: its storage until it takes over, or None.
        on_pile: told where it registers the same again and again.
        on_dirty: told when it says that its windows show something else, which a long call does before it ends.
        is_staged: let what it registers wait for `ModuleSession.commit`.
        resumption: the guest that it takes over, or None.
    """
    limits = setup.limits_of(package)
    session = ModuleSession(
        package,
        permissions,
        parts,
        services,
        call,
        telemetry=setup.telemetry,
        storage=storage,
        on_pile=on_pile,
        on_dirty=on_dirty,
        is_staged=is_staged,
    )
    services_of_it = noted({**session.services(), **setup.extra_services}, session.registrations)
    proxy = _proxy(package.id, permissions, setup.monitor, services_of_it, setup.tracing)
    context = EngineContext(
        module_id=package.id,
        version=package.version,
        bridge=proxy,
        limits=limits,
        monitor=setup.monitor,
        config=package.manifest.config_values(setup.config),
        locale=setup.locale,
        messages=_messages(package, setup.locale),
        clock=parts.clock,
        seed=setup.seed,
        journal=setup.journal,
        resume=resumption,
    )
    if setup.cls is not None:
        instance: Instance = await setup.engine.load_class(setup.cls, context)  # type: ignore[attr-defined]
    else:
        instance = await setup.engine.load(package, context)
    return Launched(package, permissions, services, limits, instance, session, proxy)


def _proxy(
    module: str,
    permissions: PermissionManager,
    monitor: ResourceMonitor,
    services: Mapping[str, Callable[..., Any]],
    tracing: TracingObserver | None,
) -> ApiProxy:
    if tracing is None:
        return ApiProxy(module, permissions, monitor, services)
    return TracedProxy(module, permissions, monitor, services, tracing=tracing)


async def require_declared(package: ModulePackage, permissions: PermissionManager) -> None:
    """Ask for every required permission that is missing.

    Raises:
        PermissionDeniedError: one is refused, or there is nobody to ask.
    """
    for name, reason in package.manifest.permissions.required.items():
        if not await permissions.request(name, reason):
            raise PermissionDeniedError(
                name,
                module=package.id,
                reason="required, not granted",
                advice=f"grant it: host.load(..., grants=[{name!r}]), or pass ModuleHost(prompt=...) to ask a person",
            )


def _messages(package: ModulePackage, locale: str) -> Mapping[str, str]:
    """Translations of ``locales/<locale>.json``, or of the language alone: ``pt-BR``, then ``pt``."""
    import json

    for name in dict.fromkeys((locale, locale.split("-", maxsplit=1)[0])):
        raw = package.files.get(f"locales/{name}.json")
        if raw is not None:
            try:
                found = json.loads(raw)
            except (ValueError, RecursionError) as error:
                raise ModuleLoadError(
                    f"Module {package.id!r}: locales/{name}.json is no JSON: {str(error)[:200]}", module=package.id
                ) from None
            return {str(key): str(text) for key, text in found.items()} if isinstance(found, dict) else {}
    return {}
