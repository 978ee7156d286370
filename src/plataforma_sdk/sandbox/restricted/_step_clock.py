"""The clock of one step: the processor time of its thread, without what the host does meanwhile.

Processor time, not wall time: a busy machine must not end an innocent module. Two things are taken off it: what a host
function takes on top of the module's stack (`pause`, `resume`), and full garbage collections, see `_collector`.
"""

from __future__ import annotations

import time
from typing import Final

from plataforma_sdk.sandbox._collector import forgiven_s

__all__ = ["IDLE", "StepClock"]

_ENDLESS: Final = float("inf")
_SHORT_S: Final = 0.001
"""A time this short held no collection worth asking for."""


class StepClock:
    """Times one step; made when it begins.

    Args:
        limit_ms: what the step may take, or None.

    Attributes:
        deadline: a moment of the thread's processor time before which the step cannot be over; infinite without limit.
    """

    __slots__ = ("_began", "_counted_from", "deadline", "limit_ms")

    def __init__(self, limit_ms: float | None) -> None:
        self.limit_ms = limit_ms
        self._began = self._counted_from = now = time.thread_time()
        self.deadline = _ENDLESS if limit_ms is None else now + limit_ms / 1_000

    def own_s(self) -> float:
        """Return the seconds that the step has used itself."""
        now = time.thread_time()
        used = now - self._began
        return used if now - self._counted_from < _SHORT_S else used - forgiven_s(self._counted_from, now)

    def pause(self) -> float:
        """Stop the clock while the host works on the module's stack; hand the result to `resume`."""
        now = time.thread_time()
        if now - self._counted_from >= _SHORT_S:
            self._take_off(forgiven_s(self._counted_from, now))
        return now

    def resume(self, since: float) -> None:
        """Take the host's time off the step, the collections in it included."""
        self._counted_from = now = time.thread_time()
        self._take_off(now - since)

    def _take_off(self, seconds: float) -> None:
        self._began += seconds
        self.deadline += seconds


IDLE: Final = StepClock(None)
"""Stands where no step is under way."""
