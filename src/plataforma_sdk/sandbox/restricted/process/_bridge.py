"""The host as the module in a worker sees it: the same bridge, over the wire. Nothing is decided on this side."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.sandbox import ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.restricted.process._errors import read_error
from plataforma_sdk.sandbox.restricted.process._link import Link
from plataforma_sdk.sandbox.restricted.process._wire import FRAME_SLACK_BYTES

__all__ = ["CURRENT_CALL", "RemoteBridge", "RemoteClock", "WorkerMonitor"]

CURRENT_CALL: contextvars.ContextVar[int] = contextvars.ContextVar("plataforma_worker_call", default=0)
"""The call that the running code belongs to; its tasks inherit it."""


_SHORT: Final = {b"Vnull": None, b"Vtrue": True, b"Vfalse": False}
"""What most immediate functions answer."""


class RemoteBridge:
    """Serves a module's calls by asking the host.

    Args:
        link: the wire.
        monitor: refuses what is too large to be sent.
        module: id of the module.
    """

    def __init__(self, link: Link, monitor: ResourceMonitor, module: str) -> None:
        self._link = link
        self._monitor = monitor
        self._module = module
        self._last = 0
        self._open: dict[int, asyncio.Future[Any]] = {}

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Ask, and wait without the event loop."""
        answer = self._link.ask(b"i%d %s\n%s" % (CURRENT_CALL.get(), method.encode(), self._encoded(args)))
        if answer in _SHORT:
            return _SHORT[answer]
        if answer.startswith(b"X"):
            raise read_error(answer[1:], self._module)
        return codec.decode(answer[1:])

    async def call(self, method: str, args: list[Any]) -> Any:
        """Ask, and wait with the event loop; cancelling it cancels what the host does."""
        payload = self._encoded(args)
        self._last += 1
        number, future = self._last, asyncio.get_running_loop().create_future()
        self._open[number] = future
        self._link.send(b"h%d %d %s\n%s" % (number, CURRENT_CALL.get(), method.encode(), payload))
        try:
            return await future
        except asyncio.CancelledError:
            if self._open.pop(number, None) is not None:
                self._link.send(b"d%d" % number)
            raise

    def resolve(self, number: int, payload: bytes, *, is_error: bool) -> None:
        """Take the host's answer to an awaited call."""
        future = self._open.pop(number, None)
        if future is None or future.done():
            return
        if is_error:
            future.set_exception(read_error(payload, self._module))
        else:
            future.set_result(codec.decode(payload))

    def _encoded(self, args: list[Any]) -> bytes:
        text = codec.encode(args).encode()
        self._monitor.check_payload(len(text) - FRAME_SLACK_BYTES)
        return text


class RemoteClock:
    """The host's clock, where it is not the machine's."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return float(self._link.ask(b"tn")[1:])

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return float(self._link.ask(b"tm")[1:])


class WorkerMonitor(ResourceMonitor):
    """Keeps what the engine counts until the next reply takes it to the host."""

    def __init__(self, limits: ResourceLimits, module: str) -> None:
        super().__init__(limits, module=module)
        self._cpu_since = 0.0
        self._fuel_since = 0
        self._memory_now = 0

    def add_cpu(self, ms: float) -> None:
        """Count processor time, in milliseconds."""
        self._cpu_since += ms

    def add_fuel(self, units: int) -> None:
        """Count work, in the engine's units."""
        self._fuel_since += units

    def set_memory(self, used_bytes: int) -> None:
        """Record the memory held now."""
        self._memory_now = used_bytes

    def take(self) -> bytes:
        """Write what was used since the last time, for the head of a reply."""
        usage = b"%d %d %d" % (max(0, int(self._cpu_since * 1_000)), max(0, self._fuel_since), self._memory_now)
        self._cpu_since, self._fuel_since = 0.0, 0
        return usage
