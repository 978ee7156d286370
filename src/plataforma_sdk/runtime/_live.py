"""One loaded module from load to unload: its instances, its session, its windows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk import ui
from plataforma_sdk.errors import ModuleStateError, PlataformaError
from plataforma_sdk.permissions import is_within
from plataforma_sdk.runtime._launch import Launched, ModuleSetup, launch, require_declared
from plataforma_sdk.runtime._loader import check_tier
from plataforma_sdk.runtime._parking import IdleParking
from plataforma_sdk.sandbox import Parkable, Supervisor
from plataforma_sdk.types import Subscription

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.runtime._parts import HostParts
    from plataforma_sdk.runtime._restore import Restoration
    from plataforma_sdk.sandbox import Instance
    from plataforma_sdk.sandbox.wasm import Resumption
    from plataforma_sdk.windows import UiEvent, Window

__all__ = ["LiveModule"]

UNLOAD_DEADLINE_S: Final = 2.0
FRAME_S: Final = 0.016
_LOG: Final = logging.getLogger("plataforma_sdk.runtime")


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
    ) -> None:
        self.package = package
        self.parts = parts
        self.permissions = setup.permissions
        self.engine = setup.engine
        self.monitor = setup.monitor
        self.setup = setup
        self._services = setup.services(package, setup.permissions, None)
        self._upgrade_from = upgrade_from
        self._restoration = restoration
        self.restored_by = restoration.by if restoration is not None else None
        self._on_unloaded = on_unloaded
        self._supervisor = Supervisor(
            package.id, self._launch, restart=package.manifest.restart, clock=parts.clock, on_failed=self._on_failed
        )
        self._current: Launched | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._watchers: dict[object, Callable[[Window], object]] = {}
        self._frame: asyncio.Task[None] | None = None
        self._last_stream = 0
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
        """Put its memory away; return whether it is, and leave it live where its engine cannot; see `Parkable`."""
        instance = self._supervisor.instance
        if self.state != "active" or self._unloading is not None or not isinstance(instance, Parkable):
            return False
        return await instance.park(quiet_s=quiet_s)

    @property
    def restarts(self) -> int:
        """How many times the instance was replaced."""
        return self._supervisor.restarts

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
            await self._services.close()
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
        self.parts.events.emit(f"plataforma.module.{what}", {"module": self.id, "version": self.package.version})

    # --- calls -----------------------------------------------------------------------------------------------------

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; afterwards its windows are dirty."""
        self.monitor.begin_call()
        try:
            return await self._supervisor.call(function, *args, **kwargs)
        finally:
            self._mark_dirty()

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
        key = object()
        self._watchers[key] = show
        self._mark_dirty()
        return Subscription("windows", lambda: self._watchers.pop(key, None) and None)

    def _mark_dirty(self) -> None:
        for window in self.parts.windows.of(self.id):
            window.is_dirty = True
        if self._watchers and self._frame is None and self.state == "active":
            self._frame = asyncio.create_task(self._render_frame(), name=f"plataforma-frame-{self.id}")

    async def _render_frame(self) -> None:
        await asyncio.sleep(FRAME_S)
        self._frame = None
        for window in [window for window in self.parts.windows.of(self.id) if window.is_dirty]:
            try:
                await self.render(window.id)
            except PlataformaError as error:
                self.parts.report(self.id, f"render of {window.id!r}", error)
                continue
            for show in list(self._watchers.values()):
                show(window)

    # --- instances -------------------------------------------------------------------------------------------------

    async def _launch(self, attach: Callable[[Instance], None]) -> Instance:
        """Make the first instance, or a fresh one in place of a poisoned one."""
        if self._current is not None:
            await self._current.dispose()
        restoration, self._restoration = self._restoration, None
        resumption = None if restoration is None else restoration.resumption
        launched = await launch(
            self.setup,
            self.parts,
            self.call,
            package=self.package,
            permissions=self.permissions,
            services=self._services,
            resumption=resumption,
        )
        self._current = launched
        attach(launched.instance)
        if resumption is not None:
            self._go_on(resumption, launched)
            return launched.instance
        try:
            async with self._upgrade(launched.instance, self._upgrade_from):
                await launched.instance.call("@load")
                if restoration is not None:
                    await launched.instance.call("@resume", restoration.state)
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

    # --- reload ----------------------------------------------------------------------------------------------------

    async def reload(self, package: ModulePackage | None) -> None:
        """Load a new instance beside the old one and let it take over; if it fails, the old one stays."""
        self._check_reload()
        if package is None:
            package = await self.setup.reread() if self.setup.reread else self.package
            self._check_reload()
        if package.id != self.id:
            raise ModuleStateError(f"Module {self.id!r} cannot become {package.id!r}: load that one", module=self.id)
        check_tier(package, self.engine)
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

    def _check_reload(self) -> None:
        if self.state not in ("active", "failed") or self._unloading is not None:
            raise ModuleStateError(f"Module {self.id!r} is {self.state}; it cannot reload now", module=self.id)

    async def _reload(self, package: ModulePackage) -> None:
        old = self._take_over(await self._make_successor(package))
        if old is None:
            return
        try:
            await self._say_goodbye(old.instance)
        finally:
            await old.dispose()

    async def _make_successor(self, package: ModulePackage) -> Launched:
        permissions = self._permissions_of(package)
        await require_declared(package, permissions)
        old_state = await self._old_state()
        services = self.setup.services(package, permissions, self._services.storage)
        launched = await launch(
            self.setup,
            self.parts,
            self.call,
            package=package,
            permissions=permissions,
            services=services,
            is_staged=True,
        )
        replaced = self.package.version if package.version != self.package.version else None
        try:
            async with self._upgrade(launched.instance, replaced):
                await launched.instance.call("@load")
                await launched.instance.call("@resume", old_state)
        except BaseException:
            await launched.dispose()
            raise
        return launched

    def _permissions_of(self, package: ModulePackage) -> PermissionManager:
        """Keep the permissions of a version that asks for no more; one that asks for more begins as a fresh load does.

        The old version goes on with its own until the new one takes over.
        """
        if is_within(package.manifest.permissions.declared, self.package.manifest.permissions.declared):
            return self.permissions
        return self.setup.grown(package)

    def _take_over(self, launched: Launched) -> Launched | None:
        """Put the new version in place of the old one; nothing can come in between, since nothing here waits."""
        old, self._current = self._current, launched
        self._supervisor.adopt(launched.instance)
        self._supervisor.restart = launched.package.manifest.restart
        self.package, self.permissions, self._services = launched.package, launched.permissions, launched.services
        self.permissions.redeclare(launched.package.manifest.permissions.declared)
        self.monitor.limits = launched.limits
        if old is not None:
            old.session.dispose()
        launched.session.commit()
        self.setup.on_version(launched.package)
        self._announce("reloaded")
        self._mark_dirty()
        return old

    @contextlib.asynccontextmanager
    async def _upgrade(self, instance: Instance, from_version: str | None) -> AsyncIterator[None]:
        """Run `on_upgrade` before the block; where either fails, stored data is again what the old version wrote."""
        if from_version is None:
            yield
            return
        storage = self._services.storage
        before = await storage.snapshot()
        try:
            await instance.call("@upgrade", from_version)
            yield
        except BaseException:
            await storage.restore(before)
            raise

    async def _old_state(self) -> Any:
        instance = self._supervisor.instance
        if instance is None or instance.is_poisoned:
            return None
        try:
            return await instance.call("@state")
        except PlataformaError as error:
            self.parts.report(self.id, "the hand-over of its state", error)
            return None

    # --- unload ----------------------------------------------------------------------------------------------------

    async def unload(self) -> None:
        """Dispose of everything; a call while that is under way waits for it, a later one does nothing."""
        if self._supervisor.state == "unloaded":
            return
        if self._unloading is None:
            self._unloading = asyncio.create_task(self._unload(), name=f"plataforma-unload-{self.id}")
        await asyncio.shield(self._unloading)

    async def _unload(self) -> None:
        self._idle.stop()
        if self._reloading is not None:
            self._reloading.cancel()
            await asyncio.wait([self._reloading])
        current, self._current = self._current, None
        was_active = self._supervisor.state == "active"
        if current is not None:
            current.session.dispose()
            if was_active:
                await self._say_goodbye(current.instance)
            current.session.dispose()  # what on_unload registered
            current.proxy.close()
        await self._supervisor.close()
        self._watchers.clear()
        if self._frame is not None:
            self._frame.cancel()
        self.parts.events.unsubscribe_owner(self.id)
        self.parts.windows.dispose(self.id)
        self.parts.endpoints.dispose(self.id)
        await self._services.close()
        self._on_unloaded()
        self._announce("unloaded")

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
