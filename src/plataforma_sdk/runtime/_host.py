"""`ModuleHost`: one trust domain that loads modules and gives them what they may have."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.events import EventBus
from plataforma_sdk.plugins import make_plugin_manager
from plataforma_sdk.runtime._engines import HostEngines
from plataforma_sdk.runtime._handle import ModuleHandle
from plataforma_sdk.runtime._loader import LoadTarget, PackageSource, check_tier, package_of
from plataforma_sdk.runtime._loads import ModuleLoads
from plataforma_sdk.runtime._observers import Observers
from plataforma_sdk.runtime._parts import HostParts
from plataforma_sdk.runtime._restore import RestoreSource, read_source
from plataforma_sdk.runtime._roster import Roster
from plataforma_sdk.runtime._setups import SetupFactory
from plataforma_sdk.runtime._sources import open_source
from plataforma_sdk.runtime._state import HostState
from plataforma_sdk.runtime._stats import HostStats
from plataforma_sdk.runtime._telemetry import HostTelemetry
from plataforma_sdk.runtime._tracing import tracing_observer
from plataforma_sdk.runtime._wiring import ServiceFactory
from plataforma_sdk.sandbox import Engine, ResourceLimits
from plataforma_sdk.types import Clock, SystemClock
from plataforma_sdk.windows import WindowManager

if TYPE_CHECKING:
    from plataforma_sdk.api import Transport
    from plataforma_sdk.manifest import Manifest
    from plataforma_sdk.permissions import PermissionManager, Prompt
    from plataforma_sdk.registry import RegistryBackend
    from plataforma_sdk.runtime._decisions import DecisionStore
    from plataforma_sdk.runtime._handle import ModuleHandle
    from plataforma_sdk.sandbox.wasm import Journal
    from plataforma_sdk.services import Clipboard, Database, NotificationCenter

__all__ = ["ModuleHost"]

T = TypeVar("T")

MAX_SUBSCRIPTIONS = 64
"""Of one module: each gets its own copy of a payload, made while the emitter waits."""


class ModuleHost:
    """Loads modules and gives them what they may have. One host is one trust domain: a tenant, or a person.

    Hosts are cheap and do not know of each other; compiled engines are shared in the process. Use it in the loop
    that entered it; `submit` is the door for other threads.

    Args:
        engine: the tier of modules that are loaded without one: ``"wasm"``, ``"restricted"``, ``"trusted"``, a name
            that a plugin serves, or an `Engine`.
        subject: whose decisions these are.
        state_dir: where decisions, the audit log and storage are kept; None keeps them in memory.
        registry: where ``load("id@range")`` finds packages: a path or an address (see `open_backend`), a
            `ModuleRegistry`, or a `PackageSource`. What the host opens itself, it closes.
        grants: permissions that every module holds, as far as it declares them.
        prompt: asks a person; None refuses.
        api: what `api_call` reaches: an ASGI application, a `Transport`, or a base URL (extra ``http``).
        api_auth: attaches credentials to requests, which the module never sees.
        database: what `query` and `execute` reach: a path to SQLite, or a `Database`.
        limits: what each module may use.
        plugins: objects with hooks, beside the installed ones.
        locale: BCP 47 tag of the person's language.
        config: module id -> values for its ``[config]``.
        clipboard: the person's clipboard; a private one in memory by default.
        record: let undeclared permissions be asked for, to find out what a module needs.
        clock: where time comes from.
        isolation: ``"process"`` runs each module of `restricted` in a worker process of its own; other tiers do not
            change. None and ``"none"`` run it in the host's.
        park_after_s: put the memory of modules away that did nothing for so many seconds, or up to twice as many; see
            `ModuleHandle.park`. None, the default, never does: a parked module's next call takes 20 ms longer, so it is
            for hosts of many modules, most of which sleep.
        permission_manager: makes each module's permissions, with the arguments of `PermissionManager`; a test kit's
            keep account of every check.

    >>> import asyncio
    >>> from plataforma_sdk import ModuleFramework, ModuleHost, ui
    >>> class Hello(ModuleFramework):
    ...     async def on_load(self): self.log("info", "here")
    ...     def render(self): return ui.text("Hello")
    >>> async def main():
    ...     async with ModuleHost(engine="trusted") as host:
    ...         hello = await host.load(Hello)
    ...         return (await hello.render())["props"]["value"]
    >>> asyncio.run(main())
    'Hello'
    """

    def __init__(
        self,
        *,
        engine: str | Engine = "wasm",
        subject: str = "default",
        state_dir: str | os.PathLike[str] | None = None,
        registry: PackageSource | RegistryBackend | str | os.PathLike[str] | None = None,
        grants: Iterable[str] = (),
        prompt: Prompt | None = None,
        api: Transport | Callable[..., Awaitable[None]] | str | None = None,
        api_auth: Callable[..., Any] | None = None,
        database: str | os.PathLike[str] | Database | None = None,
        limits: ResourceLimits | None = None,
        plugins: Iterable[object] = (),
        locale: str = "en",
        config: Mapping[str, Mapping[str, Any]] | None = None,
        clipboard: Clipboard | None = None,
        record: bool = False,
        clock: Clock | None = None,
        isolation: str | None = None,
        park_after_s: float | None = None,
        permission_manager: Callable[..., PermissionManager] | None = None,
    ) -> None:
        if park_after_s is not None and park_after_s <= 0:
            raise ValueError(f"park_after_s is above 0, not {park_after_s!r}; None never parks")
        self.subject = subject
        self.locale = locale
        clock, hooks = clock or SystemClock(), make_plugin_manager(plugins)
        self._engines = HostEngines(engine, isolation, hooks)
        directory = Path(state_dir).expanduser() if state_dir is not None else None
        self.registry, self._owned_registry = open_source(registry, plugins, directory)
        make_manager = {} if permission_manager is None else {"make_manager": permission_manager}
        self._state = HostState(directory, subject=subject, clock=clock, prompt=prompt, **make_manager)
        self._factory = ServiceFactory(
            api=api,
            api_auth=api_auth,
            database=database,
            clipboard=clipboard,
            storage_dir=self._state.storage_dir,
            subject=subject,
            on_endpoint_error=lambda module, error: self._parts.report(module, "an endpoint", error),
        )
        tracing = tracing_observer()
        watching = hooks.hook.plataforma_call_observer(subject=subject)
        observers = [found for found in (tracing, *watching) if found is not None]
        self._telemetry = HostTelemetry(subject, clock, Observers(observers))
        self._parts = HostParts(
            events=EventBus(max_subscriptions=MAX_SUBSCRIPTIONS, log=self._telemetry.log_event_fault),
            windows=WindowManager(),
            endpoints=self._factory.endpoints,
            notifications=self._factory.notifications,
            clipboard=self._factory.clipboard,
            clock=clock,
            telemetry_of=self._telemetry.of,
        )
        self._setups = SetupFactory(
            state=self._state,
            registry=self.registry,
            services=self._factory,
            telemetry=self._telemetry,
            tracing=tracing,
            plugins=hooks,
            clock=clock,
            grants=tuple(grants),
            record=record,
            limits=limits or ResourceLimits(),
            config=dict(config or {}),
            park_after_s=park_after_s,
            locale=locale,
        )
        self._roster = Roster(self.registry)
        self._loads = ModuleLoads(
            roster=self._roster,
            setups=self._setups,
            state=self._state,
            parts=self._parts,
            telemetry=self._telemetry,
            check_use=self._check_use,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closing = False
        self._pid = os.getpid()

    # --- the rooms -------------------------------------------------------------------------------------------------

    @property
    def events(self) -> EventBus:
        """The bus: `emit`, `subscribe`, `request`."""
        return self._parts.events

    @property
    def windows(self) -> WindowManager:
        """All open windows."""
        return self._parts.windows

    @property
    def notifications(self) -> NotificationCenter:
        """What modules wanted the person to know."""
        return self._parts.notifications

    @property
    def modules(self) -> Mapping[str, ModuleHandle]:
        """Loaded modules by id, in the order of their loads: what others need before these."""
        return MappingProxyType(self._roster.modules)

    def manifest_of(self, module_id: str) -> Manifest | None:
        """Return the manifest of a module that is loaded, or that is being loaded and perhaps asks a person."""
        return self._roster.manifest_of(module_id)

    @property
    def prompt(self) -> Prompt | None:
        """Who asks a person; whom a host sets here is asked from now on, for modules that are loaded already too.

        A question that stands open stays with whom it was put to.
        """
        return self._state.prompt

    @prompt.setter
    def prompt(self, prompt: Prompt | None) -> None:
        self._state.prompt = prompt

    @property
    def decisions(self) -> DecisionStore:
        """What people have decided for ever, about modules that are not loaded too.

        Raises:
            ModuleStateError: the host is not entered.
        """
        store = self._state.decisions
        if store is None:
            raise ModuleStateError("The host is not entered: 'async with ModuleHost(...) as host'")
        return store

    def stats(self) -> HostStats:
        """Write down what became of the modules: calls, failures, durations, denials, restarts, use, events."""
        return self._telemetry.stats(list(self.modules.values()))

    # --- lifecycle -------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._is_closing = False
        self._state.open()
        await self._factory.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Unload every module and free everything; a second call does nothing."""
        self._is_closing = True
        for handle in reversed(list(self.modules.values())):
            await handle.unload()
        await self.events.aclose()
        await self._factory.close()
        await self._engines.close()
        self._state.close()
        if self._owned_registry is not None:
            await self._owned_registry.aclose()
        self._loop = None

    async def load(
        self,
        target: LoadTarget,
        *,
        engine: str | Engine | None = None,
        grants: Iterable[str] | None = None,
        limits: ResourceLimits | None = None,
        isolation: str | None = None,
        seed: int | None = None,
        record: str | os.PathLike[str] | Journal | None = None,
    ) -> ModuleHandle:
        """Load a module and run its `on_load`; before it, what its manifest names under ``[dependencies]``.

        A dependency that is loaded already is shared. One that is not comes from the registry, whatever the module
        itself comes from, runs in the same tier, and holds the host's grants and limits, never those given here. It is
        unloaded with the last module that needs it, unless it was loaded by itself before.

        Args:
            target: ``"id@range"``, a path (a directory, ``.zip`` or ``.wasm``), a `ModulePackage`, or, with
                ``engine="trusted"``, a `ModuleFramework` subclass.
            engine: its tier; the host's by default. The manifest may exclude tiers, never choose one.
            grants: permissions it holds beside the host's, as far as it declares them.
            limits: in place of the host's; the manifest may lower them.
            isolation: ``"none"`` or ``"process"``; the host's by default, where the tier is `restricted`.
            seed: seed of the module's random numbers, so that a run can be repeated; None takes fresh entropy.
            record: a path, or a `Journal`, where what goes into the module and comes out is recorded, for
                ``plataforma replay`` and `restore`; in the tier ``wasm``. It holds whatever the module sees.

        Raises:
            SandboxError: no such engine or isolation, or it does not run here.
            ManifestError: the package has faults; all of them are listed.
            PermissionDeniedError: a required permission is refused, or there is nobody to ask.
            ModuleStateError: a module of this id is loaded already.
            PackageNotFoundError: it, or what it depends on, is not there.
            ResolutionError: what it depends on is loaded in a version that does not fit, or none fits.
            ModuleLoadError: the tier is excluded, or the package holds nothing that it can run.
            PolicyError: the restricted tier refuses the source, with every fault.
            GuestError: the module's own code failed while it loaded.
        """
        self._check_use()
        chosen = self._engines.choose(engine, isolation)
        package = await package_of(target, self.registry, chosen)
        check_tier(package, chosen)
        self._roster.check_free(package.id)
        async with self._loads.needs_of(package, chosen):
            return await self._loads.load(
                package, chosen, target, grants=grants, limits=limits, seed=seed, record=record
            )

    async def restore(
        self,
        source: RestoreSource,
        *,
        engine: str | Engine | None = None,
        grants: Iterable[str] | None = None,
        limits: ResourceLimits | None = None,
        record: str | os.PathLike[str] | Journal | None = None,
        trusted: bool = False,
    ) -> ModuleHandle:
        """Let a module go on that ran elsewhere: in a process that was killed, under another host.

        `ModuleHandle.restored_by` says how it went on. Permissions are this host's: none are in a snapshot. What the
        module had registered is registered again, as far as it may; what it awaited of its old host fails as
        ``Interrupted``.

        Args:
            source: a `Snapshot`, its file, or the journal of a module that was alive when it ended.
            engine: its tier, where it goes on by state; otherwise it is ``"wasm"``.
            grants: as for `load`.
            limits: as for `load`.
            record: as for `load`; where it goes on by replay, that journal may be given again, and is continued.
            trusted: take a memory snapshot that this host's `state_dir` did not make: whoever wrote it has decided
                all that the module will do.

        Raises:
            IntegrityError: it is no snapshot or journal, is damaged, or does not run again to what it holds.
            StaleRunnerError: it is of another guest runner.
            ModuleStateError: a module of this id is loaded, or the module was not alive.
            PermissionDeniedError, SandboxError, ManifestError: as `load`.
        """
        self._check_use()
        found = await read_source(source, key=self._state.seal_key(), trusted=trusted)
        chosen = self._engines.choose(engine if found.by == "state" else "wasm", None)
        package = found.package
        check_tier(package, chosen)
        self._roster.check_free(package.id)
        async with self._loads.needs_of(package, chosen):
            return await self._loads.restore(found, chosen, grants=grants, limits=limits, record=record)

    async def unload(self, module_id: str) -> None:
        """End a module; one that is not loaded is left alone."""
        handle = self.modules.get(module_id)
        if handle is not None:
            await handle.unload()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine in the host's loop from another thread: the thread-safe door.

        Raises:
            ModuleStateError: the host is not entered.

        >>> # future = host.submit(handle.call("total")); future.result(timeout=5)
        """
        if self._loop is None:
            coroutine.close()
            raise ModuleStateError("The host is not entered: 'async with ModuleHost(...) as host'")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    # --- steps of a load -------------------------------------------------------------------------------------------

    def _check_use(self) -> None:
        if os.getpid() != self._pid:
            raise ModuleStateError("This host was made before a fork; make one in each process")
        if self._loop is None or self._is_closing:
            raise ModuleStateError("The host is not entered, or closed: 'async with ModuleHost(...) as host'")
