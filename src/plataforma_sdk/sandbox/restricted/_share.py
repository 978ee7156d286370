"""A module's share of a processor: `max_cpu_ms_per_s` delays its next step, and never ends it."""

from __future__ import annotations

import asyncio
import time

__all__ = ["Share"]


class Share:
    """A share of a processor, in milliseconds a second: the next step waits until the last ones are paid for.

    Attributes:
        used_s: processor time used since the account was last balanced.
    """

    def __init__(self, ms_per_s: int) -> None:
        self._rate = ms_per_s / 1_000
        self._since = time.monotonic()
        self.used_s = 0.0

    async def wait(self) -> None:
        """Wait as long as more was used than earned; never longer than a second at once."""
        earned = (time.monotonic() - self._since) * self._rate
        if self.used_s > earned:
            await asyncio.sleep(min((self.used_s - earned) / self._rate, 1.0))
        elif earned - self.used_s > self._rate:  # what was not used is not saved up beyond a second
            self._since, self.used_s = time.monotonic(), 0.0
