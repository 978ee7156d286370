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
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, NoReturn, Protocol

import attrs

from plataforma_sdk.sandbox._collector import watch_collections
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox.restricted._breaker import PROCESS, MemoryBreaker
from plataforma_sdk.sandbox.restricted._share import Share
from plataforma_sdk.sandbox.restricted._step_clock import IDLE, StepClock

__all__ = ["SLICE", "Account", "FuelSource", "LimitReached", "Meter"]

SLICE: Final = 2048
"""Units between two checkpoints: each takes about 1 µs, so half a nanosecond of it falls on a unit, 2 % of the tightest
loop. Twice as many gain 1 % more, and let a body of fifty statements run for a quarter of a second unseen."""

_ONES: Final = b"\x01" * SLICE
_LOOK_EVERY: Final = 2
"""Every 2nd checkpoint of a step looks at memory; the 1st comes before anything has been done."""

_BREATH_MASK: Final = 15
"""Every 16th awaited host call that was answered at once gives the event loop a turn."""

_IDLE_UNITS: Final = 10_000
_EARLY: Final = 8
"""A step is watched from its first look on, or when it has been charged an eighth of its memory, whichever is first."""


class LimitReached(BaseException):
    """A hard limit. Not an `Exception`: guest code can neither name nor match it.

    Attributes:
        resource: ``"fuel"``, ``"memory"``, ``"step_time"``, ``"call_time"`` or ``"stack"``.
    """

    def __init__(self, resource: str, used: float | None = None, limit: float | None = None, unit: str = "") -> None:
        super().__init__(f"{resource} limit reached")
        self.resource = resource
        self.used = used
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

    def note(self) -> None:
        """Note what the step that ends has done; does not trip."""

    def examine(self, meter: Meter, size: int) -> None:
        """Decide whether `size` more bytes may be held: trip, or set `Meter.alarm` anew."""


class _Unwatched:
    """Takes what was charged for what is held."""

    def look(self) -> None:
        """See `MemoryWatch`."""

    note = look

    def examine(self, meter: Meter, size: int) -> None:
        """See `MemoryWatch`."""
        held = meter.balance + size
        if held > meter.memory_limit:
            meter.trip("memory", held, meter.memory_limit, "bytes")
        meter.alarm = meter.memory_limit - meter.retained


class FuelSource:
    """The outer iterator of the chain: hands out slices, and checks budget, clocks and memory while it does.

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

    def __init__(self) -> None:
        self.account = Account(_IDLE_UNITS, _IDLE_UNITS)
        self.clock = IDLE
        self.current: Iterator[int] = iter(b"")
        self.checks = 0
        self.on_stop: Callable[[], None] = _nothing
        self.watch: MemoryWatch = _Unwatched()
        self.tripped: LimitReached | None = None
        self.chain: Iterator[int] = itertools.chain.from_iterable(self)

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


class Meter:
    """Measures one sandbox: fuel, processor time of a step, and charged memory.

    One thread at a time; steps nest where the host calls back into the sandbox.

    Args:
        memory_limit: bytes that the sandbox may hold.
        breaker: stops the largest account where the whole process is too large.

    Attributes:
        fuel: the iterator that instrumented code steps through.
        charge: ``charge(units)`` burns fuel for work done in C.
        cpu_s: processor time of all steps so far.
        fuel_used: units used by all steps so far.
        allocated: bytes charged in this step.
        retained: bytes that survived the last measurement; set by `MemoryAccount`.
        charged: bytes charged since the last measurement, but for this step's.
        alarm: bytes of `allocated` beyond which the watch is asked; it sets this anew.
        grown: bytes that the process grew by and that nobody has measured yet.
        steps: outermost steps so far.
        suspended: coroutines of the module's under way, roots of what it holds.
        share: the module's share of a processor, or None.
    """

    __slots__ = (
        "__weakref__",
        "_answers",
        "alarm",
        "allocated",
        "charge",
        "charged",
        "cpu_s",
        "fuel",
        "fuel_used",
        "grown",
        "memory_limit",
        "retained",
        "share",
        "source",
        "steps",
        "suspended",
    )

    def __init__(self, memory_limit: int, breaker: MemoryBreaker = PROCESS) -> None:
        watch_collections()
        self.source = FuelSource()
        self.fuel = self.source.chain
        self.charge = self._make_charge()
        self.cpu_s = 0.0
        self.fuel_used = 0
        self.memory_limit = memory_limit
        self.allocated = self.retained = self.charged = self.grown = 0
        self.alarm = memory_limit
        self.steps = 0
        self.suspended: set[Coroutine[Any, Any, Any]] = set()
        self.share: Share | None = None
        self._answers = 0
        breaker.join(self)

    def _make_charge(self) -> Callable[[int], None]:
        """Build ``charge(units)``: O(1), moves the shared slice forward. A closure: it is the hottest guard of all."""
        source = self.source

        def charge(units: int) -> None:
            if source.tripped is not None:
                raise source.tripped.again()
            slice_ = source.current
            have = slice_.__length_hint__()  # type: ignore[attr-defined]
            if units < have:
                slice_.__setstate__(SLICE - have + units)  # type: ignore[attr-defined]
                return
            slice_.__setstate__(SLICE)  # type: ignore[attr-defined]
            account = source.account
            account.left -= units - have
            if account.left < 0:
                source.trip("fuel", account.limit - account.left, account.limit, "units")
            source.checkpoint()

        return charge

    # --- limits --------------------------------------------------------------------------------------------------

    @property
    def tripped(self) -> LimitReached | None:
        """The limit that ended this sandbox, or None."""
        return self.source.tripped

    @property
    def is_stopped(self) -> bool:
        """Whether a limit has ended this sandbox."""
        return self.source.tripped is not None

    @property
    def account(self) -> Account:
        """The account of the running step."""
        return self.source.account

    def trip(self, resource: str, used: float | None = None, limit: float | None = None, unit: str = "") -> NoReturn:
        """End this sandbox by a hard limit."""
        self.source.trip(resource, used, limit, unit)

    def stop(self, resource: str, used: float | None = None, limit: float | None = None, unit: str = "") -> None:
        """End this sandbox from outside, in any thread: running code raises at its next unit, waiting code never."""
        self.source.stop(LimitReached(resource, used, limit, unit))

    def check(self) -> None:
        """Raise the limit that has tripped, if one has; used wherever guest code could have swallowed it."""
        if self.source.tripped is not None:
            raise self.source.tripped.again()

    # --- memory --------------------------------------------------------------------------------------------------

    @property
    def balance(self) -> int:
        """Bytes that the sandbox is known or believed to hold."""
        return self.retained + self.allocated + self.grown

    def alloc(self, size: int) -> None:
        """Charge bytes about to be allocated, or just allocated."""
        if self.allocated + size > self.alarm:
            self.source.watch.examine(self, size)
        self.allocated += size

    def reserve(self, size: int) -> None:
        """Refuse an allocation that cannot fit, before it is made; what was made is charged by `alloc`."""
        if self.allocated + size > self.alarm:
            self.source.watch.examine(self, size)

    # --- steps ---------------------------------------------------------------------------------------------------

    def enter(self, account: Account) -> tuple[Account, StepClock]:
        """Begin a step on `account`; hand the result to `leave`.

        Raises:
            LimitReached: the sandbox has been ended: nothing of it is ever resumed.
        """
        source = self.source
        if source.tripped is not None:
            raise source.tripped.again()
        outer = source.account, source.clock
        source.settle()
        if account.is_renewed:
            account.left = account.limit
        if source.clock is IDLE:
            self.steps += 1
            source.checks = 0
        source.account = account
        source.clock = StepClock(account.step_ms)
        self.fuel_used += account.left
        return outer

    def leave(self, outer: tuple[Account, StepClock]) -> None:
        """End the step begun by `enter`: count what it used."""
        source = self.source
        source.settle()
        self.fuel_used -= max(source.account.left, 0)
        used = source.clock.own_s()
        self.cpu_s += used
        if self.share is not None:
            self.share.used_s += used
        if source.checks > _LOOK_EVERY:
            source.watch.note()
        source.account, source.clock = outer
        if source.clock is IDLE:
            source.account.left = source.account.limit  # finalizers of generators may run between steps
        self.charged += self.allocated
        self.retained += self.allocated
        self.allocated = 0
        self.alarm = min(self.memory_limit // _EARLY, self.memory_limit - self.retained)

    def pause(self) -> float:
        """Stop the clock while the host works on the guest's stack; hand the result to `resume`."""
        return self.source.clock.pause()

    def resume(self, since: float) -> None:
        """Take the host's time off the step."""
        self.source.clock.resume(since)

    def is_breath_due(self) -> bool:
        """Whether the host answered so often without waiting that the event loop should have a turn."""
        self._answers += 1
        return not self._answers & _BREATH_MASK


def _nothing() -> None:
    """Tell nobody."""
