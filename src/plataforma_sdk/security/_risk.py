"""The words of a scan: how much a thing matters, to what, and how a scan ended."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

__all__ = ["Dimension", "RiskLevel", "ScanStatus", "highest"]


class RiskLevel(StrEnum):
    """How much an issue, or a whole package, is to be feared."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place, from 0 for `NONE`: levels are compared by this."""
        return _RANKS[self]


_RANKS: Final = {level: rank for rank, level in enumerate(RiskLevel)}


class Dimension(StrEnum):
    """What an issue harms; each has a grade of its own."""

    SECURITY = "security"
    RELIABILITY = "reliability"
    MAINTAINABILITY = "maintainability"


class ScanStatus(StrEnum):
    """How a scan ended. One that did not run is neither passed nor failed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


def highest(levels: Iterable[RiskLevel]) -> RiskLevel:
    """Return the highest level, `NONE` of none."""
    return max(levels, key=lambda level: level.rank, default=RiskLevel.NONE)
