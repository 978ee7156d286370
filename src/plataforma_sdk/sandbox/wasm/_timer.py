"""When a guest wants to be pumped next: it has one timer, that of its loop's next timeout."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from plataforma_sdk.types import Clock

__all__ = ["GuestTimer"]

_LONGEST_S: Final = 86_400.0


class GuestTimer:
    """The timer of one guest.

    Args:
        loop: the loop that keeps it.
        clock: the guest's clock, which its times are of.
        on_due: called when it is due.

    Attributes:
        is_due: whether it is due, and the guest has not been pumped since.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, on_due: Callable[[], None]) -> None:
        self.is_due = False
        self._loop = loop
        self._clock = clock
        self._on_due = on_due
        self._handle: asyncio.TimerHandle | None = None
        self._when = 0.0

    @property
    def when(self) -> float | None:
        """The time that is waited for, of the guest's clock; None for none."""
        return None if self._handle is None else self._when

    def is_beyond(self, seconds: float) -> bool:
        """Whether it rings later than in so many seconds, or not at all."""
        return self._handle is None or self._handle.when() - self._loop.time() > seconds

    def set(self, when: float) -> None:
        """Wait for a time, in place of any other; one that has passed is due."""
        self.clear()
        delay = when - self._clock.monotonic()
        if delay <= 0.0:
            self.is_due = True
        else:
            self._when = when
            self._handle = self._loop.call_later(min(delay, _LONGEST_S), self._ring)

    def clear(self) -> None:
        """Wait for nothing."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self.is_due = True
        self._on_due()
