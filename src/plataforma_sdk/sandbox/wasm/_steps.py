"""Times a guest: processor time of each slice, and of the step that is under way.

Processor time, not wall time: a busy machine must not end an innocent module.
"""

from __future__ import annotations

import time

__all__ = ["StepClock"]


class StepClock:
    """Belongs to one guest; a pump is a row of slices, and holds one or more steps.

    Attributes:
        step_ms: processor time of the step so far, as of the end of the last slice.
    """

    __slots__ = ("_slice_began", "_step_began", "step_ms")

    def __init__(self) -> None:
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

    def end_slice(self) -> float:
        """The guest has yielded or ended; return the slice's milliseconds."""
        now = time.thread_time()
        self.step_ms += (now - self._step_began) * 1_000
        return (now - self._slice_began) * 1_000
