"""Findings as SARIF, which code hosts and editors read.

**Source:** OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub, "SARIF support for code
scanning", for the properties without which GitHub shows nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from plataforma_sdk.security._findings import RULES, Finding

__all__ = ["sarif_log"]

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_log(
    findings: Iterable[Finding],
    *,
    version: str,
    base: str = "",
    tool: str = "plataforma check",
    rules: Mapping[str, str] = RULES,
) -> dict[str, Any]:
    """Write findings as one SARIF 2.1.0 log with one run, rules included.

    Args:
        findings: what was found.
        version: of this library.
        base: what comes before each finding's path, ``"examples/vendas/"``, so that it is relative to the repository.
        tool: what found it.
        rules: rule -> what it means when it fires; a rule of a finding that is not here is described by its name.
    """
    every = list(findings)
    known = {**rules, **{finding.rule: finding.rule for finding in every if finding.rule not in rules}}
    places = {name: place for place, name in enumerate(known)}
    driver = {
        "name": tool,
        "semanticVersion": version,
        "rules": [_rule(name, text) for name, text in known.items()],
    }
    results = [_result(finding, base, places[finding.rule]) for finding in every]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str, meaning: str) -> dict[str, Any]:
    text = {"text": meaning}
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.replace(":", "-").split("-")),
        "shortDescription": text,
        "fullDescription": text,
        "help": text,
        "properties": {"tags": ["plataforma"], "precision": "high"},
    }


def _result(finding: Finding, base: str, rule_index: int) -> dict[str, Any]:
    place = {
        "artifactLocation": _artifact(PurePath(base + finding.path)),
        "region": {"startLine": finding.line or 1},  # GitHub drops what has no line
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": str(finding.severity),
        "message": {"text": f"{finding.message}; {finding.advice}" if finding.advice else finding.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"plataforma/v1": _fingerprint(finding, base)},
    }


def _artifact(path: PurePath) -> dict[str, str]:
    if path.is_absolute():  # outside of what is checked out
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}


def _fingerprint(finding: Finding, base: str) -> str:
    """Name a finding by what it says and where, but not by its line, which moves with every edit above it."""
    return hashlib.sha256(f"{finding.rule}\n{base}{finding.path}\n{finding.message}".encode()).hexdigest()[:32]
