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
"""A slice this short held no collection worth asking for."""


class StepClock:
    """Belongs to one guest; a pump is a row of slices, and holds one or more steps.

    Attributes:
        step_ms: processor time of the step so far, as of the end of the last slice.
    """

    __slots__ = ("_slice_began", "_step_began", "step_ms")

    def __init__(self) -> None:
        watch_collections()
        self.step_ms = 0.0
        self._slice_began = 0.0
        self._step_began = 0.0

    def begin_pump(self) -> None:
        """The first step of a pump begins."""
        self.step_ms = 0.0

    def begin_slice(self) -> None:
        """The guest runs."""
        self._slice_began = self._step_began = time.thread_time()

    def begin_step(self) -> None:
        """Within a slice, the guest says that another step begins."""
        self.step_ms = 0.0
        self._step_began = time.thread_time()

    def running_ms(self) -> float:
        """Within a slice, return the processor time of the step so far."""
        return self.step_ms + _own_s(self._step_began, time.thread_time()) * 1_000

    def end_slice(self) -> float:
        """The guest has yielded or ended; return the slice's milliseconds."""
        now = time.thread_time()
        self.step_ms += _own_s(self._step_began, now) * 1_000
        return _own_s(self._slice_began, now) * 1_000


def _own_s(began: float, now: float) -> float:
    used = now - began
    return used if used < _SHORT_S else used - forgiven_s(began, now)
