"""Driving coroutines: a module's ones step by step with the meter on, the host's ones with the meter off.

A step is what a coroutine does between two awaits. Each is entered on an account and left again, so that waiting is
free; and while a host function works on top of a module's stack, its processor time is taken off the step.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._errors import to_twin
from plataforma_sdk.sandbox.restricted._fuel import Account, Meter
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta

__all__ = ["HostAwaitable", "Metered", "check_headroom"]

_HEADROOM: Final = 200
"""Frames that must be left for a host function that a module calls."""

_CALL_UNITS: Final = 20


def check_headroom(meter: Meter) -> None:
    """Trip where too little of the stack is left for the host: its recursion must not fail for the module's.

    ``sys._getframe(n)`` walks n frames in C, and fails at once on a stack that is shorter.
    """
    try:
        sys._getframe(sys.getrecursionlimit() - _HEADROOM)
    except ValueError:
        return
    meter.trip("stack", unit="frames")


class Metered:
    """Awaits a module's coroutine, each step on `account`."""

    def __init__(self, meter: Meter, account: Account, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._meter = meter
        self._account = account
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine = self._coroutine
        resume: Callable[[Any], Any] = coroutine.send
        value: Any = None
        while True:
            if self._meter.share is not None:
                yield from self._meter.share.wait().__await__()
            outer = self._meter.enter(self._account)
            try:
                waited = resume(value)
            except StopIteration as stop:
                self._meter.check()
                return stop.value
            finally:
                self._meter.leave(outer)
            try:
                value = yield waited
                resume = coroutine.send
            except BaseException as error:  # noqa: BLE001
                value, resume = error, coroutine.throw


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
