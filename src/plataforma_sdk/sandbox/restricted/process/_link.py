"""The worker's end of the wire: blocking, and never deaf while it speaks.

An immediate call writes its frame and reads until the answer; other frames that arrive meanwhile wait for the loop.
While a write does not go through, what arrives is read, or two full buffers would hold host and worker for ever.
"""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from plataforma_sdk.sandbox.restricted.process._wire import FrameReader, pack

__all__ = ["Link"]

_CHUNK: Final = 1 << 16
_LARGEST: Final = (1 << 32) - 1
_HOST_IS_GONE: Final = 0
_ANSWERS: Final = (ord("V"), ord("X"))


class Link:
    """Frames over a socket, for one thread.

    Attributes:
        on_late: called when frames have been left for the loop, which does not learn of them by itself.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._reader = FrameReader(_LARGEST)
        self._late: deque[bytes] = deque()
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN | select.POLLOUT)
        self.on_late: Callable[[], object] = lambda: None

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def send(self, body: bytes) -> None:
        """Send a frame; waits until the host has room for it."""
        data = pack(body)
        sent = self._send_some(data)
        while sent < len(data):
            ((_, event),) = self._poll.poll()
            if event & select.POLLIN:
                self.receive()
                self.on_late()
            sent += self._send_some(memoryview(data)[sent:])

    def ask(self, body: bytes) -> bytes:
        """Send a frame and return the answer; frames that come before it are left for the loop."""
        self.send(body)
        while True:
            frame = self._reader.next()
            if frame is None:
                self._receive(0)
            elif frame[0] in _ANSWERS:
                break
            else:
                self._late.append(frame)
        if self._late or not self._reader.is_empty:
            self.on_late()
        return frame

    def receive(self) -> None:
        """Take what has arrived, without waiting."""
        self._receive(socket.MSG_DONTWAIT)

    def next(self) -> bytes | None:
        """Return the next frame that has arrived, in order, or None."""
        return self._late.popleft() if self._late else self._reader.next()

    def _receive(self, flags: int) -> None:
        try:
            data = self._socket.recv(_CHUNK, flags)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            os._exit(_HOST_IS_GONE)
        self._reader.feed(data)

    def _send_some(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:
            os._exit(_HOST_IS_GONE)
