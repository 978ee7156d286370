"""`ModuleHandle`: a loaded module, as the host holds it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.runtime._snapshots import take_snapshot
from plataforma_sdk.runtime._stats import ModuleStats
from plataforma_sdk.runtime._telemetry import module_stats
from plataforma_sdk.sandbox import ResourceLimits, ResourceUsage
from plataforma_sdk.types import Subscription

if TYPE_CHECKING:
    from plataforma_sdk.manifest import Manifest
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.runtime._leaks import Leak
    from plataforma_sdk.runtime._live import LiveModule
    from plataforma_sdk.runtime._snapshot import Snapshot
    from plataforma_sdk.windows import UiEvent, Window

__all__ = ["ModuleHandle"]


class ModuleHandle:
    """A loaded module. Made by `ModuleHost.load`; one for each module, also through reloads and replacements."""

    def __init__(self, live: LiveModule) -> None:
        self._live = live

    def __repr__(self) -> str:
        return f"<ModuleHandle {self.id}@{self.version} {self.engine} {self.state}>"

    @property
    def id(self) -> str:
        """The module's id."""
        return self._live.package.id

    @property
    def version(self) -> str:
        """Its version."""
        return self._live.package.version

    @property
    def package(self) -> ModulePackage:
        """What it was loaded from."""
        return self._live.package

    @property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return self._live.package.manifest

    @property
    def engine(self) -> str:
        """The tier it runs in: ``"trusted"``, ``"restricted"`` or ``"wasm"``."""
        return self._live.engine.name

    @property
    def state(self) -> str:
        """loading, active, parked, reloading, failed or unloaded."""
        return "parked" if self._live.is_parked else self._live.state

    @property
    def restarts(self) -> int:
        """How many times its instance was replaced: after a hard limit or a crash, or by `restart`."""
        return self._live.restarts

    @property
    def was_replaced(self) -> bool:
        """Whether its instance was ever replaced; what it held in memory then is gone."""
        return self._live.restarts > 0

    @property
    def restored_by(self) -> str | None:
        """How it was restored: ``"memory"``, ``"state"`` or ``"replay"``; None for one that was loaded."""
        return self._live.restored_by

    @property
    def usage(self) -> ResourceUsage:
        """What it has used, and the limits that hold for the instance in place."""
        return self._live.monitor.usage

    @property
    def limits(self) -> ResourceLimits:
        """What its next instance may use: `host_limits`, or less where `lower_limits` said so."""
        return self._live.setup.limits_of(self.package)

    @property
    def host_limits(self) -> ResourceLimits:
        """What the host gives, lowered by the manifest: the most that `limits` can be."""
        return self._live.setup.host_limits(self.package)

    @property
    def stats(self) -> ModuleStats:
        """What became of its calls, and what it has used: see `ModuleHost.stats`."""
        return module_stats(self)

    @property
    def permissions(self) -> PermissionManager:
        """What it may do; grant and revoke here, the next check sees it."""
        return self._live.permissions

    @property
    def windows(self) -> Mapping[str, Window]:
        """Its open windows by id."""
        return {window.id: window for window in self._live.parts.windows.of(self.id)}

    async def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a public method of the author's class; arguments and result are copied by the codec.

        Raises:
            ModuleError: no such public method.
            GuestError: the module's own code failed.
            ResourceLimitError: a hard limit ended the call; `replaced` tells whether a fresh instance took over.
            ModuleStateError: the module has failed or is unloaded.
        """
        if method.startswith("@"):
            raise ModuleStateError(f"{method!r} is a function of the host, not a public method", module=self.id)
        return await self._live.call(method, *args, **kwargs)

    def stream(self, method: str, /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """Read what a public method yields: ``async for row in handle.stream("rows", 7)``.

        For results longer than `max_payload_bytes`, which then bounds an item, as `max_call_ms` and `max_fuel` bound
        the way to it. The method, a generator or an async generator, goes on when the next item is asked for. Close the
        stream where it is left early (`contextlib.aclosing`), so that the method's ``finally`` blocks run.

        Raises:
            ModuleError: no such public method, or it is no generator; as the first item is asked for.
            ModuleStateError: the instance was replaced meanwhile.
            GuestError, ResourceLimitError: as `call`.
        """
        if method.startswith("@"):
            raise ModuleStateError(f"{method!r} is a function of the host, not a public method", module=self.id)
        return self._live.stream(method, args, kwargs)

    async def render(self, window_id: str = "main", *, session: str = "default") -> dict[str, Any]:
        """Render a window and return its tree: ``{"type", "key", "props", "children"}``, plain data.

        A module that opened no window still renders its `render` under ``"main"``. The tree counts as sent to
        `session`, whose events are then accepted.

        Raises:
            RenderError: the view failed to give a tree.
        """
        return await self._live.render(window_id, session=session)

    async def dispatch(self, event: UiEvent, *, session: str = "default") -> None:
        """Hand over what a person did, after checking that it stands in a tree that was sent to that session.

        Raises:
            UnknownHandlerError: it does not.
        """
        await self._live.dispatch(event, session=session)

    async def close_window(self, window_id: str) -> None:
        """Close a window because the person did; the module's `Window` is then no longer open."""
        await self._live.close_window(window_id)

    def watch(self, show: Callable[[Window], object]) -> Subscription:
        """Render the module's windows whenever they change, at most once in 16 ms, and pass each to `show`."""
        return self._live.watch(show)

    async def reload(self, package: ModulePackage | None = None) -> None:
        """Replace the module by a new one: its package read again, or another version given here.

        The new one loads beside the old one and takes over its state by `on_reload`; if it fails, the old one stays,
        and so does its stored data: what the new one stores while it loads is stored in one transaction when it takes
        over. A call that still runs in the old one then ends with `ModuleStateError`; later ones reach the new one.

        Raises:
            PermissionDeniedError: it declares more than the old one did, and that was refused.
            ManifestError, PolicyError, ModuleLoadError, GuestError, ResourceLimitError: it does not load.
            ModuleStateError: it reloads already, is unloaded, or the package is of another module.
        """
        await self._live.reload(package)

    async def restart(self) -> None:
        """End the instance where it stands and put a fresh one in its place: the same package, `on_load` again.

        As after a hard limit: what it held in memory is gone, what it had registered too, and neither `on_unload` nor
        `on_reload` runs. Calls under way end with `ModuleStateError`. A module that has failed comes back. Also one
        whose manifest says ``restart = false``: that is about replacements that nobody asked for.

        A module that computes without end is ended at once in `wasm` and with ``isolation="process"``. In `restricted`
        and `trusted` its code runs in the host's loop, so this can run only when that code awaits; `max_step_ms` sees
        to it in `restricted`, and nothing in `trusted`.

        Raises:
            ModuleStateError: it reloads, or is unloaded.
            GuestError, ResourceLimitError: the fresh one does not load; the module has failed.
        """
        await self._live.restart()

    def set_limits(self, **changes: int | None) -> ResourceLimits:
        """Change what the host gives this module, by the names of `ResourceLimits`; higher or lower, it is the host's.

        Soft limits hold at once. Hard ones hold for the next instance: after `restart`, a reload or a replacement;
        until then `usage.limits` tells what holds. In `wasm`, a higher `max_payload_bytes` or `max_tree_nodes` arrives
        with the next instance too. Where the manifest asks for less, that is what holds.

        Returns:
            What is now to hold, as `limits`.

        Raises:
            TypeError: there is no such limit.
            ValueError: the value is no whole number above 0.
        """
        return self._live.take_limits(self._live.setup.with_limits(changes))

    def lower_limits(self, **changes: int | None) -> ResourceLimits:
        """Lower limits below what the host gives, never above it, as a person does in a task manager; see `set_limits`.

        More than the host gives is what the host gives, and None takes a lowering back.

        Returns:
            What is now to hold, as `limits`.

        Raises:
            TypeError: there is no such limit.
            ValueError: the value is no whole number above 0; or it is `max_fuel`, and the host has left that to the
                engine.
        """
        return self._live.take_limits(self._live.setup.with_lowered(changes, self.package))

    def leaks(self) -> list[Leak]:
        """Return what this module left behind and is still there, and what its live instance registers over and over.

        Whatever a module registers is disposed of with its instance. What can stay is what it started by itself in the
        host's interpreter (a task that swallows its cancellation, a thread), so in the tiers that run there. Each is
        also logged once, with the module's id, and emitted as ``plataforma.module.leak``. Also after `unload`.
        """
        return self._live.leaks()

    async def snapshot(self, *, kind: str | None = None) -> Snapshot:
        """Write the module down, to be restored after its process was killed, or on another host.

        Args:
            kind: ``"memory"``, ``"state"`` or ``"replay"``, see `Snapshot`; None takes the first that can be had.

        Raises:
            ModuleStateError: the module is not active, or there is no way to write it down; the message says why.
        """
        return await take_snapshot(self._live, kind)

    async def park(self) -> bool:
        """Put the memory of an idle module away, a megabyte or so in place of four; what it does next wakes it.

        A call, an event, a timer, a person's click or the answer to what it awaits: each waits some 20 ms for it, and
        finds it as it was. `usage` then tells what is kept. `ModuleHost(park_after_s=...)` does it by itself.

        Returns:
            Whether it is parked. It stays live, which a log tells once, in the tiers `trusted` and `restricted`, on
            other systems than Linux, where a trial in a process of its own did not hold, and while its code is running.
        """
        return await self._live.park()

    async def unload(self, *, at_once: bool = False) -> None:
        """End the module and dispose of whatever it registered; a second call does nothing.

        Args:
            at_once: end it where it stands, without `on_unload`, which otherwise has two seconds.
        """
        await self._live.unload(at_once=at_once)
