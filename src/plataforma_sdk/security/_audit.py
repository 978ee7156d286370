"""The dependency audit: modules that a module depends on, and wheels that it carries, against local advisories."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plataforma_sdk.manifest import VersionRange
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security._advisories import AdvisoryDatabase
from plataforma_sdk.security._affected import affects, fixed_versions, known_versions
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._scanner import ScanReport, ScanRequest

__all__ = ["DependencyScanner"]

_ECOSYSTEM: Final = "plataforma"
_MANIFEST: Final = "module.toml"
_WHEEL: Final = re.compile(r"(?P<name>[^-/]+)-(?P<version>[^-/]+)-[^/]*\.whl\Z")
_HINT: Final = "no advisories were given: SecurityService(advisories='osv.zip'), an OSV export in JSON, ZIP or SQLite"


class DependencyScanner:
    """Asks a local file of advisories; it calls nobody.

    Args:
        advisories: path of an OSV file, or None: then the scan does not run.
    """

    name = "dependency-audit"

    def __init__(self, advisories: str | os.PathLike[str] | None) -> None:
        self._path = advisories
        self._database: AdvisoryDatabase | None = None

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Look up each dependency and each wheel."""
        if self._path is None:
            return ScanReport(not_run=_HINT)
        return await asyncio.to_thread(self._scan, request, self._path)

    def _scan(self, request: ScanRequest, path: str | os.PathLike[str]) -> ScanReport:
        self._database = self._database or AdvisoryDatabase.open(path)
        package = request.package
        issues = [*_of_wheels(package, self._database), *_of_dependencies(package, self._database)]
        asked = len(package.manifest.dependencies) + len(package.manifest.wheels)
        return ScanReport(issues=issues, metrics={"asked": asked, "advisories": os.fspath(path)})


def _of_wheels(package: ModulePackage, database: AdvisoryDatabase) -> Iterator[Issue]:
    for path in package.manifest.wheels:
        found = _WHEEL.search(path)
        if found is None:
            continue
        for record in database.about("PyPI", found["name"]):
            if affects(record, "PyPI", found["name"], found["version"]):
                what = f"{found['name']} {found['version']}"
                yield _issue(path, what, record, fixed_versions(record, "PyPI", found["name"]))


def _of_dependencies(package: ModulePackage, database: AdvisoryDatabase) -> Iterator[Issue]:
    for name, admitted in package.manifest.dependencies.items():
        for record in database.about(_ECOSYSTEM, name):
            bad = next(known_versions(record, _ECOSYSTEM, name, admitted), None)
            if bad is None:
                continue
            fixed = fixed_versions(record, _ECOSYSTEM, name)
            what = f"{name} {admitted} admits {bad}"
            yield _issue(_MANIFEST, what, record, fixed, is_avoidable=any(_matches(admitted, item) for item in fixed))


def _matches(admitted: VersionRange, version: str) -> bool:
    try:
        return admitted.matches(version)
    except ValueError:
        return False


def _issue(path: str, what: str, record: Mapping[str, Any], fixed: list[str], *, is_avoidable: bool = False) -> Issue:
    name = str(record.get("id", "?"))
    summary = str(record.get("summary") or record.get("details") or "")[:120]
    rule = "vulnerable-range" if is_avoidable else "vulnerable-dependency"
    if name.startswith("MAL-"):
        rule = "malicious-dependency"
    remedy = f"take {fixed[-1]} or later" if fixed else None
    return Issue.of(rule, path, None, f"{what}: {name} {summary}".rstrip(), remedy=remedy)
