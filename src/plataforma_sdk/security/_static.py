"""The static analysis: dangerous constructs, permissions used against those declared, and what is hard to maintain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

import attrs

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security._analysis import analyse
from plataforma_sdk.security._constructs import construct_issues, shape_issues
from plataforma_sdk.security._findings import Finding, Severity
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel
from plataforma_sdk.security._rules import SCAN_RULES
from plataforma_sdk.security._scanner import ScanReport, ScanRequest
from plataforma_sdk.security._wasm_imports import wasm_issues

__all__ = ["StaticScanner"]

_SAID_ELSEWHERE: Final = frozenset({"syntax", "policy", "manifest"})


class StaticScanner:
    """Reads what a package says it needs, what it uses, and how it is written."""

    name = "static-analysis"

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Look at every source of a package, or at its .wasm."""
        return await asyncio.to_thread(self._scan, request)

    def _scan(self, request: ScanRequest) -> ScanReport:
        issues = [issue for issue in request.unreadable if issue.rule == "syntax"]
        own = set(request.package.sources)
        for source in request.sources:
            request.check_time()
            facts = request.facts.get(source.path)
            if facts is not None and source.path in own:  # how a wheel is written is its author's
                issues += construct_issues(source.path, facts)
                issues += shape_issues(source, facts)
        issues += _of_permissions(request.package)
        issues += wasm_issues(request.package)
        lines = sum(source.text.count("\n") for source in request.sources if source.path in own)
        unique = {(issue.rule, issue.path, issue.line, issue.message): issue for issue in issues}
        return ScanReport(issues=unique.values(), metrics={"sources": len(own), "lines": lines})


def _of_permissions(package: ModulePackage) -> Iterator[Issue]:
    """Hold what is used against what is declared; whether a tier compiles the source is the build's to say."""
    tiers = (*package.manifest.excluded_tiers, "restricted")
    plain = attrs.evolve(package, manifest=attrs.evolve(package.manifest, excluded_tiers=tiers))
    for finding in analyse(plain):
        if finding.rule not in _SAID_ELSEWHERE:
            yield _of_finding(finding)


def _of_finding(finding: Finding) -> Issue:
    remedy = finding.advice
    if finding.rule in SCAN_RULES:
        risk = RiskLevel.LOW if finding.severity is Severity.WARNING else None
        return Issue.of(finding.rule, finding.path, finding.line, finding.message, remedy=remedy, risk=risk)
    risk = RiskLevel.LOW if finding.severity is Severity.WARNING else RiskLevel.MEDIUM
    return Issue(
        rule=finding.rule, path=finding.path, line=finding.line, message=finding.message, remedy=remedy, risk=risk
    )
