"""What a worker asks of its host: served in the context of the call on whose behalf it asks, permissions and all.

The bridge decides, as in every tier; this side only checks that what arrived is a request.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, QuotaExceededError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.restricted.process._channel import Channel
from plataforma_sdk.sandbox.restricted.process._errors import error_text
from plataforma_sdk.sandbox.restricted.process._tasks import start_task
from plataforma_sdk.sandbox.restricted.process._wire import Ask, BreachError, ClockRead
from plataforma_sdk.types import SystemClock

__all__ = ["HostRequests"]

_MAX_OPEN: Final = 1_000
_REFUSED_HOLD_S: Final = 0.005
_IDLE_HOLD_S: Final = 0.001
_SHORT: Final[dict[type, dict[Any, bytes]]] = {type(None): {None: b"null"}, bool: {True: b"true", False: b"false"}}
_DROPPED: Final[Any] = object()


class HostRequests:
    """Serves the requests of one worker.

    Args:
        context: bridge, clock and identity of the module.
        channel: where answers go.
        context_of: number of a call -> the context variables of its caller; those of the load for a call that ended.
    """

    def __init__(
        self, context: EngineContext, channel: Channel, context_of: Callable[[int], contextvars.Context]
    ) -> None:
        self._module = context.module_id
        self._bridge = context.bridge
        self._clock = context.clock
        self._channel = channel
        self._context_of = context_of
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, asyncio.Task[None] | None] = {}
        self._name = f"plataforma-{context.module_id}-host-call"
        self._is_closed = False

    def answer(self, ask: Ask) -> None:
        """Serve an immediate call; the worker stands still meanwhile.

        Raises:
            BreachError: the arguments are no list of the codec.
        """
        args = _arguments(ask)
        try:
            result = self._context_of(ask.call).copy().run(self._bridge.call_now, ask.method, args)
            frame = b"V" + _encoded(result)
        except Exception as error:  # noqa: BLE001 - crosses as data
            if isinstance(error, QuotaExceededError) and error.resource == "host_calls":
                self._channel.hold(_REFUSED_HOLD_S)
            frame = b"X" + error_text(error)
        self._channel.send(frame)

    def tell_time(self, read: ClockRead) -> None:
        """Answer with the host's clock.

        Raises:
            BreachError: the worker was told to use the machine's own.
        """
        if isinstance(self._clock, SystemClock):
            raise BreachError("it asked for a clock that it has itself")
        seconds = self._clock.monotonic() if read.is_monotonic else self._clock.now()
        self._channel.send(b"V%s" % repr(float(seconds)).encode())

    def begin(self, ask: Ask) -> None:
        """Serve an awaited call in a task of its own.

        Raises:
            BreachError: its number is in use, or the arguments are no list of the codec.
        """
        number = ask.number
        if number is None or number in self._open:
            raise BreachError(f"request {number} is open already")
        args = _arguments(ask)
        if len(self._open) >= _MAX_OPEN:
            limits = {"used": _MAX_OPEN + 1, "limit": _MAX_OPEN, "unit": "requests", "module": self._module}
            refusal = QuotaExceededError("open_requests", **limits)  # type: ignore[arg-type]
            self._channel.hold(_REFUSED_HOLD_S)
            self._channel.send(b"x%d\n%s" % (number, error_text(refusal)))
            return
        self._open[number] = None
        task = start_task(
            self._loop, self._serve(number, ask.method, args), self._context_of(ask.call).copy(), name=self._name
        )
        if self._is_closed:  # by what the call did at once
            task.cancel()
        elif not task.done():
            self._open[number] = task

    def drop(self, number: int) -> None:
        """Cancel a request that nobody awaits any more; it may have been answered just now."""
        task = self._open.pop(number, None)
        if task is not None:
            task.cancel()
        else:
            self._channel.hold(_IDLE_HOLD_S)  # one that says so without end is slowed down

    def close(self) -> list[asyncio.Task[None]]:
        """Cancel everything, and return what is still to end."""
        self._is_closed = True
        tasks = [task for task in self._open.values() if task is not None and not task.done()]
        self._open.clear()
        for task in tasks:
            task.cancel()
        return tasks

    async def _serve(self, number: int, method: str, args: list[Any]) -> None:
        await self._channel.room()
        try:
            result = await self._bridge.call(method, args)
            frame = b"v%d\n%s" % (number, _encoded(result))
        except Exception as error:  # noqa: BLE001 - crosses as data
            frame = b"x%d\n%s" % (number, error_text(error))
        if self._open.pop(number, _DROPPED) is not _DROPPED:
            self._channel.send(frame)


def _encoded(result: Any) -> bytes:
    short = _SHORT.get(type(result))
    return codec.encode(result).encode() if short is None else short[result]


def _arguments(ask: Ask) -> list[Any]:
    try:
        args = codec.decode(ask.payload)
    except CodecError as error:
        raise BreachError(f"{ask.method}: {error.message}") from None
    if not isinstance(args, list):
        raise BreachError(f"{ask.method}: arguments are a list")
    return args
