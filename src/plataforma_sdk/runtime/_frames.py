"""Renders the windows of one module for those who watch, at most once a frame."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.types import Subscription

if TYPE_CHECKING:
    from plataforma_sdk.runtime._parts import HostParts
    from plataforma_sdk.windows import Window

__all__ = ["WindowFrames"]

FRAME_S: Final = 0.016


class WindowFrames:
    """Coalesces what makes windows dirty into frames.

    Args:
        module: id of the module.
        parts: the host's rooms.
        render: renders a window by its id.
    """

    def __init__(self, module: str, parts: HostParts, render: Callable[[str], Awaitable[Any]]) -> None:
        self._module = module
        self._parts = parts
        self._render = render
        self._watchers: dict[object, Callable[[Window], object]] = {}
        self._frame: asyncio.Task[None] | None = None

    def watch(self, show: Callable[[Window], object]) -> Subscription:
        """Pass every window to `show` at the frame after each `mark_dirty`."""
        key = object()
        self._watchers[key] = show
        return Subscription("windows", lambda: self._watchers.pop(key, None) and None)

    def mark_dirty(self, *, is_active: bool) -> None:
        """Take note that windows may have changed; an active module's are rendered where somebody watches."""
        for window in self._parts.windows.of(self._module):
            window.is_dirty = True
        if self._watchers and self._frame is None and is_active:
            self._frame = asyncio.create_task(self._run(), name=f"plataforma-frame-{self._module}")

    def close(self) -> None:
        """Render no more."""
        self._watchers.clear()
        if self._frame is not None:
            self._frame.cancel()

    async def _run(self) -> None:
        await asyncio.sleep(FRAME_S)
        self._frame = None
        for window in [window for window in self._parts.windows.of(self._module) if window.is_dirty]:
            try:
                await self._render(window.id)
            except PlataformaError as error:
                self._parts.report(self._module, f"render of {window.id!r}", error)
                continue
            for show in list(self._watchers.values()):
                show(window)
