"""Guests take turns on the event loop: one slice of one guest for each turn of the loop.

A guest that outlives its first slice (500,000 units of fuel, well under a millisecond) is queued here and resumed round
robin, so a module that spins for ever costs its neighbours one slice and the loop nothing more. Nothing is scheduled
while no guest is runnable.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import Final, Protocol

__all__ = ["FiberScheduler", "Resumable", "Scheduler", "scheduler_of"]


class Resumable(Protocol):
    """A guest between two slices.

    On its loop `resume` runs a slice. Where slices run in another thread, the loop lends the guest to it, the thread
    calls `run_slice` and nothing else, and the loop takes the guest back and settles.
    """

    def resume(self) -> bool:
        """Run one slice and return whether the guest has ended; raises interrupts only."""

    def delay_s(self) -> float:
        """How long the guest must still wait for its share of the processor; 0.0 for not at all."""

    def lend(self) -> bool:
        """Leave the guest to another thread until `take_back`; false where it has ended already."""

    def run_slice(self) -> tuple[bool, float]:
        """Run one slice; return whether the guest has ended, and the processor time in milliseconds."""

    def take_back(self) -> None:
        """The other thread is done: free the guest if it was dropped meanwhile."""

    def settle(self, has_ended: bool, cpu_ms: float) -> bool:
        """Account for what `run_slice` returned; returns and raises as `resume` does."""


class Scheduler(Protocol):
    """Runs guests that have more to do.

    Attributes:
        is_inline: whether a guest's first slice runs at once, in the thread of its loop, before `add`.
    """

    is_inline: bool

    def add(self, fiber: Resumable, /) -> None:
        """Run a guest until it has ended."""


class FiberScheduler:
    """Round robin over the runnable guests of one loop."""

    is_inline = True

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[Resumable] = deque()
        self._is_armed = False

    def add(self, fiber: Resumable) -> None:
        """Queue a guest that has yielded."""
        self._queue.append(fiber)
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        fiber = self._queue.popleft()
        try:
            self._run(fiber)
        finally:  # an interrupt, of the keyboard for one, must not stop the others
            self._is_armed = bool(self._queue)
            if self._is_armed:
                self._loop.call_soon(self._turn)

    def _run(self, fiber: Resumable) -> None:
        delay = fiber.delay_s()
        if delay > 0.0:
            self._loop.call_later(delay, self.add, fiber)
        elif not fiber.resume():
            self._queue.append(fiber)


_SCHEDULERS: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, FiberScheduler]] = weakref.WeakKeyDictionary()


def scheduler_of(loop: asyncio.AbstractEventLoop) -> FiberScheduler:
    """Return the loop's one scheduler, so that guests of different hosts on it take turns too."""
    scheduler = _SCHEDULERS.get(loop)
    if scheduler is None:
        scheduler = _SCHEDULERS[loop] = FiberScheduler(loop)
    return scheduler
