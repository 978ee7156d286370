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

After the first trip the chain is exhausted for good: every loop of the module ends in ``dead()``. It fails closed.

Tried and rejected: ``sys.settrace`` (5x to 15x slower), ``sys.monitoring`` (2.8x), a counter in a cell or global
(1.6x and not atomic with a trip), slices that adapt to elapsed time (checkpoints would move with the machine).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

import attrs

__all__ = ["LARGE_TEXT", "SLICE", "Account", "FuelSource", "LimitReached", "Meter"]

SLICE: Final = 1024
"""Units between two checkpoints: each reads the clock of the thread, about 1 µs, so 1 ns of it falls on a unit."""

_ONES: Final = b"\x01" * SLICE
_RSS_MASK: Final = 7
"""Every 8th checkpoint looks at the process's memory; the first of a step sets the mark."""

_BREATH_MASK: Final = 15
"""Every 16th awaited host call that was answered at once gives the event loop a turn."""

_BREAKER: Final = 2
LARGE_TEXT: Final = 1 << 16
"""Bytes of a text that is no longer cheap: comparing two takes some microseconds."""

_TEXT_TYPES: Final = frozenset({str, bytes})
_IDLE_UNITS: Final = 10_000
_NO_DEADLINE: Final = float("inf")


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


@attrs.define(eq=False)
class Account:
    """What one call, or one background task, may still use.

    Attributes:
        limit: units granted.
        left: units not yet handed out.
        step_ms: processor time of one step; None where it is exempt (loading).
        is_renewed: whether each step begins with `limit` units: background tasks, which have no end.
    """

    limit: int
    left: int
    step_ms: float | None = None
    is_renewed: bool = False


class FuelSource:
    """The outer iterator of the chain: hands out slices, and checks budget and clock while it does."""

    __slots__ = ("_checks", "_rss_at_start", "account", "breaker", "current", "deadline", "step_began", "tripped")

    def __init__(self, breaker: int) -> None:
        self.breaker = breaker
        self._checks = 0
        self._rss_at_start = 0
        self.account = Account(_IDLE_UNITS, _IDLE_UNITS)
        self.current: Iterator[int] = iter(b"")
        self.deadline = _NO_DEADLINE
        self.step_began = 0.0
        self.tripped: LimitReached | None = None

    def __iter__(self) -> FuelSource:
        return self

    def __next__(self) -> Iterator[int]:
        if self.tripped is not None:
            raise self.tripped
        account = self.account
        if account.left <= 0:
            self.trip("fuel", account.limit - account.left, account.limit, "units")
        self.check_clock()
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
        self.check_clock()
        units = min(SLICE, account.left)
        account.left -= units
        slice_.__setstate__(SLICE - units)  # type: ignore[attr-defined]

    def check_clock(self) -> None:
        """Trip where the step has used its processor time, or the process has grown out of all proportion."""
        self._checks += 1
        if not self._checks & _RSS_MASK:
            self._check_rss()
        if self.deadline != _NO_DEADLINE:
            now = time.thread_time()
            if now > self.deadline:
                used = (now - self.step_began) * 1_000
                self.trip("step_time", used, self.account.step_ms, "ms")

    def _check_rss(self) -> None:
        """The breaker behind the account: small objects are not charged one by one."""
        rss = _PROCESS.read()
        if self._checks == _RSS_MASK + 1:
            self._rss_at_start = rss
        elif rss - self._rss_at_start > self.breaker:
            self.trip("memory", rss - self._rss_at_start, self.breaker, "bytes of the process")

    def begin_step(self) -> None:
        """Count the process's growth from here."""
        self._checks = 0

    def trip(self, resource: str, used: float | None = None, limit: float | None = None, unit: str = "") -> NoReturn:
        """End this sandbox: the first trip stays, and is what every later one raises."""
        if self.tripped is None:
            self.tripped = LimitReached(resource, used, limit, unit)
        raise self.tripped


@attrs.frozen
class _Suspended:
    account: Account
    deadline: float
    step_began: float


class Share:
    """A share of a processor, in milliseconds a second: the next step waits until the last ones are paid for."""

    def __init__(self, ms_per_s: int) -> None:
        self._rate = ms_per_s / 1_000
        self._since = time.monotonic()
        self.used_s = 0.0

    async def wait(self) -> None:
        """Wait as long as more was used than earned; never longer than a second at once."""
        earned = (time.monotonic() - self._since) * self._rate
        if self.used_s > earned:
            await asyncio.sleep(min((self.used_s - earned) / self._rate, 1.0))
        elif earned - self.used_s > self._rate:  # what was not used is not saved up beyond a second
            self._since, self.used_s = time.monotonic(), 0.0


class Meter:
    """Measures one sandbox: fuel, processor time of a step, and charged memory.

    One thread at a time; steps nest where the host calls back into the sandbox.

    Attributes:
        fuel: the iterator that instrumented code steps through.
        cpu_s: processor time of all steps so far.
        fuel_used: units used by all steps so far.
        allocated: bytes charged in this step.
        retained: bytes that survived the last measurement; set by `MemoryAccount`.
        charged: bytes charged since the last measurement.
        cheap: types that are cheap to compare, by the texts made so far.
        hiding: types that may cost more to hash than they show, or to compare once hashed.
        largest: bytes of the largest allocation charged so far; no text of the module is larger.
        memory_limit: bytes.
        share: the module's share of a processor, or None.
    """

    __slots__ = (
        "_answers",
        "_source",
        "allocated",
        "charge",
        "charged",
        "cheap",
        "cpu_s",
        "fuel",
        "fuel_used",
        "hiding",
        "largest",
        "memory_limit",
        "retained",
        "share",
    )

    def __init__(self, memory_limit: int) -> None:
        self._source = FuelSource(memory_limit * _BREAKER)
        self.fuel = itertools.chain.from_iterable(self._source)
        next(self.fuel)  # so that there is a slice to fill
        self._source.account.left += 1
        self.cpu_s = 0.0
        self.fuel_used = 0
        self.allocated = 0
        self.largest = 0
        self.cheap: set[type] = {int, float, bool, complex, type(None)} | _TEXT_TYPES
        self.hiding: set[type] = {tuple, frozenset, slice}
        self.retained = 0
        self.charged = 0
        self.memory_limit = memory_limit
        self.share: Share | None = None
        self._answers = 0
        self.charge = self._make_charge()

    def _make_charge(self) -> Callable[[int], None]:
        """Build ``charge(units)``: O(1), moves the shared slice forward. A closure: it is the hottest guard of all."""
        source = self._source

        def charge(units: int) -> None:
            if source.tripped is not None:
                raise source.tripped
            slice_ = source.current
            have = slice_.__length_hint__()  # type: ignore[attr-defined]
            if units < have:
                slice_.__setstate__(SLICE - have + units)  # type: ignore[attr-defined]
            else:
                source.refill(slice_, units - have)

        return charge

    def take(self, units: int) -> int:
        """Charge `units` or what is left of the account, at least one, and return how many: a stretch of loop turns."""
        source = self._source
        have: int = source.current.__length_hint__()  # type: ignore[attr-defined]
        if units < have or source.tripped is not None:
            self.charge(units)
            return units
        left = have + source.account.left
        if left <= 0:
            self.charge(1)  # trips
        granted = min(units, left)
        self.charge(granted)
        return granted

    @property
    def tripped(self) -> LimitReached | None:
        """The limit that ended this sandbox, or None."""
        return self._source.tripped

    @property
    def account(self) -> Account:
        """The account of the running step."""
        return self._source.account

    def trip(self, resource: str, used: float | None = None, limit: float | None = None, unit: str = "") -> NoReturn:
        """End this sandbox by a hard limit."""
        self._source.trip(resource, used, limit, unit)

    def check(self) -> None:
        """Raise the limit that has tripped, if one has; used wherever guest code could have swallowed it."""
        if self._source.tripped is not None:
            raise self._source.tripped

    def alloc(self, size: int) -> None:
        """Charge bytes about to be allocated, or just allocated."""
        self.allocated += size
        if size > self.largest:
            self._see_large(size)
        if self.allocated + self.retained > self.memory_limit:
            self.trip("memory", self.allocated + self.retained, self.memory_limit, "bytes")

    def _see_large(self, size: int) -> None:
        """Note the largest allocation; with a large text about, comparing and hashing texts is cheap no longer."""
        self.largest = size
        if size >= LARGE_TEXT:
            self.cheap -= _TEXT_TYPES
            self.hiding |= _TEXT_TYPES

    def reserve(self, size: int) -> None:
        """Refuse an allocation that cannot fit, before it is made; what was made is charged by `alloc`."""
        if size + self.allocated + self.retained > self.memory_limit:
            self.trip("memory", size + self.allocated + self.retained, self.memory_limit, "bytes")

    # --- steps ---------------------------------------------------------------------------------------------------

    def enter(self, account: Account) -> _Suspended:
        """Begin a step on `account`; hand the result to `leave`."""
        source = self._source
        outer = _Suspended(source.account, source.deadline, source.step_began)
        self._settle()
        if account.is_renewed:
            account.left = account.limit
        source.account = account
        source.begin_step()
        source.step_began = time.thread_time()
        source.deadline = _NO_DEADLINE if account.step_ms is None else source.step_began + account.step_ms / 1_000
        self.fuel_used += account.left
        return outer

    def leave(self, outer: _Suspended) -> None:
        """End the step begun by `enter`: count what it used."""
        source = self._source
        self._settle()
        self.fuel_used -= max(source.account.left, 0)
        used = time.thread_time() - source.step_began
        self.cpu_s += used
        if self.share is not None:
            self.share.used_s += used
        self.charged += self.allocated
        source.account, source.deadline, source.step_began = outer.account, outer.deadline, outer.step_began
        if source.step_began == 0.0:
            source.account.left = source.account.limit  # idle: finalizers of generators may run between steps
        self.retained += self.allocated
        self.allocated = 0

    def pause(self) -> float:
        """Stop the clock while the host works on the guest's stack; hand the result to `resume`."""
        return time.thread_time()

    def resume(self, since: float) -> None:
        """Take the host's time off the step."""
        away = time.thread_time() - since
        self._source.deadline += away
        self._source.step_began += away

    def is_breath_due(self) -> bool:
        """Whether the host answered so often without waiting that the event loop should have a turn."""
        self._answers += 1
        return not self._answers & _BREATH_MASK

    def _settle(self) -> None:
        """Give the rest of the running slice back to its account."""
        slice_ = self._source.current
        self._source.account.left += slice_.__length_hint__()  # type: ignore[attr-defined]
        slice_.__setstate__(SLICE)  # type: ignore[attr-defined]


class _ProcessMemory:
    """Reads the process's resident memory; the file is opened anew after a fork, since it stays the parent's."""

    def __init__(self) -> None:
        self._pid = 0
        self._file = -1

    def read(self) -> int:
        """Bytes resident, or 0 where the system does not tell."""
        if self._pid != os.getpid():
            self._open()
        return int(os.pread(self._file, 64, 0).split()[1]) * _PAGE if self._file >= 0 else 0

    def _open(self) -> None:
        self._pid = os.getpid()
        try:
            self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1  # no Linux: the account alone must do


_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_PROCESS: Final = _ProcessMemory()
