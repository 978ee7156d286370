"""The circuit breaker of the whole process: where memory runs out, the largest account is stopped.

It is no limit of a module's: a process fills for many reasons, and most are its host's. It acts where the alternative
is that the system kills the process with every module in it, and then it stops the module from which there is most to
gain, whichever happens to run.

Tried and rejected: stopping the one that runs (in a host of a hundred modules it is nearly always another's doing),
and a breaker at the sum of all limits (a host that loads data of its own would lose its modules for it).
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Final, Protocol

from plataforma_sdk.sandbox.restricted._process import available_bytes, resident_bytes

__all__ = ["PROCESS", "Holder", "MemoryBreaker"]

_SHARE: Final = 0.9
"""Of the memory that the process may fill; the rest is for what happens until an account has been freed."""

_LEAST_BYTES: Final = 1 << 20
_GRACE_S: Final = 1.0
"""How long the memory of one that was stopped may take to come back before another is stopped."""


class Holder(Protocol):
    """Who has an account: a meter."""

    @property
    def is_stopped(self) -> bool:
        """Whether a limit has ended it already."""

    @property
    def balance(self) -> int:
        """Bytes it is known or believed to hold."""

    def stop(self, resource: str, used: float, limit: float, unit: str) -> None:
        """End it from outside, in any thread: where it runs, at its next checkpoint."""


class MemoryBreaker:
    """Watches the process on behalf of the sandboxes in it; thread-safe.

    Args:
        limit_bytes: resident memory of the process above which it acts; by default nine tenths of what the process
            may have, by its cgroup or the machine. 0 switches it off.
        resident: reads the memory of the process.

    >>> breaker = MemoryBreaker(limit_bytes=4 * 2**30)
    >>> breaker.limit_bytes
    4294967296
    """

    def __init__(self, limit_bytes: int | None = None, *, resident: Callable[[], int] = resident_bytes) -> None:
        self._limit_bytes = limit_bytes
        self._resident = resident
        self._lock = threading.Lock()
        self._holders: weakref.WeakSet[Holder] = weakref.WeakSet()
        self._stopped: Callable[[], Holder | None] = lambda: None
        self._acted_at = 0.0

    @property
    def limit_bytes(self) -> int:
        """Resident bytes of the process above which it acts; 0 for never."""
        if self._limit_bytes is None:
            self._limit_bytes = int((available_bytes() or 0) * _SHARE)
        return self._limit_bytes

    def join(self, holder: Holder) -> None:
        """Count an account in, for as long as it lives."""
        with self._lock:
            self._holders.add(holder)

    def look(self) -> None:
        """Stop the largest account where the process is too large. Costs a system call, O(accounts) only then."""
        if not self.limit_bytes or self._resident() <= self.limit_bytes:
            return
        if self._lock.acquire(blocking=False):  # whoever holds it is doing the same
            try:
                self._act()
            finally:
                self._lock.release()

    def _act(self) -> None:
        now = time.monotonic()
        if self._stopped() is not None and now - self._acted_at < _GRACE_S:
            return
        largest = max((item for item in self._holders if not item.is_stopped), key=_balance, default=None)
        if largest is not None and largest.balance >= _LEAST_BYTES:
            self._stopped, self._acted_at = weakref.ref(largest), now
            largest.stop("memory", self._resident(), self.limit_bytes, "bytes of the process")


def _balance(holder: Holder) -> int:
    return holder.balance


PROCESS: Final = MemoryBreaker()
"""The breaker that sandboxes join unless they are given another. The one object of this package that belongs to the
process and not to an instance: so does the memory that it watches."""
