"""A module that is being written: loaded as soon as it loads, reloaded at each save, and watched."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from plataforma_sdk.cli._hosting import METERS, HostOptions, explain, make_host
from plataforma_sdk.cli._watch import Change, Waker, scan, watch
from plataforma_sdk.errors import IntegrityError, ModuleStateError, PlataformaError
from plataforma_sdk.package import ModulePackage

if TYPE_CHECKING:
    from plataforma_sdk.permissions import AuditRecord, Prompt
    from plataforma_sdk.runtime import ModuleHandle, ModuleHost
    from plataforma_sdk.types import Event
    from plataforma_sdk.windows import Window

__all__ = ["DevSession", "Show"]

USAGE_S: Final = 0.5
READ_AGAIN_S: Final = 0.05


class Show(Protocol):
    """Shows something that happened."""

    def __call__(self, what: str, /, **fields: Any) -> None:
        """Show it: ``loaded``, ``reloaded``, ``failed``, ``tree``, ``event``, ``denied``, ``leak``, ``log``, ``usage``,
        or ``granted``."""


class DevSession:
    """Runs one module of a directory until it is cancelled.

    Args:
        directory: the module's directory.
        options: how it is run.
        show: told of whatever happens.
        prompt: asks for permissions.
        waker: says when to look for changes; None takes the best there is.
    """

    def __init__(
        self, directory: Path, options: HostOptions, show: Show, prompt: Prompt, *, waker: Waker | None = None
    ) -> None:
        self._directory = directory.resolve()
        self._options = options
        self._show = show
        self._prompt = prompt
        self._waker = waker
        self._handle: ModuleHandle | None = None
        self._last_fault = ""

    async def run(self) -> None:
        """Load the module, and reload it at each change of its files."""
        handler = _LogHandler(self._show)
        logger = logging.getLogger("plataforma_sdk.module")
        level = logger.level
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
        try:
            async with make_host(self._options, self._prompt, self._on_denied) as host, asyncio.TaskGroup() as group:
                host.events.subscribe("*", self._on_event)
                group.create_task(self._tell_usage())
                await self._follow(host)
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)

    async def _follow(self, host: ModuleHost) -> None:
        known = scan(self._directory)
        await self._take(host, Change((), time.perf_counter()))
        async for change in watch(self._directory, waker=self._waker, known=known):
            await self._take(host, change)

    async def _take(self, host: ModuleHost, change: Change) -> None:
        """Load or reload; where that fails, say so and leave what runs running."""
        began, self._last_fault = time.perf_counter(), ""
        try:
            package = await self._read()
            handle = await self._load(host, package)
            await self._render(handle)
        except PlataformaError as error:
            self._show("failed", files=list(change.files), error=explain(error), runs=self._running_version())
            return
        now = time.perf_counter()
        self._show(
            "reloaded" if change.files else "loaded",
            module=handle.id,
            version=handle.version,
            engine=handle.engine,
            files=list(change.files),
            took_ms=round((now - began) * 1_000, 1),
            since_seen_ms=round((now - change.seen_at) * 1_000, 1),
        )

    async def _read(self) -> ModulePackage:
        try:
            return ModulePackage.from_directory(self._directory)
        except IntegrityError:
            await asyncio.sleep(READ_AGAIN_S)  # an editor's own file may have gone between the look and the read
            return ModulePackage.from_directory(self._directory)

    async def _load(self, host: ModuleHost, package: ModulePackage) -> ModuleHandle:
        handle = self._handle
        if handle is not None and handle.id == package.id and handle.state in ("active", "parked", "failed"):
            await handle.reload(package)
            return handle
        if handle is not None:
            raise ModuleStateError(
                f"The id is now {package.id!r} and was {handle.id!r}: end plataforma dev and start it again",
                module=package.id,
            )
        declared = package.manifest.permissions.declared
        handle = await host.load(self._directory, grants=self._options.grants_for(declared))
        self._handle = handle
        handle.watch(self._on_window)
        return handle

    async def _render(self, handle: ModuleHandle) -> None:
        """Render at once, so that what a view gets wrong is told with the save that did it; the new version runs."""
        for name in [*handle.windows] or ["main"]:
            try:
                self._show("tree", window=name, tree=await handle.render(name))
            except PlataformaError as error:
                self._fail(f"render of {name!r}: {explain(error)}")

    def _running_version(self) -> str | None:
        handle = self._handle
        return handle.version if handle is not None and handle.state in ("active", "parked", "reloading") else None

    # --- what is shown ---------------------------------------------------------------------------------------------

    def _on_window(self, window: Window) -> None:
        if window.tree is not None:
            self._show("tree", window=window.id, tree=window.tree)

    def _on_denied(self, record: AuditRecord) -> None:
        self._show("denied", permission=record.permission, why=record.detail)

    def _on_event(self, event: Event) -> None:
        if event.topic == "plataforma.module.leak":
            self._show("leak", error=event.data["message"])
        elif event.topic == "plataforma.module.error":
            self._fail(f"{event.data['during']}: {event.data['error']['message']}")
        elif not event.topic.startswith("plataforma."):
            self._show("event", topic=event.topic, data=event.data)

    def _fail(self, error: str) -> None:
        """Show a fault of what runs; that of a view once a save, though it is rendered again and again."""
        if error != self._last_fault or not error.startswith("render of"):
            self._last_fault = error
            self._show("failed", files=[], error=error, runs=self._running_version())

    async def _tell_usage(self) -> None:
        last: dict[str, Any] = {}
        while True:
            await asyncio.sleep(USAGE_S)
            if self._handle is not None:
                usage = {name: getattr(self._handle.usage, name) for name in METERS}
                if usage != last:
                    last = usage
                    self._show("usage", **usage)


class _LogHandler(logging.Handler):
    """Shows what the module logs and prints."""

    def __init__(self, show: Show) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        self._show("log", level=record.levelname.lower(), message=record.getMessage())
