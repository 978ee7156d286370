"""What waits to be sent to one page. A slow page gets fewer frames and every message."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeAlias

from plataforma_sdk.web.desktop._protocol import Bye

__all__ = ["Outbox"]

Frame: TypeAlias = Callable[[], list[str]]


class Outbox:
    """A queue of texts, and of frames that are written only when it is their turn.

    A frame is what a window shows when the page is ready to read it, so that it is never stale and never waits twice. A
    text waits as it is; one that was put under a name takes the place of the older one of that name.

    Args:
        max_bytes: of texts that wait; with more, the page is given up, and nothing more is kept for it.

    Attributes:
        waiting_bytes: of texts that wait.
        has_overflowed: whether the page is given up.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, str | Frame] = OrderedDict()
        self._is_ready = asyncio.Event()
        self.waiting_bytes = 0
        self.has_overflowed = False

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, text: str, *, replaces: str | None = None, is_first: bool = False) -> None:
        """Queue a text as the last, also where it takes the place of another, or before all others."""
        name: Hashable = object() if replaces is None else ("text", replaces)
        self._drop(name)
        if self.waiting_bytes + len(text) > self._max_bytes:
            self.has_overflowed = True
            self.clear()
        if not self.has_overflowed:
            self._entries[name] = text
            self.waiting_bytes += len(text)
            if is_first:
                self._entries.move_to_end(name, last=False)
        self._is_ready.set()

    def put_frame(self, name: Hashable, frame: Frame) -> None:
        """Queue a frame; where one of this name waits, that one will do."""
        self._entries.setdefault(("frame", name), frame)
        self._is_ready.set()

    def clear(self) -> None:
        """Forget all that waits."""
        self._entries.clear()
        self.waiting_bytes = 0

    async def next(self) -> list[str]:
        """Wait for what is to be sent next and take it out.

        Raises:
            Bye: more waits than may.
        """
        while True:
            if self.has_overflowed:
                raise Bye("slow")
            if self._entries:
                return self._take()
            self._is_ready.clear()
            await self._is_ready.wait()

    def _take(self) -> list[str]:
        _, entry = self._entries.popitem(last=False)
        if not isinstance(entry, str):
            return entry()
        self.waiting_bytes -= len(entry)
        return [entry]

    def _drop(self, name: Hashable) -> None:
        older = self._entries.pop(name, None)
        if isinstance(older, str):
            self.waiting_bytes -= len(older)
