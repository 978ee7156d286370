"""The scan where no scanner is given: the findings of `security.analyse`, of which an error refuses the publish."""

from __future__ import annotations

import asyncio
import json

import attrs

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security import Finding, Severity, analyse

__all__ = ["AnalysisScan", "AnalysisScanner"]


@attrs.frozen
class AnalysisScan:
    """What `analyse` found; a `ScanReport`.

    Attributes:
        findings: by file and line.
    """

    findings: tuple[Finding, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing of it is an error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def risk_level(self) -> str:
        """``"high"`` with an error, ``"low"`` with a warning, ``"none"``."""
        if not self.passed:
            return "high"
        return "low" if self.findings else "none"

    @property
    def recommendations(self) -> tuple[str, ...]:
        """Each finding as a line."""
        return tuple(map(str, self.findings))

    def to_json(self) -> str:
        """Write the findings."""
        found = [finding.to_data() for finding in self.findings]
        return json.dumps({"passed": self.passed, "risk_level": self.risk_level, "findings": found})


class AnalysisScanner:
    """Runs `analyse` in a thread; a `Scanner`."""

    async def scan(self, package: ModulePackage) -> AnalysisScan:
        """Scan a package."""
        return AnalysisScan(tuple(await asyncio.to_thread(analyse, package)))
