"""The clipboard that modules with ``system.clipboard`` share with the host."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from plataforma_sdk.errors import HostCallError, QuotaExceededError

__all__ = ["Clipboard", "MemoryClipboard"]


@runtime_checkable
class Clipboard(Protocol):
    """Plain text in and out; a desktop host puts the real clipboard behind it."""

    async def read(self) -> str:
        """Return the text, empty if there is none."""

    async def write(self, text: str) -> None:
        """Put `text` in place of what was there."""


class MemoryClipboard:
    """A clipboard of this host alone, for servers and tests.

    >>> import asyncio
    >>> clipboard = MemoryClipboard()
    >>> asyncio.run(clipboard.write("2328.60"))
    >>> asyncio.run(clipboard.read())
    '2328.60'
    """

    def __init__(self, *, max_bytes: int = 1024 * 1024) -> None:
        """Hold at most `max_bytes` of UTF-8."""
        self._text = ""
        self._max_bytes = max_bytes

    async def read(self) -> str:
        """Return the text, empty if there is none."""
        return self._text

    async def write(self, text: str) -> None:
        """Put `text` in place of what was there.

        Raises:
            QuotaExceededError: it is larger than the clipboard; what was there stays.
            HostCallError: it is not a text.
        """
        if not isinstance(text, str):
            raise HostCallError("TypeError", "the clipboard takes text")
        size = len(text.encode("utf-8", "replace"))
        if size > self._max_bytes:
            advice = "copy less"
            raise QuotaExceededError("clipboard", used=size, limit=self._max_bytes, unit="bytes", advice=advice)
        self._text = text
