"""``plataforma check``: what can be said about a module without running it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from plataforma_sdk import __version__
from plataforma_sdk.cli._say import EXIT_USAGE, refuse
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.cli._checking import Checked

__all__ = ["Format", "check_command"]

EXIT_FINDINGS: Final = 1
_STYLES: Final = {"error": "bold red", "warning": "yellow"}
"""Level -> how it looks; a plain terminal shows the word."""


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


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
    from plataforma_sdk.cli._checking import check

    try:
        checked = check(path)
    except (PlataformaError, OSError) as error:
        refuse("check", error, EXIT_USAGE)
    if output is Format.TEXT:
        _show(checked)
    else:
        data = _sarif(checked) if output is Format.SARIF else _data(checked)
        sys.stdout.write(json.dumps(data, indent=2 if output is Format.SARIF else None) + "\n")
    if checked.count("error") or (strict and checked.findings):
        raise typer.Exit(EXIT_FINDINGS)


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
