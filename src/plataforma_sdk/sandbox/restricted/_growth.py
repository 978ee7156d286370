"""What the steps of one sandbox made the process grow by, as the system counts it for their thread.

Small objects are not charged one by one, so a module may build a million of them within its budget of charged bytes.
The kernel counts the pages that each thread is the first to touch: what another thread of the host allocates meanwhile
is not in it. And it is bounded by what the code can have done: behind a checkpoint stand `SLICE` units, each good for a
few kilobytes that nobody charged; what exceeds that is a host function's own, called from the step.

A page that was touched may have been given back, so the count alone is a suspicion. The resident memory of the process
confirms it, and is asked for only then.
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
        touched: bytes first touched by the steps since the last measure, given back or not.
    """

    __slots__ = (
        "_base",
        "_charged",
        "_checks",
        "_faulted",
        "_in_step",
        "_limit",
        "_next",
        "_resident",
        "_system",
        "touched",
    )

    def __init__(self, limit: int, system: System) -> None:
        self._limit = limit
        self._system = system
        self._resident = system.resident()
        self.touched = 0
        self.begin_step()

    @property
    def is_known(self) -> bool:
        """Whether this system tells at all."""
        return self._resident > 0

    def begin_step(self) -> None:
        """Count the step from its first look on."""
        self._faulted: int | None = None
        self._base = self._in_step = self._checks = self._charged = 0
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
            touched = min(faulted - self._faulted, most)
            self.touched += touched
            self._in_step += touched
        self._faulted, self._checks, self._charged = faulted, checks, charged

    def of_step(self) -> int:
        """Return by how much this step has made the process grow; less by what it began with, before anyone looked."""
        if self._in_step <= self._next:
            return 0
        self._next += self._limit // _PARTS
        resident = self._system.resident()
        self._base = self._base or resident
        return min(resident - self._base, self._in_step)

    def confirmed(self) -> int:
        """Return by how much the process grew since the last measure, as far as it was this sandbox's doing."""
        resident = self._system.resident()
        self.touched = max(0, min(self.touched, resident - self._resident))
        self._resident = min(self._resident, resident)  # what the host gives back must not hide what comes after
        return self.touched

    def restart(self) -> None:
        """Count anew what is not measured; the measuring itself does not count as the step's."""
        resident = self._system.resident()
        if self._faulted is not None:
            self._faulted = self._system.faulted()
        self._resident = resident
        self.touched = 0
