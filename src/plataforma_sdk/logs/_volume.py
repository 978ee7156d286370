"""How many records one module may cause: a log that a module fills hides what it did."""

from __future__ import annotations

import logging
from typing import Any, Final

from plataforma_sdk.types import Clock

__all__ = ["MAX_RECORDS_PER_S", "LogVolume"]

MAX_RECORDS_PER_S: Final = 200
"""Records of one module in a second; the rest are counted, and the next one that passes is preceded by their number."""


class LogVolume:
    """Writes the records of one module: a token bucket that holds a second's worth.

    Attributes:
        written: records handed to `logging`.
        dropped: records left out.
    """

    def __init__(self, clock: Clock, *, per_s: int = MAX_RECORDS_PER_S) -> None:
        self.written = 0
        self.dropped = 0
        self._clock = clock
        self._per_s = per_s
        self._tokens = float(per_s)
        self._filled_at = clock.monotonic()
        self._missing = 0

    def log(self, logger: logging.Logger, level: int, message: str, *args: Any, extra: dict[str, Any]) -> None:
        """Write a record, or count it; `message` is the library's own, what a module says comes in `args`."""
        if not logger.isEnabledFor(level):
            return
        now = self._clock.monotonic()
        self._tokens = min(float(self._per_s), self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        if self._tokens < 1.0:
            self.dropped += 1
            self._missing += 1
            return
        self._tokens -= 1.0
        if self._missing:
            missing, self._missing = self._missing, 0
            logger.warning("%d records of module %s were left out", missing, extra["module_id"], extra=extra)
        self.written += 1
        logger.log(level, message, *args, extra=extra)
