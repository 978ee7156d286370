"""Driving coroutines: a module's ones step by step with the meter on, the host's ones with the meter off.

A step is what a coroutine does between two awaits. Each is entered on an account and left again, so that waiting is
free; and while a host function works on top of a module's stack, its processor time is taken off the step.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import AsyncGeneratorType
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._errors import to_twin
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached, Meter
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta

__all__ = ["HostAwaitable", "Metered", "check_headroom", "close_quietly", "has_room"]

_HEADROOM: Final = 200
"""Calls that must be left on the stack for a host function that a module calls: the codec alone may need 130."""

_HEADROOM_IN_C: Final = 100
"""Of these, calls in C, where CPython counts them by themselves."""

_module_at: Final[Callable[[int], str | None] | None] = getattr(sys, "_getframemodulename", None)
"""The module of a frame so far up, or None: from Python 3.12 on, as the count of calls in C."""

_CALL_UNITS: Final = 20


def _nest(depth: int) -> tuple[Any, ...]:
    nested: tuple[Any, ...] = (int,)
    for _ in range(depth - 1):
        nested = (nested,)
    return nested


_PROBE: Final = _nest(_HEADROOM if _module_at is None else _HEADROOM_IN_C)


def check_headroom(meter: Meter) -> None:
    """Trip where too little of the stack is left for the host: its recursion must not fail for the module's.

    CPython counts recursion in C by itself from 3.12 on, before that together with that of Python. Either can be used
    up: by functions that call each other, and by lists in lists whose comparison ends in an ``__eq__`` of the module's.
    ``isinstance`` with nested tuples recurses in C, 2 ns a level, and fails where the levels are not left;
    `sys._getframemodulename` walks the frames of Python in 20 ns, however many they are.

    Tried and rejected: ``sys._getframe`` alone (blind to recursion in C), comparing nested lists (10x slower), catching
    `RecursionError` around the host function (too late: it has been torn in the middle).
    """
    try:
        isinstance(None, _PROBE)
    except RecursionError:
        meter.trip("stack", unit="frames")
    if _module_at is not None and _module_at(sys.getrecursionlimit() - _HEADROOM) is not None:
        meter.trip("stack", unit="frames")


def has_room(levels: int) -> bool:
    """Whether the host would still have its headroom if the module's stack were `levels` calls deeper."""
    try:
        isinstance(None, _PROBES[levels])
    except RecursionError:
        return False
    return _module_at is None or _module_at(max(sys.getrecursionlimit() - _HEADROOM - levels, 0)) is None


class _Probes(dict[int, Any]):
    """Levels beyond the headroom -> what recurses so deep in C."""

    def __missing__(self, levels: int) -> Any:
        made = self[levels] = _nest(levels + (_HEADROOM if _module_at is None else _HEADROOM_IN_C))
        return made


_PROBES: Final = _Probes()


class Metered:
    """Awaits a module's coroutine, each step on `account`."""

    def __init__(self, meter: Meter, account: Account, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._meter = meter
        self._account = account
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, meter = self._coroutine, self._meter
        resume: Callable[[Any], Any] = coroutine.send
        value: Any = None
        meter.suspended.add(coroutine)
        try:
            while True:
                if meter.share is not None:
                    yield from meter.share.wait().__await__()
                outer = meter.enter(self._account)
                try:
                    waited = resume(value)
                except StopIteration as stop:
                    meter.check()
                    return stop.value
                finally:
                    meter.leave(outer)
                try:
                    value = yield waited
                    resume = coroutine.send
                except BaseException as error:  # noqa: BLE001
                    value, resume = error, coroutine.throw
        finally:
            meter.suspended.discard(coroutine)
            if meter.is_stopped:
                close_quietly(coroutine)


def close_quietly(coroutine: Any) -> None:
    """Close a coroutine or generator of an ended sandbox: what it would still do is not done, so nothing is lost."""
    with contextlib.suppress(Exception, asyncio.CancelledError, LimitReached):
        if isinstance(coroutine, AsyncGeneratorType):
            coroutine.aclose().send(None)
        else:
            coroutine.close()


class HostAwaitable(metaclass=SealedMeta):
    """Something of the host's that a module awaits; nothing can be read from it, and the meter is off meanwhile."""

    __slots__ = ("_sdk_finish", "_sdk_is_transparent", "_sdk_make", "_sdk_meter")

    def __init__(
        self,
        meter: Meter,
        make: Callable[[], Awaitable[Any]],
        finish: Callable[[Any], Any],
        *,
        is_transparent: bool = False,
    ) -> None:
        """Args: `is_transparent` lets exceptions through as they are, where only the module's own can arise."""
        object.__setattr__(self, "_sdk_is_transparent", is_transparent)
        object.__setattr__(self, "_sdk_meter", meter)
        object.__setattr__(self, "_sdk_make", make)
        object.__setattr__(self, "_sdk_finish", finish)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an awaitable is read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<awaitable>"

    def __await__(self) -> Generator[Any, Any, Any]:
        meter: Meter = self._sdk_meter  # type: ignore[attr-defined]
        meter.charge(_CALL_UNITS)
        check_headroom(meter)
        failure: BaseException
        since = meter.pause()
        try:
            iterator = self._sdk_make().__await__()  # type: ignore[attr-defined]
            result = yield from _unmetered(meter, iterator, since)
            if meter.is_breath_due():
                yield  # to the event loop, for one turn
        except Exception as error:  # noqa: BLE001
            failure = error if self._sdk_is_transparent else to_twin(error)  # type: ignore[attr-defined]
        else:
            return self._sdk_finish(result)  # type: ignore[attr-defined]
        raise failure from None


def _unmetered(meter: Meter, iterator: Generator[Any, Any, Any], since: float) -> Generator[Any, Any, Any]:
    resume: Callable[[Any], Any] = iterator.send
    value: Any = None
    while True:
        try:
            waited = resume(value)
        except StopIteration as stop:
            meter.resume(since)
            return stop.value
        except BaseException:
            meter.resume(since)
            raise
        meter.resume(since)
        try:
            value = yield waited
            resume = iterator.send
        except BaseException as error:  # noqa: BLE001
            value, resume = error, iterator.throw
        since = meter.pause()
