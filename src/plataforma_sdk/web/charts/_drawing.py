"""The host's side of the workers that draw: a few at most, killed when they take too long, and replaced."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Final

from plataforma_sdk.errors import ChartError, PlataformaError
from plataforma_sdk.workers import WorkerPool, WorkerProcess, has_workers, spawn

__all__ = ["Drawers", "can_draw"]

DEADLINE_S: Final = 2.0
_START_S: Final = 30.0
_MAX_REPLY_BYTES: Final = 8 << 20
MAX_WAITING: Final = 64
_MAX_DRAWINGS: Final = 500
"""Drawings of one worker: a JavaScript engine that never ends grows."""

_BOOT: Final = "from plataforma_sdk.web.charts._worker import main; main(descriptor, host)"
_NEEDED: Final = ("plataforma_sdk", "attr", "cachetools", "vl_convert")


def can_draw() -> bool:
    """Whether the extra is installed and this platform confines workers; looks for the package without importing it."""
    return has_workers() and importlib.util.find_spec("vl_convert") is not None


def _start() -> WorkerProcess:
    return spawn(_BOOT, _NEEDED)


class Drawers:
    """Draws by worker processes, at most `workers` at once. Use it from one event loop.

    Args:
        workers: processes, each of some 110 MB.
        deadline_s: seconds of a drawing, after which its worker is killed.
        pool: where they come from; tests bring workers that lie.
    """

    def __init__(self, workers: int = 1, deadline_s: float = DEADLINE_S, pool: WorkerPool | None = None) -> None:
        self._pool = pool or WorkerPool(_start, spares=workers)
        self._deadline_s = deadline_s
        self._turns = asyncio.Semaphore(workers)
        self._idle: list[tuple[WorkerProcess, int]] = []
        self._waiting = 0
        self._is_open = False
        self._is_closed = False  # for good

    def warm_up(self) -> None:
        """Start the workers ahead of the first drawing; returns at once."""
        if not self._is_open and not self._is_closed:
            self._is_open = True
            self._pool.open()
            self._pool.replenish()

    @property
    def is_full(self) -> bool:
        """Whether so many wait that no more should."""
        return self._waiting >= MAX_WAITING

    async def draw(self, request: bytes) -> bytes:
        """Return what a worker made of a request.

        Raises:
            ChartError: the drawing failed or took too long, or no worker could be started.
        """
        if self._is_closed:
            raise ChartError("The renderer of charts is closed")
        self._waiting += 1
        try:
            async with self._turns:
                return await self._draw(request)
        finally:
            self._waiting -= 1

    async def _draw(self, request: bytes) -> bytes:
        worker, drawn = await self._take()
        reply = await self._talk(worker, request, self._deadline_s)
        if drawn + 1 < _MAX_DRAWINGS and not self._is_closed:
            self._idle.append((worker, drawn + 1))
        else:
            self._replace(worker)
        if not reply.startswith(b"S"):
            raise ChartError(f"The chart could not be drawn: {reply[1:500].decode(errors='replace')}")
        return reply[1:]

    async def _take(self) -> tuple[WorkerProcess, int]:
        while self._idle:
            worker, drawn = self._idle.pop()
            if worker.is_running:
                return worker, drawn
            worker.discard()
        self.warm_up()
        try:
            worker = await self._pool.take()
        except PlataformaError as error:
            raise ChartError(f"No worker could be started to draw the chart: {error}") from None
        try:
            await self._talk(worker, None, _START_S)
        except ChartError:
            raise ChartError("The worker that draws charts did not start; is plataforma-sdk[charts] whole?") from None
        return worker, 0

    async def _talk(self, worker: WorkerProcess, request: bytes | None, deadline_s: float) -> bytes:
        """Send what there is to send and return the reply; a worker that does not give it in time is ended."""
        reply = None
        try:
            async with asyncio.timeout(deadline_s):
                if request is not None:
                    await _send(worker, request)
                reply = await _receive(worker)
        except TimeoutError:
            raise ChartError(
                f"The chart took longer than {deadline_s:g} s and its worker was ended; draw fewer points"
            ) from None
        except (OSError, EOFError):
            raise ChartError(
                "The chart's worker ended while it drew: too much memory or time, or a fault of its own"
            ) from None
        finally:
            if reply is None:
                self._replace(worker)
        return reply

    def _replace(self, worker: WorkerProcess) -> None:
        """End a worker and start the next one, so that the next chart need not wait for it."""
        worker.discard()
        if not self._is_closed:
            self._pool.replenish()

    async def aclose(self) -> None:
        """End every worker; drawings that are under way fail."""
        self._is_closed = True
        while self._idle:
            self._idle.pop()[0].discard()
        if self._is_open:
            self._is_open = False
            await asyncio.to_thread(self._pool.close)


async def _send(worker: WorkerProcess, payload: bytes) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(worker.socket, len(payload).to_bytes(4, "little") + payload)


async def _receive(worker: WorkerProcess) -> bytes:
    size = int.from_bytes(await _exactly(worker, 4), "little")
    if not 0 < size <= _MAX_REPLY_BYTES:
        raise EOFError
    return await _exactly(worker, size)


async def _exactly(worker: WorkerProcess, size: int) -> bytes:
    loop, parts = asyncio.get_running_loop(), bytearray()
    while len(parts) < size:
        part = await loop.sock_recv(worker.socket, min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
