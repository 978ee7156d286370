"""A share of the processor: `max_cpu_ms_per_s` delays a guest's next slice, and never ends it."""

from __future__ import annotations

from plataforma_sdk.types import Clock

__all__ = ["CpuShare"]


class CpuShare:
    """A bucket of processor time that refills with the clock and holds one second's worth.

    Args:
        max_cpu_ms_per_s: what flows in; None for no limit.
        clock: times the flow.

    Attributes:
        is_limited: whether there is a limit; without one the rest need not be asked.
    """

    def __init__(self, max_cpu_ms_per_s: int | None, clock: Clock) -> None:
        self.is_limited = max_cpu_ms_per_s is not None
        self._rate = max_cpu_ms_per_s
        self._clock = clock
        self._left_ms = float(max_cpu_ms_per_s or 0)
        self._filled_at = clock.monotonic()

    def spend(self, cpu_ms: float) -> None:
        """Count processor time; a slice may overdraw the bucket, and the next waits the longer."""
        if self._rate is not None:
            self._left_ms -= cpu_ms

    def delay_s(self) -> float:
        """Return how long until there is time to spend."""
        if self._rate is None:
            return 0.0
        now = self._clock.monotonic()
        self._left_ms = min(float(self._rate), self._left_ms + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return 0.0 if self._left_ms > 0.0 else (1.0 - self._left_ms) / self._rate
