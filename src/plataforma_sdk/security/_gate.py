"""The quality gate: grades of a package, and what to do first.

**Source:** SonarQube, "Metric definitions": security and reliability are graded by the worst issue, maintainability by
the time to mend in proportion to the time to write (30 minutes a line).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._policy import GRADES, ScanPolicy
from plataforma_sdk.security._risk import Dimension, RiskLevel, highest

__all__ = ["Grades", "grade"]

_MINUTES_TO_WRITE_A_LINE: Final = 30
_MINUTES_TO_MEND: Final = {RiskLevel.LOW: 10, RiskLevel.MEDIUM: 60, RiskLevel.HIGH: 240, RiskLevel.CRITICAL: 480}
_SHARES: Final = (0.05, 0.10, 0.20, 0.50)
"""Up to these shares of the time to write the grade is A, B, C, D."""


@attrs.frozen(kw_only=True)
class Grades:
    """Grades from A, the best, to E.

    Attributes:
        security: by the worst issue: low B, medium C, high D, critical E.
        reliability: as `security`.
        maintainability: by the time to mend: up to 5, 10, 20 and 50 % of the time to write.
    """

    security: str = "A"
    reliability: str = "A"
    maintainability: str = "A"

    def shortfalls(self, policy: ScanPolicy) -> tuple[str, ...]:
        """Return the names of the grades that are worse than a policy admits."""
        return tuple(str(name) for name in Dimension if getattr(self, name) > getattr(policy, name))


def grade(issues: Iterable[Issue], lines: int) -> Grades:
    """Grade a package by its issues and its lines of source."""
    every = list(issues)
    worst = {name: highest(issue.risk for issue in every if issue.dimension is name) for name in Dimension}
    minutes = sum(
        _MINUTES_TO_MEND.get(issue.risk, 0) for issue in every if issue.dimension is Dimension.MAINTAINABILITY
    )
    share = minutes / (max(lines, 1) * _MINUTES_TO_WRITE_A_LINE)
    return Grades(
        security=GRADES[worst[Dimension.SECURITY].rank],
        reliability=GRADES[worst[Dimension.RELIABILITY].rank],
        maintainability=GRADES[sum(share > limit for limit in _SHARES)],
    )
