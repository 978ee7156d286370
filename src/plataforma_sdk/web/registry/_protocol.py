"""HTTP/1.1 as uvicorn speaks it, and patience with an end: slow heads, unread bodies and stuck readers are cut.

uvicorn's own time-out runs only between two requests, and each byte that arrives stops it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["PatientProtocol"]

_HEAD_S: Final = 15.0
_STUCK_S: Final = 60.0


class PatientProtocol(H11Protocol):
    """Closes a connection whose next request is not there 15 s after it could be, or that takes no bytes for 60 s."""

    head_s = _HEAD_S
    stuck_s = _STUCK_S

    def connection_made(self, transport: Any) -> None:
        """Wait for a head."""
        super().connection_made(transport)
        self._head, self._reader = _Timer(transport), _Timer(transport)
        self._head.start(self.head_s)

    def data_received(self, data: bytes) -> None:
        """Stop waiting where a request has begun: its own limits hold from here."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head.stop()

    def on_response_complete(self) -> None:
        """Wait for the next head; what is still sent of a body that was refused gets as long."""
        self._head.start(self.head_s)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timers."""
        self._head.stop()
        self._reader.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the reader."""
        self._reader.start(self.stuck_s)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Stop waiting: it reads."""
        self._reader.stop()
        super().resume_writing()


class _Timer:
    """Cuts a connection when it runs out."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        self.stop()
        self._handle = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
