"""Fuel in the shape of the code, and the meter that owns it.

The policy turns loops and function entries into steps of one shared iterator, ``chain.from_iterable(FuelSource())``:
counting down costs one C-level ``next``. The source hands out slices of `SLICE` ones; each hand-out is a checkpoint.

::

    while c: B            for _ in fuel:                for x in it: B      for x in compress(it, fuel): B
                              if not c: break
                              B
                          else: dead()

A unit is one loop turn, one call of a function, or the work of a charged C call of about that length. What is charged
depends on the program alone, and slices have one size, so a program stops at the same unit in every run.

After the first trip the chain is exhausted for good, wherever the trip came from: every loop of the module ends in
``dead()``, and a ``finally`` block is a loop. It fails closed.

Tried and rejected: ``sys.settrace`` (5x to 15x slower), ``sys.monitoring`` (2.8x), a counter in a cell or global
(1.6x and not atomic with a trip), slices that adapt to elapsed time (checkpoints would move with the machine).
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Final, NoReturn, Protocol

import attrs

from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox.restricted._step_clock import IDLE, StepClock

__all__ = ["SLICE", "Account", "FuelSource", "LimitReached", "MemoryWatch"]

SLICE: Final = 2048
"""Units between two checkpoints: each takes about 1 µs, so half a nanosecond of it falls on a unit, 2 % of the tightest
loop. Twice as many gain 1 % more, and let a body of fifty statements run for a quarter of a second unseen."""

_ONES: Final = b"\x01" * SLICE
_LOOK_EVERY: Final = 2
"""Every 2nd checkpoint of a step looks at memory; the 1st comes before anything has been done."""

_IDLE_UNITS: Final = 10_000
_SHOWN: Final = 1 << 62
"""The largest amount that an error tells of: beyond, it is no float and no text."""


class LimitReached(BaseException):
    """A hard limit. Not an `Exception`: guest code can neither name nor match it.

    Attributes:
        resource: ``"fuel"``, ``"memory"``, ``"step_time"``, ``"call_time"`` or ``"stack"``.
    """

    def __init__(self, resource: str, used: float | None = None, limit: float | None = None, unit: str = "") -> None:
        super().__init__(f"{resource} limit reached")
        self.resource = resource
        self.used = used if used is None or used < _SHOWN else _SHOWN  # what a module asked for may have any size
        self.limit = limit
        self.unit = unit

    def again(self) -> LimitReached:
        """Return a copy to raise: one object raised many times would keep the frames of all of them."""
        return LimitReached(self.resource, self.used, self.limit, self.unit)


@attrs.define(eq=False)
class Account:
    """What one call, or one background task, may still use.

    Attributes:
        limit: units granted.
        left: units not yet handed out.
        step_ms: processor time of one step; None where it is exempt.
        is_renewed: whether each step begins with `limit` units: background tasks, which have no end.
        deadline: wall time of the whole call, or None.
    """

    limit: int
    left: int
    step_ms: float | None = None
    is_renewed: bool = False
    deadline: CallDeadline | None = None


class MemoryWatch(Protocol):
    """Judges what one sandbox holds; `MemoryAccount` does it by measuring."""

    def look(self) -> None:
        """Look, at a checkpoint, at what was not charged; may trip."""

    def glance(self) -> None:
        """Look after a step, now and then; does not raise."""

    def examine(self, size: int) -> None:
        """Decide whether `size` more bytes may be held: trip, or set `Meter.alarm` anew."""


class FuelSource:
    """The outer iterator of the chain: hands out slices, and checks budget, clocks and memory while it does.

    Args:
        watch: looks at memory; may be replaced.

    Attributes:
        chain: the chain over this source.
        account: what the running step burns.
        clock: times the running step.
        current: the slice handed out last.
        checks: checkpoints of the step so far.
        on_stop: called once, in whichever thread, when the sandbox is ended.
        watch: looks at memory.
        tripped: the limit that ended the sandbox, or None.
    """

    __slots__ = ("account", "chain", "checks", "clock", "current", "on_stop", "tripped", "watch")

    def __init__(self, watch: MemoryWatch) -> None:
        self.account = Account(_IDLE_UNITS, _IDLE_UNITS)
        self.clock: StepClock = IDLE
        self.current: Iterator[int] = iter(b"")
        self.checks = 0
        self.on_stop: Callable[[], None] = _nothing
        self.watch = watch
        self.tripped: LimitReached | None = None
        self.chain: Iterator[int] = itertools.chain.from_iterable(self)
        next(self.chain)  # so that there is a slice to fill
        self.account.left += 1

    def __iter__(self) -> FuelSource:
        return self

    def __next__(self) -> Iterator[int]:
        if self.tripped is not None:
            raise self.tripped.again()
        account = self.account
        if account.left <= 0:
            self.trip("fuel", account.limit - account.left, account.limit, "units")
        self.checkpoint()
        units = min(SLICE, account.left)
        account.left -= units
        self.current = slice_ = iter(_ONES)
        slice_.__setstate__(SLICE - units)  # type: ignore[attr-defined]
        return slice_

    def refill(self, slice_: Iterator[int], owed: int) -> None:
        """Take `owed` units beyond the running slice from the account, and fill the slice again: a checkpoint.

        The chain steps on through the same slice. It can be filled since it was never stepped past its end: that ends
        it for good, and the chain asks for another at once.
        """
        slice_.__setstate__(SLICE)  # type: ignore[attr-defined]
        account = self.account
        account.left -= owed
        if account.left < 0:
            self.trip("fuel", account.limit - account.left, account.limit, "units")
        self.checkpoint()
        units = min(SLICE, account.left)
        account.left -= units
        slice_.__setstate__(SLICE - units)  # type: ignore[attr-defined]

    def checkpoint(self) -> None:
        """Trip where the step or its call has used its time, or the sandbox its memory."""
        self.checks += 1
        if not self.checks % _LOOK_EVERY:
            self.watch.look()
        if time.thread_time() > self.clock.deadline:
            used_ms = self.clock.own_s() * 1_000
            if used_ms > (self.clock.limit_ms or 0.0):
                self.trip("step_time", used_ms, self.clock.limit_ms, "ms")
        call = self.account.deadline
        if call is not None and call.is_due:
            self.trip("call_time", call.elapsed_ms, call.limit_ms, "ms")
        if self.tripped is not None:  # from another thread, or by the breaker just now
            raise self.tripped.again()

    def trip(self, resource: str, used: float | None = None, limit: float | None = None, unit: str = "") -> NoReturn:
        """End this sandbox: the first trip stays, and is what every later one raises."""
        raise self.stop(LimitReached(resource, used, limit, unit)).again()

    def stop(self, limit: LimitReached) -> LimitReached:
        """End this sandbox from anywhere, in any thread: no unit is left, neither in the slice nor behind it."""
        if self.tripped is None:
            self.tripped = limit
            self.settle()
            with contextlib.suppress(LimitReached):
                next(self.chain, None)  # raises, and a chain whose source has raised is exhausted
            self.on_stop()
        return self.tripped

    def settle(self) -> None:
        """Give the rest of the slice back to its account."""
        self.account.left += self.current.__length_hint__()  # type: ignore[attr-defined]
        self.current.__setstate__(SLICE)  # type: ignore[attr-defined]


def _nothing() -> None:
    """Tell nobody."""
