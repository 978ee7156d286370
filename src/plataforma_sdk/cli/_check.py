"""``plataforma check``: what can be said about a module without running it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import attrs
import typer

from plataforma_sdk import __version__
from plataforma_sdk.errors import Fault, ManifestError, PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.security import Finding

__all__ = ["Format", "check_command"]

EXIT_FINDINGS: Final = 1
EXIT_USAGE: Final = 2
MANIFEST: Final = "module.toml"
_WHERE: Final = re.compile(r"(?P<path>[^:]+)(?::(?P<line>\d+))?(?:: (?P<key>.*))?", re.DOTALL)
_STYLES: Final = {"error": "bold red", "warning": "yellow"}
"""Level -> how it looks; a plain terminal shows the word."""


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


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


def check_command(
    path: Annotated[
        Path, typer.Argument(exists=True, help="A directory, a .zip, a .wasm or one .py file.", show_default="here")
    ] = Path(),
    output: Annotated[Format, typer.Option("--format", help="How to write what is found.")] = Format.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")] = False,
) -> None:
    """Check a module without running it: manifest, policy, permissions used and declared, elements, dead grants.

    Exit codes: 0 clean; 1 findings of level error, with --strict warnings too; 2 wrong use, such as a path that holds
    no module.
    """
    try:
        checked = check(path)
    except (PlataformaError, OSError) as error:
        _refuse(error)
    if output is Format.TEXT:
        _show(checked)
    else:
        data = _sarif(checked) if output is Format.SARIF else _data(checked)
        sys.stdout.write(json.dumps(data, indent=2 if output is Format.SARIF else None) + "\n")
    if checked.count("error") or (strict and checked.findings):
        raise typer.Exit(EXIT_FINDINGS)


def _refuse(error: Exception) -> NoReturn:
    from rich.console import Console
    from rich.text import Text

    from plataforma_sdk.ui._text_values import clean

    Console(stderr=True, highlight=False).print(Text(f"check: {clean(str(error))}"), soft_wrap=True)
    raise typer.Exit(EXIT_USAGE) from None


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
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.security import analyse

    root = next((folder for folder in path.absolute().parents if (folder / MANIFEST).is_file()), None)
    if root is not None:
        name = path.absolute().relative_to(root).as_posix()
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


def _check_package(path: Path) -> list[Finding]:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.security import analyse

    try:
        package = ModulePackage.from_path(path)
    except ManifestError as error:
        if error.faults[0].where == str(path):  # no manifest at all: nothing was checked
            raise
        return [_of_fault(fault) for fault in error.faults]
    return analyse(package)


def _of_fault(fault: Fault) -> Finding:
    from plataforma_sdk.security import Finding

    found = _WHERE.fullmatch(fault.where)
    path = found["path"] if found else MANIFEST
    line = int(found["line"]) if found and found["line"] else None
    key = f"{found['key']}: " if found and found["key"] else ""
    rule = "syntax" if path.endswith(".py") else "manifest"
    return Finding(rule=rule, path=path, line=line, message=f"{key}{fault.problem}", advice=fault.advice)


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.path, finding.line or 0, finding.rule))


# --- showing ---------------------------------------------------------------------------------------------------------


def _show(checked: Checked) -> None:
    from rich.console import Console
    from rich.text import Text

    from plataforma_sdk.ui._text_values import clean

    console = Console(highlight=False)
    for finding in checked.findings:
        where = f"{checked.base}{finding.path}" + (f":{finding.line}" if finding.line else "")
        head = Text.assemble(
            (clean(where), "bold"),
            ": ",
            (str(finding.severity), _STYLES[finding.severity]),
            f": {clean(finding.message)} ",
            (f"[{finding.rule}]", "dim"),
        )
        console.print(head, soft_wrap=True)
        if finding.advice:
            console.print(Text(f"    {clean(finding.advice)}"), soft_wrap=True)
    counts = ((checked.count(level), level) for level in _STYLES)
    told = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for count, level in counts)
    console.print(told if checked.findings else "Nothing found.")


def _data(checked: Checked) -> dict[str, Any]:
    return {
        "errors": checked.count("error"),
        "warnings": checked.count("warning"),
        "findings": [{**each.to_data(), "path": checked.base + each.path} for each in checked.findings],
    }


def _sarif(checked: Checked) -> dict[str, Any]:
    from plataforma_sdk.security import sarif_log

    return sarif_log(checked.findings, version=__version__, base=checked.base)
