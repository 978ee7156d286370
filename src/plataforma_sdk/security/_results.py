"""What comes of scanning a package, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from plataforma_sdk.security._findings import RULES
from plataforma_sdk.security._gate import Grades
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel, ScanStatus
from plataforma_sdk.security._rules import SCAN_RULES
from plataforma_sdk.security._sarif import sarif_log

__all__ = ["ScanResult", "SecurityScanResult"]


@attrs.frozen(kw_only=True)
class ScanResult:
    """How one scan ended.

    Attributes:
        scan: its name: ``"malware"``.
        status: passed, failed or not run.
        issues: what it found, the worst first; one that passed may have remarks.
        metrics: what it measured, plain data.
        reason: why it failed or did not run, or empty.
    """

    scan: str
    status: ScanStatus
    issues: tuple[Issue, ...] = ()
    metrics: Mapping[str, Any] = attrs.field(factory=dict)
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ran and found nothing that fails it: one that did not run has not passed."""
        return self.status is ScanStatus.PASSED

    def to_data(self) -> dict[str, Any]:
        """Return plain data."""
        issues = [issue.to_data() for issue in self.issues]
        return {
            "scan": self.scan,
            "status": str(self.status),
            "reason": self.reason,
            "metrics": dict(self.metrics),
            "issues": issues,
        }


@attrs.frozen(kw_only=True)
class SecurityScanResult:
    """What comes of scanning a package.

    Attributes:
        module: its id.
        version: its version.
        digest: of its content: the result is about these bytes.
        passed: whether no scan failed, every required one ran, and the grades are those that the policy admits.
        results: one for each scan.
        risk_level: of the worst issue that is not accepted.
        grades: for security, reliability and maintainability.
        reasons: why it did not pass; empty where it did.
        recommendations: what to do, the most urgent first: each names file, line and remedy.
    """

    module: str
    version: str
    digest: str
    passed: bool
    results: tuple[ScanResult, ...]
    risk_level: RiskLevel
    grades: Grades
    reasons: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What all scans found."""
        return tuple(issue for result in self.results for issue in result.issues)

    def result(self, scan: str) -> ScanResult:
        """Return the result of a scan.

        Raises:
            KeyError: there was no such scan.
        """
        for result in self.results:
            if result.scan == scan:
                return result
        raise KeyError(scan)

    def to_json(self) -> dict[str, Any]:
        """Return plain data, for `json.dumps`."""
        data = attrs.asdict(self, recurse=False)
        data["risk_level"] = str(self.risk_level)
        data["grades"] = attrs.asdict(self.grades)
        data["results"] = [result.to_data() for result in self.results]
        return {**data, "reasons": list(self.reasons), "recommendations": list(self.recommendations)}

    def to_sarif(self, *, base: str = "") -> dict[str, Any]:
        """Return a SARIF 2.1.0 log, as `plataforma check` writes it.

        Args:
            base: what comes before each path, ``"modules/vendas/"``.
        """
        from plataforma_sdk import __version__

        rules = {**RULES, **{name: f"{rule.what}: {rule.why}" for name, rule in SCAN_RULES.items()}}
        findings = [issue.to_finding() for issue in self.issues]
        return sarif_log(findings, version=__version__, base=base, tool="plataforma-sdk SecurityService", rules=rules)
