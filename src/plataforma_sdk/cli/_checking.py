"""Finds what ``plataforma check`` tells: faults of the manifest and of the sources together, as findings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.errors import Fault, ManifestError, ModuleLoadError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security import Finding, analyse

__all__ = ["Checked", "check"]

MANIFEST: Final = "module.toml"
_WHERE: Final = re.compile(r"(?P<path>[^:]+)(?::(?P<line>\d+))?(?:: (?P<key>.*))?", re.DOTALL)


@attrs.frozen(kw_only=True)
class Checked:
    """What was looked at, and what was found.

    Attributes:
        base: what comes before each finding's path so that it leads there from here; empty for an archive.
        findings: sorted by file and line.
    """

    base: str
    findings: Sequence[Finding]

    def count(self, level: str) -> int:
        """Count the findings of a level, ``"error"`` or ``"warning"``."""
        return sum(finding.severity == level for finding in self.findings)


def check(path: Path) -> Checked:
    """Find what is wrong with the module at a path.

    Raises:
        PlataformaError: there is no module to look at.
    """
    if path.suffix == ".py" and path.is_file():
        return _check_source(path)
    findings = _check_package(path)
    base = f"{path.as_posix()}/" if path.is_dir() and path != Path() else ""
    return Checked(base=base, findings=_ordered(findings))


def _check_source(path: Path) -> Checked:
    """Check one file: as part of the module around it, or by itself where there is none."""
    root = next((folder for folder in path.absolute().parents if (folder / MANIFEST).is_file()), None)
    if root is not None:
        name = path.absolute().relative_to(root).as_posix()
        if not _is_packed(root, name):
            raise ModuleLoadError(f"{path} is no part of the module in {root}: a package leaves it out, so does this")
        found = [finding for finding in _check_package(root) if finding.path in (name, MANIFEST)]
        kept = [finding for finding in found if finding.path == name or finding.rule == "manifest"]
        shown = [attrs.evolve(each, path=str(path) if each.path == name else str(root / MANIFEST)) for each in kept]
        return Checked(base="", findings=_ordered(shown))
    try:
        package = ModulePackage.from_source(path.read_text(encoding="utf-8-sig"), id="source")
    except UnicodeDecodeError as error:
        fault = Fault("module.py", f"it is not UTF-8 at byte {error.start}", "save it as UTF-8")
        findings = [_of_fault(fault)]
    except ManifestError as error:
        findings = [_of_fault(fault) for fault in error.faults]
    else:
        findings = analyse(package)
    return Checked(base="", findings=_ordered([attrs.evolve(each, path=str(path)) for each in findings]))


def _is_packed(root: Path, name: str) -> bool:
    """Whether a package of the directory would hold the file; "nothing found" in any other would be a lie."""
    try:
        return name in ModulePackage.from_directory(root).files
    except ManifestError:
        return True  # it is told what is wrong with the manifest


def _check_package(path: Path) -> list[Finding]:
    try:
        package = ModulePackage.from_path(path)
    except ManifestError as error:
        if error.faults[0].where == str(path):  # no manifest at all: nothing was checked
            raise
        return [_of_fault(fault) for fault in error.faults]
    return analyse(package)


def _of_fault(fault: Fault) -> Finding:
    found = _WHERE.fullmatch(fault.where)
    path = found["path"] if found else MANIFEST
    line = int(found["line"]) if found and found["line"] else None
    key = f"{found['key']}: " if found and found["key"] else ""
    rule = "syntax" if path.endswith(".py") else "manifest"
    return Finding(rule=rule, path=path, line=line, message=f"{key}{fault.problem}", advice=fault.advice)


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.path, finding.line or 0, finding.rule))
