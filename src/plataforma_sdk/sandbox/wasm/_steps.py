"""Times a guest: processor time of each slice, and of the step that is under way.

Processor time, not wall time: a busy machine must not end an innocent module. And without the host's own garbage
collections, which may begin in whatever a guest calls.
"""

from __future__ import annotations

import time
from typing import Final

from plataforma_sdk.sandbox._collector import forgiven_s, watch_collections

__all__ = ["StepClock"]

_SHORT_S: Final = 0.001
"""A slice this short held no collection worth asking for, and no other process's turn worth telling apart."""


class StepClock:
    """Belongs to one guest; a pump is a row of slices, and holds one or more steps.

    Attributes:
        step_ms: processor time of the step so far, as of the end of the last slice.
    """

    __slots__ = ("_is_first", "_slice_began", "_slice_wall", "_step_began", "_step_wall", "step_ms")

    def __init__(self) -> None:
        watch_collections()
        self.step_ms = 0.0
        self._is_first = False
        self._slice_began = self._slice_wall = 0.0
        self._step_began = self._step_wall = 0.0

    def begin_pump(self) -> None:
        """The first step of a pump begins."""
        self.step_ms = 0.0
        self._is_first = True

    def begin_slice(self) -> None:
        """The guest runs."""
        self._slice_began = self._step_began = time.thread_time()
        self._slice_wall = self._step_wall = time.perf_counter()

    def begin_step(self) -> None:
        """Within a slice, the guest says that another step begins."""
        self.step_ms = 0.0
        self._step_began = time.thread_time()
        self._step_wall = time.perf_counter()

    def running_ms(self) -> float:
        """Within a slice, return the processor time of the step so far."""
        return self.step_ms + _own_s(self._step_began, time.thread_time()) * 1_000

    def end_slice(self) -> float:
        """The guest has yielded or ended; return the slice's milliseconds.

        Of a pump's first slice, if it was short, the wall time is taken for the processor time: that is a system call
        less for each call, 0.4 µs, and wrong by less than a millisecond where another process came in between.
        """
        wall = time.perf_counter()
        is_first, self._is_first = self._is_first, False
        if is_first and wall - self._slice_wall < _SHORT_S:
            self.step_ms += (wall - self._step_wall) * 1_000
            return (wall - self._slice_wall) * 1_000
        now = time.thread_time()
        self.step_ms += _own_s(self._step_began, now) * 1_000
        return _own_s(self._slice_began, now) * 1_000


def _own_s(began: float, now: float) -> float:
    return now - began - forgiven_s(began, now)
