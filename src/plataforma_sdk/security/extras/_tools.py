"""ruff, bandit and detect-secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import Dimension, RiskLevel
from plataforma_sdk.security._scanner import ScanReport, ScanRequest
from plataforma_sdk.security.extras._process import is_installed, run_tool

__all__ = ["BanditScanner", "DetectSecretsScanner", "RuffScanner"]

_LEVELS: Final = {"LOW": RiskLevel.LOW, "MEDIUM": RiskLevel.MEDIUM, "HIGH": RiskLevel.MEDIUM}
"""Bandit calls HIGH what this library remarks on: a process with a shell. Only what is malicious fails by itself."""


def _relative(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./")


class RuffScanner:
    """Asks ruff, for its rules S (security), B (likely faults), C90 and PL."""

    name = "ruff"

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Run ruff over the sources."""
        if not is_installed("ruff"):
            return ScanReport(not_run="ruff is not installed: pip install ruff")
        arguments = ["check", "--isolated", "--no-cache", "--exit-zero", "--output-format=json"]
        found = await run_tool("ruff", [*arguments, "--select=S,B,C90,PL", "--", "."], request)
        return ScanReport(issues=_of_ruff(found, request))


def _of_ruff(found: list[dict[str, Any]], request: ScanRequest) -> Iterator[Issue]:
    paths = sorted(request.package.sources, key=len, reverse=True)
    for item in found:
        code = str(item.get("code") or "syntax")
        full = str(item["filename"]).replace("\\", "/")
        yield Issue(
            rule=f"ruff:{code}",
            path=next((path for path in paths if full.endswith(f"/{path}")), full.rpartition("/")[2]),
            line=item["location"]["row"],
            message=str(item["message"]),
            remedy=f"see {item.get('url') or 'the rule'}",
            risk=RiskLevel.LOW,
            dimension=Dimension.SECURITY if code.startswith("S") else Dimension.MAINTAINABILITY,
        )


class BanditScanner:
    """Asks bandit, for its whole set of rules."""

    name = "bandit"

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Run bandit over the sources."""
        if not is_installed("bandit"):
            return ScanReport(not_run="bandit is not installed: pip install bandit")
        found = await run_tool("bandit", ["-q", "-r", "-f", "json", "--exit-zero", "."], request)
        issues = [
            Issue(
                rule=f"bandit:{item['test_id']}",
                path=_relative(item["filename"]),
                line=item["line_number"],
                message=item["issue_text"],
                remedy=f"see {item.get('more_info', 'the rule')}",
                risk=_LEVELS.get(item["issue_severity"], RiskLevel.LOW),
            )
            for item in found["results"]
        ]
        return ScanReport(issues=issues)


class DetectSecretsScanner:
    """Asks detect-secrets, offline: no token is sent to anybody to be tried."""

    name = "detect-secrets"

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Run detect-secrets over the sources."""
        if not is_installed("detect_secrets"):
            return ScanReport(not_run="detect-secrets is not installed: pip install detect-secrets")
        found = await run_tool("detect_secrets", ["scan", "--all-files", "--no-verify", "."], request)
        issues = [
            Issue(
                rule=f"detect-secrets:{item['type'].replace(' ', '-').lower()}",
                path=_relative(path),
                line=item["line_number"],
                message=f"{item['type']} may stand here",
                remedy="revoke it, and let the host attach it: api_auth",
                risk=RiskLevel.MEDIUM,
            )
            for path, items in found["results"].items()
            for item in items
        ]
        return ScanReport(issues=issues)
