"""``plataforma record``: runs a module and writes the permissions that the run needed."""

from __future__ import annotations

import difflib
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from plataforma_sdk.cli._say import EXIT_FAILED, EXIT_USAGE, refuse
from plataforma_sdk.errors import InvalidPermissionError, PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.cli._outcome import Outcome

__all__ = ["record_command"]

MANIFEST: Final = "module.toml"


class Tier(StrEnum):
    """Where the module runs while it is recorded."""

    TRUSTED = "trusted"
    RESTRICTED = "restricted"
    WASM = "wasm"


def record_command(
    directory: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The module's directory.", show_default="here")
    ] = Path(),
    *,
    engine: Annotated[Tier, typer.Option(help="Trust tier to run it in.")] = Tier.WASM,
    api: Annotated[
        str | None, typer.Option(help="What it calls: a URL, a .json file of routes, or package.module:application.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="SQLite file; the run works on a copy.")
    ] = None,
    event: Annotated[list[str] | None, typer.Option(help="Emit TOPIC or TOPIC=JSON; may be repeated.")] = None,
    call: Annotated[list[str] | None, typer.Option(help="Call this public method; may be repeated.")] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="Grant what no wildcard does, 'api.external[host]'; may be repeated.")
    ] = None,
    deny: Annotated[list[str] | None, typer.Option(help="Refuse this permission, and do not write it.")] = None,
    no_walk: Annotated[bool, typer.Option("--no-walk", help="Leave its windows alone.")] = False,
    write: Annotated[bool, typer.Option("--write/--diff", help="Write module.toml, or only show the change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a module with everything granted, use its windows and events, and reduce [permissions] to what that needed.

    Exit codes: 0 done; 1 the module does not load, or something of it failed while it was used, so that needs may be
    missing, and nothing is written; 2 wrong use.
    """
    import asyncio

    from plataforma_sdk.cli._hosting import without_logs_of_what_is_shown
    from plataforma_sdk.cli._outcome import record
    from plataforma_sdk.cli._recording import RunPlan, read_api

    try:
        plan = RunPlan(
            engine=engine.value,
            api=read_api(api),
            data=data,
            events=dict(map(_read_event, event or ())),
            calls=tuple(call or ()),
            allow=tuple(allow or ()),
            deny=tuple(deny or ()),
            has_walk=not no_walk,
        )
    except (ValueError, InvalidPermissionError) as error:
        refuse("record", error, EXIT_USAGE)
    try:
        with without_logs_of_what_is_shown():
            outcome = asyncio.run(record(directory, plan))
    except PlataformaError as error:
        refuse("record", error)
    is_written = write and not outcome.recording.notes and outcome.before != outcome.after
    if is_written:
        _write(directory / MANIFEST, outcome.after)
    if as_json:
        sys.stdout.write(json.dumps(_data(outcome, is_written=is_written)) + "\n")
    else:
        _show(outcome, is_written=is_written)
    if outcome.recording.notes:
        raise typer.Exit(EXIT_FAILED)


def _read_event(text: str) -> tuple[str, Any]:
    topic, equals, payload = text.partition("=")
    try:
        return topic, json.loads(payload) if equals else None
    except ValueError as error:
        raise ValueError(f"the payload of --event {topic} is no JSON: {error}") from None


def _write(path: Path, text: str) -> None:
    """Write aside and rename, so that a manifest is never half there."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(text.encode())
    aside.replace(path)


def _data(outcome: Outcome, *, is_written: bool) -> dict[str, Any]:
    recording, changes = outcome.recording, outcome.changes
    return {
        "required": list(recording.needs.required),
        "asked": list(recording.needs.asked),
        "refused": list(recording.needs.refused),
        "added": [*changes.required, *changes.optional],
        "changed": {old: list(new) for old, new in changes.kept.items() if new != (old,)},
        "notes": list(recording.notes),
        "written": is_written,
    }


def _show(outcome: Outcome, *, is_written: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from plataforma_sdk.ui._text_values import clean

    recording, before, after = outcome.recording, outcome.before, outcome.after
    console = Console(highlight=False)
    for name in recording.needs.all:
        console.print(Text(f"needed: {name}"), soft_wrap=True)
    for name in recording.needs.refused:
        told = f"note: {name!r} was not granted during the run: add --allow {name!r} to see what comes after it"
        console.print(Text(told), soft_wrap=True)
    for note in recording.notes:
        console.print(Text(f"note: {clean(note)}"), soft_wrap=True)
    if before == after:
        console.print(f"{MANIFEST} declares exactly that.")
        return
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), MANIFEST, "recorded", lineterm="", n=0)
    for line in lines:
        style = {"+": "green", "-": "red"}.get(line[:1], "dim")
        console.print(Text(clean(line), style=style), soft_wrap=True)
    if is_written:
        console.print(
            f"{MANIFEST} is written; 'plataforma check' lists the reasons that are still to be given.", soft_wrap=True
        )
    elif recording.notes:
        console.print(
            "Nothing is written: correct what failed, or answer it with --api, --data, --event or --deny.",
            soft_wrap=True,
        )
    else:
        console.print("Add --write to change the file.")
