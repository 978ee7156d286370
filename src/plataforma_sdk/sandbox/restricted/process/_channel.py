"""The host's end of the wire: never blocks the event loop, and never holds more than a worker will read.

While more than `_HIGH_BYTES` wait to be read by the worker, nothing is read from it and no request of its is served:
what it does not read must not pile up here. A turn of the loop serves a bounded number of frames, so a worker that
talks without end has no more than its share.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from plataforma_sdk.sandbox.restricted.process._wire import BreachError, FrameReader, pack

__all__ = ["Channel"]

_CHUNK: Final = 1 << 14
_LARGE_CHUNK: Final = 1 << 20
_HIGH_BYTES: Final = 1 << 20
_FRAMES_A_TURN: Final = 64


class Channel:
    """Frames over a non-blocking socket, on the running event loop.

    Args:
        sock: the socket; closed with the channel.
        max_frame_bytes: longest frame that the worker may send.
        on_frame: takes each frame; a `BreachError` that it raises ends the channel.
        on_lost: called once when the worker has gone (None) or has broken the rules.
    """

    def __init__(
        self,
        sock: socket.socket,
        max_frame_bytes: int,
        on_frame: Callable[[bytes], None],
        on_lost: Callable[[BreachError | None], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._descriptor = sock.fileno()
        self._reader = FrameReader(max_frame_bytes)
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._out = bytearray()
        self._room: asyncio.Event | None = None
        self._is_reading = False
        self._is_closed = False
        self._is_deaf = False
        self._owner = os.getpid()
        self._resume()

    def send(self, body: bytes) -> None:
        """Send a frame, or keep it until the worker reads; dropped where the worker has gone."""
        if self._is_closed or self._is_deaf:
            return
        data = pack(body)
        if self._out:
            self._out += data
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._stop_writing()
            return
        if sent < len(data):
            self._out += data[sent:]
            self._loop.add_writer(self._descriptor, self._on_writable)

    @property
    def is_full(self) -> bool:
        """Whether the worker has too much to read already."""
        return len(self._out) > _HIGH_BYTES

    async def room(self) -> None:
        """Wait until the worker has read enough to be sent more."""
        while self.is_full and not self._is_closed:
            if self._room is None:
                self._room = asyncio.Event()
            await self._room.wait()

    def hold(self, seconds: float) -> None:
        """Read nothing for a while: a worker that asks for what it is refused is slowed down."""
        if self._is_reading:
            self._pause()
            self._loop.call_later(seconds, self._resume)

    def close(self) -> None:
        """Close the socket; frames that wait are dropped. A second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        if os.getpid() == self._owner:  # in a fork the loop's selector is the parent's
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
        self._socket.close()
        self._out.clear()
        self._notify()

    # --- reading -----------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Serve what was read before the pause; only when that is done, read again."""
        if self._is_closed or self._is_reading or self.is_full:
            return
        self._is_reading = True
        self._deliver()
        if self._is_reading and not self._is_closed:
            self._loop.add_reader(self._descriptor, self._on_readable)

    def _pause(self) -> None:
        self._is_reading = False
        self._loop.remove_reader(self._descriptor)

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(min(max(_CHUNK, self._reader.missing_bytes), _LARGE_CHUNK))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._lose(None)
            return
        self._reader.feed(data)
        self._deliver()

    def _deliver(self) -> None:
        try:
            for _ in range(_FRAMES_A_TURN):
                frame = self._reader.next()
                if frame is None:
                    return
                self._on_frame(frame)
                if self.is_full and self._is_reading:
                    self._pause()
                if not self._is_reading or self._is_closed:
                    return
        except BreachError as breach:
            self._lose(breach)
            return
        self._pause()
        self._loop.call_soon(self._resume)

    def _lose(self, breach: BreachError | None) -> None:
        if not self._is_closed:
            self.close()
            self._on_lost(breach)

    # --- writing -----------------------------------------------------------------------------------------------------

    def _on_writable(self) -> None:
        try:
            sent = self._socket.send(memoryview(self._out)[:_LARGE_CHUNK])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._stop_writing()
            return
        del self._out[:sent]
        if not self._out:
            self._loop.remove_writer(self._descriptor)
        if not self.is_full:
            self._notify()
            self._resume()

    def _stop_writing(self) -> None:
        """Write no more to a worker that has gone, but read what it said last: the reader finds its end after that."""
        self._is_deaf = True
        self._out.clear()
        self._loop.remove_writer(self._descriptor)
        self._notify()
        self._resume()

    def _notify(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set()
