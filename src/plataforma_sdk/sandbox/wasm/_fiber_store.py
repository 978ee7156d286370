"""What every store whose calls run on fibers has: a call in slices, a loan, and an end that waits for both."""

from __future__ import annotations

import abc
from typing import Final

from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._binding import Pointer

__all__ = ["MAX_TABLE_ELEMENTS", "YIELD_INTERVAL", "FiberStore"]

MAX_TABLE_ELEMENTS: Final = 100_000

YIELD_INTERVAL: Final = 500_000
"""A guest that is metered by fuel yields each time that it has used so much."""


class FiberStore(abc.ABC):
    """A store with at most one call on a fiber.

    Belongs to the thread that made it, save while it is lent: then `poll` alone may run, in one other thread. Never
    freed while a call into it is on the stack: `drop` inside a host function takes effect when the slice ends, and that
    of a lent store at the latest when it is taken back.
    """

    def __init__(self) -> None:
        self._future: Pointer | None = None
        self._is_inside = False
        self._is_dropped = False
        self._is_lent = False

    def lend(self) -> None:
        """Leave the store to another thread, which may `poll` it and nothing else."""
        self._is_lent = True

    def take_back(self) -> None:
        """The other thread is done."""
        self._is_lent = False
        if self._is_dropped:
            self._free()

    def drop(self) -> None:
        """Free everything, the memory of the guest included; a second call does nothing."""
        self._is_dropped = True
        if not (self._is_inside or self._is_lent):
            self._free()

    def _run_slice(self, future: Pointer) -> bool:
        """Let the fiber of `_future` run on; true when it has ended, and is gone."""
        self._is_inside = True
        try:
            has_ended = _binding.poll(future)
        finally:
            self._is_inside = False
        if has_ended:
            _binding.delete_future(future)
            self._future = None
        return has_ended

    def _end_fiber(self) -> None:
        """Delete what has not ended: before the store, or the store is freed under a fiber."""
        future, self._future = self._future, None
        if future is not None:
            _binding.delete_future(future)

    @abc.abstractmethod
    def _free(self) -> None:
        """Free everything now; a second call does nothing."""
