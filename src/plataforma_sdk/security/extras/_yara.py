"""YARA rules, over the bytes of every file."""

from __future__ import annotations

import asyncio
import importlib
import os
from pathlib import Path
from typing import Any

from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel
from plataforma_sdk.security._scanner import ScanReport, ScanRequest

__all__ = ["YaraScanner"]


class YaraScanner:
    """Matches a host's own rules.

    Args:
        rules: path of a ``.yar`` file, or None: then the scan does not run.
    """

    name = "yara"

    def __init__(self, rules: str | os.PathLike[str] | None = None) -> None:
        self._rules = rules

    async def scan(self, request: ScanRequest) -> ScanReport:
        """Match every file of the package."""
        if self._rules is None:
            return ScanReport(not_run="no rules were given: SecurityService(yara_rules='rules.yar')")
        try:
            yara = importlib.import_module("yara")  # it has no types
        except ImportError:
            return ScanReport(not_run="yara-python is not installed: pip install yara-python")
        return await asyncio.to_thread(self._scan, yara, Path(self._rules), request)

    def _scan(self, yara: Any, path: Path, request: ScanRequest) -> ScanReport:
        rules = yara.compile(source=path.read_text("utf-8"), includes=False)  # an include reads files of the host
        issues = []
        for name, content in request.package.files.items():
            request.check_time()
            for match in rules.match(data=content, timeout=max(1, int(request.policy.timeout_s))):
                risk = RiskLevel(str(match.meta.get("risk", "high")))
                message = str(match.meta.get("description", f"the rule {match.rule} matches"))
                issues.append(Issue(rule=f"yara:{match.rule}", path=name, message=message, risk=risk))
        return ScanReport(issues=issues)
