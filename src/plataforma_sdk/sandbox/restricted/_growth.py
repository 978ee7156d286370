"""What the steps of one sandbox made the process grow by, as the system counts it.

Small objects are not charged one by one, so a module may build a million of them within its budget of charged bytes.
Within a step the kernel counts the pages that its thread is the first to touch: what another thread of the host
allocates meanwhile is not in it. And that is bounded by what the code can have done: behind a checkpoint stand `SLICE`
units, each good for a few kilobytes that nobody charged; what exceeds that is a host function's own, called from the
step. A page that was touched may have been given back, so the resident memory of the process has to confirm it; it is
counted from its lowest, so that what the host gives back meanwhile hides nothing.

Between steps there is only resident memory, and everybody's growth in it: reason to measure, no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from plataforma_sdk.sandbox.restricted._process import faulted_bytes, resident_bytes

__all__ = ["Growth", "System"]

_UNCHARGED_BYTES: Final = 8 << 20
"""What may be made between two checkpoints without a charge: 4 KiB a unit."""

_PARTS: Final = 8
"""How often resident memory is asked for on the way to the limit."""


@attrs.frozen
class System:
    """Reads the system's counters, in bytes; 0 where it does not count.

    Attributes:
        faulted: what the running thread was the first to touch.
        resident: what of the process is in memory.
    """

    faulted: Callable[[], int] = faulted_bytes
    resident: Callable[[], int] = resident_bytes


class Growth:
    """Adds up the growth of one sandbox's steps.

    Args:
        limit: bytes by which a step may make the process grow.
        system: where the counters are read.

    Attributes:
        touched: bytes first touched by the step that runs, given back or not.
    """

    __slots__ = ("_at_step", "_charged", "_checks", "_faulted", "_limit", "_next", "_resident", "_system", "touched")

    def __init__(self, limit: int, system: System) -> None:
        self._limit = limit
        self._system = system
        self._resident = system.resident()
        self.begin_step()

    @property
    def is_known(self) -> bool:
        """Whether this system tells at all."""
        return self._resident > 0

    # --- within a step -------------------------------------------------------------------------------------------

    def begin_step(self) -> None:
        """Count from the next look on."""
        self._faulted: int | None = None
        self._at_step = self._checks = self._charged = self.touched = 0
        self._next = self._limit // _PARTS

    def look(self, checks: int, charged: int) -> None:
        """Add what this thread touched since the last look of this step.

        Args:
            checks: checkpoints of this step so far.
            charged: bytes charged in this step so far, of which any number may have been touched.
        """
        faulted = self._system.faulted()
        if self._faulted is not None:
            most = (checks - self._checks) * _UNCHARGED_BYTES + max(charged - self._charged, 0)
            self.touched += min(faulted - self._faulted, most)
        self._faulted, self._checks, self._charged = faulted, checks, charged

    def of_step(self) -> int:
        """Return by how much this step made the process grow, since it first touched an eighth of the limit."""
        if self.touched <= self._next:
            return 0
        self._next += self._limit // _PARTS
        resident = self._system.resident()
        self._at_step = min(self._at_step or resident, resident)
        return min(resident - self._at_step, self.touched)

    # --- between steps ---------------------------------------------------------------------------------------------

    def of_process(self) -> int:
        """Return by how much the process has grown since the last measure, whoever made it."""
        resident = self._system.resident()
        self._resident = min(self._resident, resident)
        return resident - self._resident

    def restart(self) -> None:
        """Count anew: all has been measured; and the measuring itself is not the step's growth."""
        self._resident = self._system.resident()
        if self._faulted is not None:
            self._faulted = self._system.faulted()
