"""``plataforma replay``: runs the journal of a module again and says whether all came out the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from plataforma_sdk.cli._say import EXIT_USAGE, refuse
from plataforma_sdk.errors import GuestError, PlataformaError, error_to_data

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.wasm import ReplayReport

__all__ = ["replay_command"]

EXIT_DIFFERS: Final = 1


def replay_command(
    journal: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What host.load(record=...) wrote.")],
    until: Annotated[int | None, typer.Option(min=1, help="Stop after this pump.", show_default=False)] = None,
    package: Annotated[
        Path | None,
        typer.Option("--with", exists=True, help="Run this version of the module on it instead; compare no outbox."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run the journal of a module again, without its host, and compare every outbox and fuel count.

    Exit codes: 0 identical, faults included; 1 something differs, and the first difference is shown; 2 no journal, or
    one of another guest runner, which only that runner can repeat.
    """
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.sandbox.wasm import replay

    try:
        other = None if package is None else ModulePackage.from_path(package)
        report = replay(journal, until=until, package=other)
    except PlataformaError as error:
        refuse("replay", error, EXIT_USAGE)
    if as_json:
        sys.stdout.write(json.dumps(_data(report)) + "\n")
    else:
        _show(report, is_other=other is not None)
    if not report.is_identical:
        raise typer.Exit(EXIT_DIFFERS)


def _data(report: ReplayReport) -> dict[str, Any]:
    difference = report.difference
    return {
        "module": report.module,
        "version": report.version,
        "identical": report.is_identical,
        "pumps": report.pumps,
        "fuel": report.fuel,
        "instances": report.instances,
        "torn": report.is_torn,
        "seconds": round(report.seconds, 6),
        "difference": None
        if difference is None
        else {
            "pump": difference.pump,
            "what": difference.what,
            "recorded": difference.recorded,
            "replayed": difference.replayed,
        },
        "faults": [
            {
                "pump": fault.pump,
                "error": error_to_data(fault.error),
                "traceback": list(fault.error.traceback) if isinstance(fault.error, GuestError) else [],
            }
            for fault in report.faults
        ],
        "notes": list(report.notes),
    }


def _show(report: ReplayReport, *, is_other: bool) -> None:
    from rich.console import Console
    from rich.markup import escape

    from plataforma_sdk.ui._text_values import clean

    console = Console(highlight=False)

    def say(text: str) -> None:
        console.print(escape(text), soft_wrap=True)

    fault = report.fault
    if fault is not None:
        many = f", the last of {len(report.faults)}" if len(report.faults) > 1 else ""
        say(f"fault in pump {fault.pump}{many}:" if fault.pump else "fault while the module loaded:")
        say("\n".join(clean(line) for line in str(fault.error).split("\n")))
    for note in report.notes:
        say(f"note: {note}")
    if report.is_torn:
        say("The journal ends within the last pump: its host was killed meanwhile, or died of it.")
    if report.difference is not None:
        say("\n".join(clean(line) for line in str(report.difference).split("\n")))
        return
    speed = f", {report.pumps / report.seconds:,.0f} pumps a second" if report.seconds else ""
    what = "ran through" if is_other else "identical"
    name = f"{clean(report.module)} {clean(report.version)}"
    say(f"{what}: {report.pumps:,} pumps, {report.fuel:,} units of fuel ({name}{speed})")
