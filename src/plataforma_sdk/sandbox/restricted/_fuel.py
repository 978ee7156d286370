"""The meter of one sandbox: what its steps burn, how long they take, what they are charged for memory.

A step is what the module does between two awaits. Each is entered on an account and left again; in between the module
runs on the fuel of `FuelSource`, whose checkpoints see to the limits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn, TypeAlias

from plataforma_sdk.sandbox._collector import watch_collections
from plataforma_sdk.sandbox.restricted._breaker import PROCESS, MemoryBreaker
from plataforma_sdk.sandbox.restricted._fuel_source import SLICE, Account, FuelSource, LimitReached
from plataforma_sdk.sandbox.restricted._share import Share
from plataforma_sdk.sandbox.restricted._step_clock import IDLE, StepClock

__all__ = ["LARGE_TEXT", "SLICE", "Account", "LimitReached", "Meter"]

_BREATH_MASK: Final = 15
"""Every 16th awaited host call that was answered at once gives the event loop a turn."""

LARGE_TEXT: Final = 1 << 16
"""Bytes of a text that is no longer cheap: comparing two takes some microseconds."""

_TEXT_TYPES: Final = frozenset({str, bytes})
_EARLY: Final = 8
"""A step is watched from its first look on, or when it has been charged an eighth of its memory, whichever is first."""

_GLANCE_UNITS: Final = 32_768
"""Memory is looked at after so many units in short steps, too: about a millisecond's worth."""

_Outer: TypeAlias = tuple[Account, StepClock, Any]
"""What a step finds and leaves behind: the account, the clock, the hooks for async generators."""


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
        cheap: types that are cheap to compare, by the texts made so far.
        hiding: types that may cost more to hash than they show, or to compare once hashed.
        on_large_text: called when texts leave the cheap types and enter the hiding ones.
        largest: bytes of the largest allocation charged so far; no text of the module is larger.
        grown: bytes that the process grew by and that nobody has measured yet.
        steps: outermost steps so far.
        suspended: coroutines of the module's under way, roots of what it holds.
        makes_async_generators: whether the module defines any.
        on_dropped: told of an async generator that the module dropped half way; None closes it on the spot.
        share: the module's share of a processor, or None.
    """

    __slots__ = (
        "__weakref__",
        "_answers",
        "_glance_at",
        "alarm",
        "allocated",
        "charge",
        "charged",
        "cheap",
        "cpu_s",
        "fuel",
        "fuel_used",
        "grown",
        "hiding",
        "largest",
        "makes_async_generators",
        "memory_limit",
        "on_dropped",
        "on_large_text",
        "retained",
        "share",
        "source",
        "steps",
        "suspended",
    )

    def __init__(self, memory_limit: int, breaker: MemoryBreaker = PROCESS) -> None:
        watch_collections()
        self.source = FuelSource(_Unwatched(self))
        self.fuel = self.source.chain
        self.charge = self._make_charge()
        self.cpu_s = 0.0
        self.fuel_used = 0
        self.memory_limit = memory_limit
        self.allocated = self.retained = self.charged = self.grown = 0
        self.alarm = memory_limit
        self.largest = 0
        self.cheap: set[type] = {int, float, bool, complex, type(None)} | _TEXT_TYPES
        self.hiding: set[type] = {tuple, frozenset, slice}
        self.on_large_text: Callable[[], None] = _nothing
        self.steps = 0
        self.suspended: set[Coroutine[Any, Any, Any]] = set()
        self.makes_async_generators = False
        self.on_dropped: Callable[[Any], None] | None = None
        self.share: Share | None = None
        self._answers = 0
        self._glance_at = 0
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
            else:
                source.refill(slice_, units - have)

        return charge

    def take(self, units: int) -> int:
        """Charge `units` or what is left of the account, at least one, and return how many: a stretch of loop turns."""
        source = self.source
        have: int = source.current.__length_hint__()  # type: ignore[attr-defined]
        if units < have or source.tripped is not None:
            self.charge(units)
            return units
        left = have + source.account.left
        granted = max(min(units, left), 1)
        self.charge(granted)
        return granted

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
            self.source.watch.examine(size)
        self.allocated += size
        if size > self.largest:
            self._see_large(size)

    def _see_large(self, size: int) -> None:
        """Note the largest allocation; with a large text about, comparing and hashing texts is cheap no longer."""
        self.largest = size
        if size >= LARGE_TEXT:
            self.cheap -= _TEXT_TYPES
            self.hiding |= _TEXT_TYPES
            self.on_large_text()

    def reserve(self, size: int) -> None:
        """Refuse an allocation that cannot fit, before it is made; what was made is charged by `alloc`."""
        if self.allocated + size > self.alarm:
            self.source.watch.examine(size)

    # --- steps ---------------------------------------------------------------------------------------------------

    def enter(self, account: Account) -> _Outer:
        """Begin a step on `account`; hand the result to `leave`.

        Raises:
            LimitReached: the sandbox has been ended: nothing of it is ever resumed.
        """
        source = self.source
        if source.tripped is not None:
            raise source.tripped.again()
        hooks = None
        if self.makes_async_generators:  # asyncio would finish them in a task of the host's, with the meter off
            hooks = sys.get_asyncgen_hooks()
            sys.set_asyncgen_hooks(None, self.on_dropped)
        outer = source.account, source.clock, hooks
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

    def leave(self, outer: _Outer) -> None:
        """End the step begun by `enter`: count what it used."""
        source = self.source
        source.settle()
        self.fuel_used -= max(source.account.left, 0)
        used = source.clock.own_s()
        self.cpu_s += used
        if self.share is not None:
            self.share.used_s += used
        source.account, source.clock, hooks = outer
        if hooks is not None:
            sys.set_asyncgen_hooks(*hooks)
        if source.clock is IDLE:
            source.account.left = source.account.limit  # finalizers of generators may run between steps
        self.charged += self.allocated
        self.retained += self.allocated
        self.allocated = 0
        self.alarm = min(self.memory_limit // _EARLY, self.memory_limit - self.retained)
        if self.fuel_used > self._glance_at and source.clock is IDLE:
            self._glance_at = self.fuel_used + _GLANCE_UNITS
            source.watch.glance()

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


class _Unwatched:
    """Takes what was charged for what is held."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def look(self) -> None:
        """See `MemoryWatch`."""

    glance = look

    def examine(self, size: int) -> None:
        """See `MemoryWatch`."""
        meter = self._meter
        held = meter.balance + size
        if held > meter.memory_limit:
            meter.trip("memory", held, meter.memory_limit, "bytes")
        meter.alarm = meter.memory_limit - meter.retained
