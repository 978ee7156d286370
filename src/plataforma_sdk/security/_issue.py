"""One thing that a scanner has found."""

from __future__ import annotations

from typing import Any, Final

import attrs

from plataforma_sdk.security._findings import Finding, Severity
from plataforma_sdk.security._risk import Dimension, RiskLevel
from plataforma_sdk.security._rules import SCAN_RULES

__all__ = ["Issue"]

_MAX_MESSAGE_CHARS: Final = 400


def _short(text: str) -> str:
    """Cut what may quote a module, and show what is not printable: a report is read in terminals."""
    shown = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:_MAX_MESSAGE_CHARS])
    return shown[:_MAX_MESSAGE_CHARS]


@attrs.frozen(kw_only=True)
class Issue:
    """One thing that a scanner has found.

    Attributes:
        rule: a key of `SCAN_RULES`, or ``"tool:code"`` of another tool.
        path: file inside the package.
        line: from 1, or None where it concerns the whole file.
        message: what was found there.
        remedy: the next step.
        risk: how much it is to be feared.
        dimension: what it harms.

    >>> print(Issue.of("reads-credentials", "module.py", 7, "it opens '~/.ssh/id_rsa'"))  # doctest: +ELLIPSIS
    module.py:7: high: it opens '~/.ssh/id_rsa' [reads-credentials]; ask the host for what is needed...
    """

    rule: str
    path: str
    line: int | None = None
    message: str = attrs.field(converter=_short)
    remedy: str = attrs.field(default="", converter=_short)
    risk: RiskLevel = RiskLevel.MEDIUM
    dimension: Dimension = Dimension.SECURITY

    @classmethod
    def of(
        cls,
        rule: str,
        path: str,
        line: int | None,
        message: str,
        *,
        risk: RiskLevel | None = None,
        remedy: str | None = None,
    ) -> Issue:
        """Make an issue of one of this library's rules, with its risk and remedy unless others are given."""
        known = SCAN_RULES[rule]
        return cls(
            rule=rule,
            path=path,
            line=line,
            message=message,
            remedy=remedy or known.remedy,
            risk=risk or known.risk,
            dimension=known.dimension,
        )

    @property
    def where(self) -> str:
        """File and line, ``"module.py:7"``."""
        return self.path if self.line is None else f"{self.path}:{self.line}"

    def __str__(self) -> str:
        return f"{self.where}: {self.risk}: {self.message} [{self.rule}]" + (f"; {self.remedy}" if self.remedy else "")

    def to_finding(self) -> Finding:
        """Return the issue as a finding of `analyse`, for what is written of both."""
        severity = Severity.ERROR if self.risk.rank >= RiskLevel.HIGH.rank else Severity.WARNING
        return Finding(
            rule=self.rule,
            severity=severity,
            path=self.path,
            line=self.line,
            message=self.message,
            advice=self.remedy,
        )

    def to_data(self) -> dict[str, Any]:
        """Return plain data."""
        return attrs.asdict(self)
