"""One loaded module from load to unload: its instances, its session, its windows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk import ui
from plataforma_sdk.errors import ModuleStateError, PlataformaError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.runtime._frames import WindowFrames
from plataforma_sdk.runtime._launch import Launched, ModuleSetup, launch
from plataforma_sdk.runtime._leaks import Leak, LeakReport
from plataforma_sdk.runtime._loader import check_tier
from plataforma_sdk.runtime._parking import IdleParking
from plataforma_sdk.runtime._successor import make_successor
from plataforma_sdk.sandbox import Parkable, Supervisor
from plataforma_sdk.services import StagedStorage
from plataforma_sdk.types import Subscription

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.runtime._parts import HostParts
    from plataforma_sdk.runtime._restore import Restoration
    from plataforma_sdk.sandbox import Instance, ResourceLimits
    from plataforma_sdk.sandbox.wasm import Resumption
    from plataforma_sdk.windows import UiEvent, Window

__all__ = ["LiveModule"]

UNLOAD_DEADLINE_S: Final = 2.0
_LOG: Final = logger_of("plataforma_sdk.runtime")


class LiveModule:
    """A module between load and unload."""

    def __init__(
        self,
        package: ModulePackage,
        setup: ModuleSetup,
        parts: HostParts,
        *,
        upgrade_from: str | None = None,
        restoration: Restoration | None = None,
        on_unloaded: Callable[[], None] = lambda: None,
        after_unload: Callable[[], Awaitable[None]],
    ) -> None:
        self.package = package
        self.parts = parts
        self.permissions = setup.permissions
        self.engine = setup.engine
        self.monitor = setup.monitor
        self.telemetry = setup.telemetry
        self.monitor.on_exceeded = self.telemetry.on_quota
        self.setup = setup
        self.services = setup.services(package, setup.permissions, None)
        self._upgrade_from = upgrade_from
        self._restoration = restoration
        self.restored_by = restoration.by if restoration is not None else None
        self._on_unloaded = on_unloaded
        self._after_unload = after_unload
        self.report = LeakReport(parts.events)
        self._supervisor = Supervisor(
            package.id, self._launch, restart=package.manifest.restart, clock=parts.clock, on_failed=self._on_failed
        )
        self._current: Launched | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._frames = WindowFrames(package.id, parts, self.render)
        self._last_stream = 0
        self._changed = "restarted"
        self._idle = IdleParking(setup.park_after_s, lambda: self.monitor.usage.fuel, self.park)

    # --- state -----------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The module's id."""
        return self.package.id

    @property
    def state(self) -> str:
        """loading, active, reloading, failed or unloaded."""
        return "reloading" if self._reloading is not None else self._supervisor.state

    @property
    def is_parked(self) -> bool:
        """Whether it is active, and its memory is put away until the next call, event or answer."""
        instance = self._supervisor.instance
        return self.state == "active" and isinstance(instance, Parkable) and instance.is_parked

    async def park(self, quiet_s: float | None = None) -> bool:
        """Put its memory away; return whether it is; see `Parkable`."""
        instance = self._supervisor.instance
        if self.state != "active" or self._unloading is not None or not isinstance(instance, Parkable):
            return False
        return await instance.park(quiet_s=quiet_s)

    @property
    def restarts(self) -> int:
        """How many times the instance was replaced."""
        return self._supervisor.restarts

    def leaks(self) -> list[Leak]:
        """Return what outlived an instance, and what the live one piles up."""
        return [*self.report.leaks(), *([] if self._current is None else self._current.session.ledger.piles())]

    def registrations(self) -> list[tuple[str, list[Any]]]:
        """Return the calls that would register again what the module has registered."""
        return [] if self._current is None else self._current.session.registrations.calls()

    @property
    def instance(self) -> Instance | None:
        """The instance in place, if there is one."""
        return self._supervisor.instance

    async def start(self) -> None:
        """Launch the first instance."""
        try:
            await self._supervisor.start()
        except BaseException:
            await self.services.close()
            raise
        self.setup.on_version(self.package)
        self._idle.start()
        self._announce("loaded")

    def _on_failed(self) -> None:
        """Dispose of what a module that failed for good had registered; its timers would only fail again."""
        if self._current is not None:
            self._current.session.dispose()
            self._current.proxy.close()
        self._announce("failed")

    def _announce(self, what: str) -> None:
        self.telemetry.on_state(what, self.package.version)
        self._emit(what)

    def _emit(self, what: str) -> None:
        self.parts.events.emit(f"plataforma.module.{what}", {"module": self.id, "version": self.package.version})

    # --- calls -----------------------------------------------------------------------------------------------------

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; afterwards its windows are dirty."""
        self.monitor.begin_call()
        call = self.telemetry.begin(function)
        error: BaseException | None = None
        current = self._current
        try:
            return await self._supervisor.call(function, *args, **kwargs)
        except BaseException as caught:
            error = self._said(caught, current)
            if error is caught:
                raise
            raise error from None
        finally:
            self.telemetry.end(call, error)
            error = None  # no cycle with the frame
            self.mark_dirty()

    def _said(self, error: BaseException, current: Launched | None) -> BaseException:
        """Return what a call says that began with the instance `current`: one that a reload cut off may come again."""
        was_replaced = current is not self._current or self._supervisor.instance is None
        if not (
            was_replaced
            and self._unloading is None
            and isinstance(error, ModuleStateError)
            and error.state == "unloaded"
        ):
            return error
        message = f"Module {self.id!r} was {self._changed} while this call ran: call again"
        return ModuleStateError(message, module=self.id, state="reloading")

    async def stream(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncGenerator[Any, None]:
        """Read what a method yields, an item for each call."""
        self._last_stream += 1
        number = f"{self._last_stream}"
        await self.call("@stream", number, method, list(args), kwargs)
        is_open = True
        try:
            while items := await self.call("@next", number):
                yield items[0]
            is_open = False
        except PlataformaError:
            is_open = False
            raise
        finally:
            if is_open and self.state == "active":
                await self.call("@close", number)

    async def render(self, window_id: str, *, session: str = "default") -> dict[str, Any]:
        """Render a window, check the tree and remember that it was sent to the session."""
        with self.telemetry.measured("@render"):
            tree = await self._supervisor.call("@render", window_id)
        tree = ui.validate_tree(tree, max_nodes=self.monitor.limits.max_tree_nodes)
        window = self.parts.windows.find(self.id, window_id)
        if window is not None:
            self.parts.windows.show(self.id, window_id, tree, session=session)
        return tree

    async def dispatch(self, event: UiEvent, *, session: str) -> None:
        """Check what a person did against what was sent, then hand it over."""
        found = self.parts.windows.accept(self.id, event, session=session)
        await self.call("@ui", event.window_id, found.handler, list(found.arguments), found.has_value, found.value)

    # --- windows ---------------------------------------------------------------------------------------------------

    async def close_window(self, window_id: str) -> None:
        """Close a window in the person's name, and tell the module."""
        if self.parts.windows.find(self.id, window_id) is not None:
            self.parts.windows.close(self.id, window_id)
            if self._current is not None:
                self._current.session.registrations.note("windows.close", [window_id])
            await self.call("@closed", window_id)

    def watch(self, show: Callable[[Window], object]) -> Subscription:
        """Pass every window to `show` now and whenever it changes."""
        subscription = self._frames.watch(show)
        self.mark_dirty()
        return subscription

    def mark_dirty(self) -> None:
        """Render the windows anew at the next frame, where somebody watches."""
        self._frames.mark_dirty(is_active=self.state == "active")

    # --- instances -------------------------------------------------------------------------------------------------

    async def _launch(self, attach: Callable[[Instance], None]) -> Instance:
        """Make the first instance, or a fresh one in place of one that has ended."""
        if self._supervisor.state == "loading":
            return await self._launch_now(attach)
        self.telemetry.on_restart()
        if self._current is not None:
            self.report.add(await self._current.dispose())
        instance = await self._launch_now(attach)
        self._emit("restarted")
        self.mark_dirty()
        return instance

    async def _launch_now(self, attach: Callable[[Instance], None]) -> Instance:
        restoration, self._restoration = self._restoration, None
        resumption = None if restoration is None else restoration.resumption
        staged = StagedStorage(self.services.storage) if self._upgrade_from is not None else None
        launched = await launch(
            self.setup,
            self.parts,
            self.call,
            package=self.package,
            permissions=self.permissions,
            services=self.services,
            storage=staged,
            on_pile=self.report.tell,
            on_dirty=self.mark_dirty,
            resumption=resumption,
        )
        self._current = launched
        self.monitor.limits = launched.limits
        attach(launched.instance)
        if resumption is not None:
            self._go_on(resumption, launched)
            return launched.instance
        try:
            if self._upgrade_from is not None:
                await launched.instance.call("@upgrade", self._upgrade_from)
            await launched.instance.call("@load")
            if restoration is not None:
                await launched.instance.call("@resume", restoration.state)
            if staged is not None:
                await staged.commit()
            self._upgrade_from = None
        except BaseException:
            self._current = None
            await launched.dispose()
            raise
        return launched.instance

    def _go_on(self, resumption: Resumption, launched: Launched) -> None:
        """Register again what a guest from elsewhere had registered there, as far as it may here, and let it run."""
        self._upgrade_from = None
        self._last_stream = resumption.left.last_call  # no fewer than the streams that it had opened
        for method, args in resumption.registrations:
            try:
                launched.proxy.call_now(method, args)
            except PlataformaError as error:
                self.parts.report(self.id, f"{method}, which it had done before it was restored", error)
        resumption.begin()

    async def restart(self) -> None:
        """Put a fresh instance in place of the one that runs, which ends where it stands."""
        self._check_change("restart")
        self._changed = "restarted"
        await self._supervisor.replace()

    def take_limits(self, setup: ModuleSetup) -> ResourceLimits:
        """Let the soft limits of a setup hold at once; the hard ones wait for the next instance."""
        self.setup, limits = setup, setup.limits_of(self.package)
        self.monitor.limits = self.monitor.limits.with_soft(limits)
        return limits

    # --- reload ----------------------------------------------------------------------------------------------------

    async def reload(self, package: ModulePackage | None) -> None:
        """Load a new instance beside the old one and let it take over; if it fails, the old one stays."""
        self._check_change("reload")
        if package is None:
            package = await self.setup.reread() if self.setup.reread else self.package
            self._check_change("reload")
        if package.id != self.id:
            raise ModuleStateError(f"Module {self.id!r} cannot become {package.id!r}: load that one", module=self.id)
        check_tier(package, self.engine)
        async with self.setup.needs_of(package):
            self._check_change("reload")
            await self._replace(package)

    async def _replace(self, package: ModulePackage) -> None:
        task = self._reloading = asyncio.create_task(self._reload(package), name=f"plataforma-reload-{self.id}")
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise
        finally:
            self._reloading = None
        if task.cancelled():
            raise ModuleStateError(f"Module {self.id!r} was unloaded while it reloaded", module=self.id)
        task.result()
        self.mark_dirty()  # what took over was not active while it did

    def _check_change(self, change: str) -> None:
        if self.state not in ("active", "failed") or self._unloading is not None:
            raise ModuleStateError(f"Module {self.id!r} is {self.state}; it cannot {change} now", module=self.id)

    async def _reload(self, package: ModulePackage) -> None:
        old = self._take_over(await make_successor(self, package))
        if old is not None:
            try:
                await self._say_goodbye(old.instance)
            finally:
                self.report.add(await old.dispose())

    def _take_over(self, launched: Launched) -> Launched | None:
        """Put the new version in place of the old one, at once: nothing here waits."""
        old, self._current, self._changed = self._current, launched, "reloaded"
        self._supervisor.adopt(launched.instance)
        self._supervisor.restart = launched.package.manifest.restart
        if launched.permissions is not self.permissions:
            self.setup.shed(self.permissions)
        self.package, self.permissions, self.services = launched.package, launched.permissions, launched.services
        self.permissions.redeclare(launched.package.manifest.permissions.declared)
        self.monitor.limits = launched.limits
        if old is not None:
            old.session.dispose()
        launched.session.commit()
        self.setup.on_version(launched.package)
        self._announce("reloaded")
        self.mark_dirty()
        return old

    # --- unload ----------------------------------------------------------------------------------------------------

    async def unload(self, *, at_once: bool = False) -> None:
        """Dispose of everything; a call while that is under way waits for it, a later one does nothing."""
        if self._supervisor.state == "unloaded":
            return
        if self._unloading is None:
            self._unloading = asyncio.create_task(self._unload(at_once=at_once), name=f"plataforma-unload-{self.id}")
        await asyncio.shield(self._unloading)

    async def _unload(self, *, at_once: bool) -> None:
        self._idle.stop()
        if self._reloading is not None:
            self._reloading.cancel()
            await asyncio.wait([self._reloading])
        current, self._current = self._current, None
        has_goodbye = self._supervisor.state == "active" and not at_once
        if current is not None:
            current.session.dispose()
            if has_goodbye:
                await self._say_goodbye(current.instance)
            current.proxy.close()
        await self._supervisor.close()
        if current is not None:
            self.report.add(await current.dispose())
        self._frames.close()
        self.parts.events.unsubscribe_owner(self.id)
        self.parts.windows.dispose(self.id)
        self.parts.endpoints.dispose(self.id)
        await self.services.close()
        self._on_unloaded()
        self._announce("unloaded")
        await self._after_unload()

    async def _say_goodbye(self, instance: Instance) -> None:
        if instance.is_poisoned:
            return
        try:
            async with asyncio.timeout(UNLOAD_DEADLINE_S):
                await instance.call("@unload")
        except TimeoutError:
            _LOG.warning("on_unload of module %r took more than %s s", self.id, UNLOAD_DEADLINE_S)
        except PlataformaError as error:
            self.parts.report(self.id, "on_unload", error)
