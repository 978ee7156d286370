"""The blocking face of `ModuleHost`, for Django, Flask and scripts.

One thread runs the host's event loop; every method blocks the caller until the host has done it.

>>> from plataforma_sdk import ModuleFramework, sync, ui
>>> class Hello(ModuleFramework):
...     async def on_load(self): pass
...     def render(self): return ui.text("Hello")
>>> with sync.ModuleHost(engine="trusted") as host:
...     host.load(Hello).render()["props"]["value"]
'Hello'
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from plataforma_sdk import runtime
from plataforma_sdk.errors import ModuleStateError

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.runtime import HostStats, ModuleStats, Snapshot
    from plataforma_sdk.sandbox import ResourceLimits, ResourceUsage
    from plataforma_sdk.windows import UiEvent

__all__ = ["ModuleHandle", "ModuleHost"]

T = TypeVar("T")
_END: Final = object()


class ModuleHost:
    """`runtime.ModuleHost`, blocking; takes the same arguments. Safe to use from any thread but its own."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._host: runtime.ModuleHost | None = None
        self._handles: dict[str, ModuleHandle] = {}

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="plataforma-host", daemon=True)
        self._thread.start()
        try:
            self._host = self.run(self._open())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _open(self) -> runtime.ModuleHost:
        return await runtime.ModuleHost(**self._settings).__aenter__()

    @property
    def host(self) -> runtime.ModuleHost:
        """The host itself; touch it only through `run`.

        Raises:
            ModuleStateError: it is not entered.
        """
        if self._host is None:
            raise ModuleStateError("The host is not entered: 'with sync.ModuleHost(...) as host'")
        return self._host

    @property
    def modules(self) -> Mapping[str, ModuleHandle]:
        """Loaded modules by id."""
        return MappingProxyType({key: handle for key, handle in self._handles.items() if key in self.host.modules})

    def run(self, coroutine: Coroutine[Any, Any, T], *, timeout_s: float | None = None) -> T:
        """Run a coroutine in the host's loop and wait for its result.

        Args:
            coroutine: what to run, made by a method of `host`.
            timeout_s: how long to wait; None for as long as it takes.

        Raises:
            ModuleStateError: the host is not entered, this is its own thread, or it was made before a fork.
            TimeoutError: it took longer than `timeout_s`; the coroutine goes on.
        """
        if self._loop is None or threading.current_thread() is self._thread:
            coroutine.close()
            raise ModuleStateError("Not from here: enter the host first, and make a handler of the host async")
        if self._thread is None or not self._thread.is_alive():
            coroutine.close()
            raise ModuleStateError("This host was made before a fork, its thread is not here; make one in each process")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout_s)

    def stats(self) -> HostStats:
        """See `runtime.ModuleHost.stats`."""

        async def stats() -> HostStats:
            return self.host.stats()

        return self.run(stats())

    def load(self, target: Any, **options: Any) -> ModuleHandle:
        """See `runtime.ModuleHost.load`."""
        handle = ModuleHandle(self.run(self.host.load(target, **options)), self)
        self._handles[handle.id] = handle
        return handle

    def restore(self, source: Any, **options: Any) -> ModuleHandle:
        """See `runtime.ModuleHost.restore`."""
        handle = ModuleHandle(self.run(self.host.restore(source, **options)), self)
        self._handles[handle.id] = handle
        return handle

    def unload(self, module_id: str) -> None:
        """See `runtime.ModuleHost.unload`."""
        self.run(self.host.unload(module_id))

    def emit(self, topic: str, data: Any = None) -> None:
        """Emit an event and wait until every handler has had it."""

        async def emit() -> None:
            await self.host.events.emit(topic, data)

        self.run(emit())

    def close(self) -> None:
        """Unload everything and end the thread; a second call does nothing."""
        host, self._host = self._host, None
        if host is None or self._thread is None or not self._thread.is_alive():  # the last: after a fork
            return
        try:
            self.run(host.aclose())
        finally:
            self._stop()

    def _stop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()


class ModuleHandle:
    """`runtime.ModuleHandle`, blocking."""

    def __init__(self, handle: runtime.ModuleHandle, host: ModuleHost) -> None:
        self._handle = handle
        self._host = host

    @property
    def id(self) -> str:
        """The module's id."""
        return self._handle.id

    @property
    def version(self) -> str:
        """Its version."""
        return self._handle.version

    @property
    def engine(self) -> str:
        """The tier it runs in."""
        return self._handle.engine

    @property
    def restored_by(self) -> str | None:
        """How it was restored, or None."""
        return self._handle.restored_by

    def snapshot(self, *, kind: str | None = None) -> Snapshot:
        """See `runtime.ModuleHandle.snapshot`."""
        return self._host.run(self._handle.snapshot(kind=kind))

    @property
    def state(self) -> str:
        """loading, active, parked, reloading, failed or unloaded."""
        return self._handle.state

    @property
    def usage(self) -> ResourceUsage:
        """What it has used."""
        return self._handle.usage

    @property
    def stats(self) -> ModuleStats:
        """What became of its calls."""
        return self._handle.stats

    @property
    def permissions(self) -> PermissionManager:
        """What it may do."""
        return self._handle.permissions

    def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """See `runtime.ModuleHandle.call`."""
        return self._host.run(self._handle.call(method, *args, **kwargs))

    def stream(self, method: str, /, *args: Any, **kwargs: Any) -> Generator[Any, None, None]:
        """See `runtime.ModuleHandle.stream`."""
        items = self._handle.stream(method, *args, **kwargs)

        async def following() -> Any:
            return await anext(items, _END)

        async def close() -> None:
            await items.aclose()

        try:
            while (item := self._host.run(following())) is not _END:
                yield item
        finally:
            self._host.run(close())

    def render(self, window_id: str = "main") -> dict[str, Any]:
        """See `runtime.ModuleHandle.render`."""
        return self._host.run(self._handle.render(window_id))

    def dispatch(self, event: UiEvent, *, session: str = "default") -> None:
        """See `runtime.ModuleHandle.dispatch`."""
        self._host.run(self._handle.dispatch(event, session=session))

    def reload(self, package: ModulePackage | None = None) -> None:
        """See `runtime.ModuleHandle.reload`."""
        self._host.run(self._handle.reload(package))

    def restart(self) -> None:
        """See `runtime.ModuleHandle.restart`."""
        self._host.run(self._handle.restart())

    @property
    def limits(self) -> ResourceLimits:
        """What its next instance may use."""
        return self._handle.limits

    def set_limits(self, **changes: int | None) -> ResourceLimits:
        """See `runtime.ModuleHandle.set_limits`."""

        async def change() -> ResourceLimits:
            return self._handle.set_limits(**changes)

        return self._host.run(change())

    @property
    def host_limits(self) -> ResourceLimits:
        """The most that `limits` can be."""
        return self._handle.host_limits

    def lower_limits(self, **changes: int | None) -> ResourceLimits:
        """See `runtime.ModuleHandle.lower_limits`."""

        async def change() -> ResourceLimits:
            return self._handle.lower_limits(**changes)

        return self._host.run(change())

    def unload(self, *, at_once: bool = False) -> None:
        """See `runtime.ModuleHandle.unload`."""
        self._host.run(self._handle.unload(at_once=at_once))
