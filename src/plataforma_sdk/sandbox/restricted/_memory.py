"""The account of memory that a module holds: its own, and the same in every run.

What operations of some size allocate is charged, and adds up within a step. Where the sum would pass the limit, what
the module can still reach is measured, and that is the verdict: a page built by ``html += row`` charges every text that
it ever was, and holds the last. So the sum says when to measure, the measure says what is held, and both depend on the
program alone.

Small objects are not charged one by one, so beside the sum stands what the process grew by (`_growth`). It sends for a
thorough measure where it and what was held before would pass the limit. And a step that made the process grow by more
than the whole limit trips without one: what lies in the temporaries of a running frame, a list that a comprehension is
still building, is out of reach of any measure.

Tried and rejected: the process's RSS as the verdict (it is everybody's: judging one module by it ends the wrong one),
tracemalloc (2x slower, and blind to who allocates), 64 bytes for each unit of fuel as the verdict (ends innocent
loops), a measure for each so many units of fuel (0.3 µs an object, again and again, where nothing has grown),
`sys.getallocatedblocks` (of all threads, and 3 ms on a large heap), the stacks of running frames (no API shows them).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._breaker import MemoryBreaker
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._growth import Growth, System
from plataforma_sdk.sandbox.restricted._reach import Reach

__all__ = ["MemoryAccount"]

_UNITS_AN_OBJECT: Final = 400
_LEAST_UNITS: Final = 20_000
"""Work after which a module is measured anew, though little was charged: small objects are not. A walk takes 8 units
an object."""

_SHARE: Final = 4
"""A quarter of the limit is worth a measure."""

_GIVEN_EVERY_S: Final = 10.0
"""How often a measure within a step is taken off its clock."""

_MOST_CHURN: Final = 8
"""Where growth is not known, a step may be charged this many times its limit before it trips, whatever is measured."""

_BREAKER_EVERY: Final = 16
"""Which look or glance asks the process's breaker."""


class MemoryAccount:
    """Measures what one sandbox holds, and trips where that is too much.

    Args:
        meter: where the balance is kept.
        reach: finds what the module can reach.
        roots: returns what the module holds beside the globals of its files: the author's object, tasks, handlers.
        breaker: stops the largest account where the whole process is too large.
        system: where the counters of the process are read.
    """

    def __init__(
        self,
        meter: Meter,
        reach: Reach,
        roots: Callable[[], Iterable[Any]],
        breaker: MemoryBreaker,
        system: System = System(),  # noqa: B008 - frozen
    ) -> None:
        self._meter = meter
        self._reach = reach
        self._roots = roots
        self._breaker = breaker
        self._limit = meter.memory_limit
        self._growth = Growth(self._limit, system)
        self._thorough = 0
        self._due_at = -1
        self._step = -1
        self._churned = self._grown = self._turns = 0
        self._given_at = -_GIVEN_EVERY_S

    # --- between steps ---------------------------------------------------------------------------------------------

    def settle(self) -> int:
        """Measure, where enough was charged or done since the last time; return the balance in bytes.

        Cost: one walk over the module's objects, after loading, for each quarter of the limit charged, and where the
        module has worked for 50 times as long as the walk will take.
        """
        meter = self._meter
        if meter.is_stopped:
            return meter.retained
        if meter.charged > self._limit // _SHARE or meter.fuel_used > self._due_at:
            meter.charged = 0
            meter.retained = self._measure()
            self._due_at = meter.fuel_used + _LEAST_UNITS + _UNITS_AN_OBJECT * self._reach.visited
            self._stop_beyond(meter.retained)
        return meter.retained

    def glance(self) -> None:
        """Measure where the process has grown so much that it may be this module's doing. See `MemoryWatch`."""
        if not self._meter.is_stopped and self._growth.of_process() > self._spare:
            self._stop_beyond(self._measure_thoroughly())
        self._ask_breaker()

    def _stop_beyond(self, held: int) -> None:
        if held > self._limit:
            self._meter.stop("memory", held, self._limit, "bytes")

    # --- within a step -------------------------------------------------------------------------------------------

    def examine(self, size: int) -> None:
        """Measure where what was charged in this step, and `size` more bytes, pass the limit. See `MemoryWatch`."""
        meter = self._meter
        self._note()
        if meter.retained + meter.allocated + size <= self._limit:
            meter.alarm = self._limit - meter.retained
            return
        self._churned += meter.allocated
        if not self._growth.is_known and self._churned > self._limit * _MOST_CHURN:
            meter.trip("memory", self._churned, self._limit * _MOST_CHURN, "bytes charged in one step")
        held = self._in_step(self._measure)
        if held + size > self._limit:
            meter.trip("memory", held + size, self._limit, "bytes")
        meter.retained, meter.allocated, meter.charged = held, 0, 0
        meter.alarm = self._limit - held

    def look(self) -> None:
        """Trip where this step made the process grow beyond the limit; measure where it may have, with the rest."""
        self._note()
        grown = self._growth.of_step()
        if grown >= self._limit:
            self._meter.trip("memory", grown, self._limit, "bytes that one step made the process grow by")
        if grown > max(self._spare, self._grown + self._limit // _SHARE):
            self._grown = grown
            held = self._in_step(self._measure_thoroughly)
            if held > self._limit:
                self._meter.trip("memory", held, self._limit, "bytes")
        self._ask_breaker()

    def _note(self) -> None:
        meter = self._meter
        if self._step != meter.steps:
            self._step = meter.steps
            self._churned = self._grown = 0
            self._growth.begin_step()
        self._growth.look(meter.source.checks, meter.allocated)
        meter.grown = self._growth.touched

    def _in_step(self, measure: Callable[[], int]) -> int:
        """Measure, now and then on the host's time: large honest modules need it once. A habit is the module's time."""
        now = time.monotonic()
        if now - self._given_at < _GIVEN_EVERY_S:
            return measure()
        self._given_at = now
        since = self._meter.pause()
        try:
            return measure()
        finally:
            self._meter.resume(since)

    # --- measuring -------------------------------------------------------------------------------------------------

    def _measure(self, *, is_thorough: bool = False) -> int:
        roots = [*self._roots(), *self._meter.suspended]
        return self._reach.measure(roots, sys._getframe(), self._limit, is_thorough=is_thorough)  # noqa: SLF001

    def _measure_thoroughly(self) -> int:
        """Measure as a verdict on growth. It sets no balance, which would then depend on the system."""
        self._thorough = self._measure(is_thorough=True)
        self._growth.restart()
        return self._thorough

    @property
    def _spare(self) -> int:
        """Growth that needs no measure: what was left of the limit, and a quarter of it, to be worth one."""
        return max(self._limit - self._thorough, 0) + self._limit // _SHARE

    def _ask_breaker(self) -> None:
        self._turns += 1
        if not self._turns % _BREAKER_EVERY:
            self._breaker.look()
