"""The licence scan."""

from __future__ import annotations

from collections.abc import Iterator

from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._scanner import ScanReport, ScanRequest
from plataforma_sdk.security._spdx import licences_of

__all__ = ["LicenceScanner"]

_MANIFEST = "module.toml"


class LicenceScanner:
    """Reads the manifest's licence as SPDX, and holds it against those that the policy admits."""

    name = "licence"

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Look at the licence."""
        licence = request.package.manifest.licence
        issues = list(_issues(licence, request.policy.licences))
        return ScanReport(issues=issues, metrics={"licence": licence[:500]})


def _issues(licence: str, admitted: frozenset[str]) -> Iterator[Issue]:
    if not licence.strip():
        rule = "licence-refused" if admitted else "licence-missing"
        yield Issue.of(rule, _MANIFEST, None, "the manifest names no licence")
        return
    try:
        alternatives = licences_of(licence)
    except ValueError as error:
        rule = "licence-refused" if admitted else "licence-unknown"
        yield Issue.of(rule, _MANIFEST, None, f"{licence[:80]!r} is no SPDX expression: {error}")
        return
    if admitted and not any(admitted.issuperset(together) for together in alternatives):
        names = ", ".join(sorted(admitted)[:10])
        yield Issue.of("licence-refused", _MANIFEST, None, f"{licence[:80]!r} is not among {names}")
