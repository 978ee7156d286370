"""``plataforma explain``: what a permission allows, who grants it and where a module uses it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from plataforma_sdk.cli._say import EXIT_USAGE, refuse
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.cli._meanings import Meaning
    from plataforma_sdk.cli._uses import InModule

__all__ = ["GRANTED_BY", "explain_command"]

GRANTED_BY: Final = (
    "the host, by host.load(..., grants=[...]) or ModuleHost(grants=[...]), or a person who is asked; "
    "and only where module.toml declares it"
)


def explain_command(
    permission: Annotated[str, typer.Argument(help="Such as 'api.vendas[GET]' or system.storage.")],
    module: Annotated[
        Path | None, typer.Option(exists=True, help="A module's directory or archive: show where it uses it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain a permission: what it allows, its scopes, which calls need it, what grants it, and the line to write.

    Exit codes: 0 explained; 2 there is no such permission, and the nearest is named, or no such module.
    """
    from attrs import asdict

    from plataforma_sdk.cli._meanings import UnknownPermissionError, meaning_of
    from plataforma_sdk.cli._uses import look_into
    from plataforma_sdk.package import ModulePackage

    try:
        meaning = meaning_of(permission)
        found = None if module is None else look_into(ModulePackage.from_path(module), meaning.permission)
    except (UnknownPermissionError, PlataformaError) as error:
        refuse("explain", error, EXIT_USAGE)
    if as_json:
        data = {**asdict(meaning), "granted_by": GRANTED_BY, "module": found and asdict(found)}
        sys.stdout.write(json.dumps(data) + "\n")
    else:
        _show(meaning, found)


def _show(meaning: Meaning, found: InModule | None) -> None:
    from rich.console import Console
    from rich.text import Text

    from plataforma_sdk.ui._text_values import clean

    console = Console(highlight=False)

    def say(label: str, *lines: str) -> None:
        for line in lines:
            console.print(Text.assemble((f"{label:<12}", "bold"), clean(line)), soft_wrap=True)
            label = ""

    say("permission", meaning.permission)
    say("allows", f"to {meaning.allows}" if not meaning.allows.startswith("everything") else meaning.allows)
    say("scopes", meaning.scopes)
    say("needed by", *meaning.calls)
    say("granted by", GRANTED_BY)
    say("wildcards", ", ".join(meaning.wildcards) or "none grants it: it must be granted by its own name")
    say("declare it", meaning.line, "under [permissions.required] or [permissions.optional] in module.toml")
    if found is not None:
        told = ", ".join(found.declared) or "nothing of it"
        say("module", found.module)
        say("declares", told if found.is_declared or not found.declared else f"{told}, which is not all of it")
        say("uses", *(found.uses or ("nowhere that its source says so literally",)))
