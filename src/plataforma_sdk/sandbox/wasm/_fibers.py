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

__all__ = ["FiberScheduler", "Resumable", "scheduler_of"]


class Resumable(Protocol):
    """A guest between two slices."""

    def resume(self) -> bool:
        """Run one slice and return whether the guest has ended; raises interrupts only."""

    def delay_s(self) -> float:
        """How long the guest must still wait for its share of the processor; 0.0 for not at all."""


class FiberScheduler:
    """Round robin over the runnable guests of one loop."""

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
