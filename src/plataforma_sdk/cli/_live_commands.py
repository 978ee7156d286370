"""``plataforma run`` and ``plataforma dev`` as typer sees them; what they do is imported when one of them runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from plataforma_sdk.cli._hosting import HostOptions

__all__ = ["Api", "Data", "Engine", "Grant", "State", "Tier", "Yes", "dev_command", "options_of", "run_command"]


class Tier(StrEnum):
    """Where a module runs."""

    TRUSTED = "trusted"
    RESTRICTED = "restricted"
    WASM = "wasm"


Engine = Annotated[Tier, typer.Option(help="Trust tier to run it in.")]
Grant = Annotated[list[str] | None, typer.Option(help="Give this permission without asking; may be repeated.")]
Yes = Annotated[bool, typer.Option("--yes", help="Grant whatever the module declares, without asking.")]
Api = Annotated[str | None, typer.Option(help="What api_call reaches: a URL, or module:app of an ASGI application.")]
Data = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="SQLite file that query and execute reach.")
]
State = Annotated[
    Path | None, typer.Option(file_okay=False, help="Directory for decisions and storage; in memory if left out.")
]


def run_command(  # noqa: PLR0917 - typer reads the options from the signature
    target: Annotated[Path, typer.Argument(exists=True, help="A directory with module.toml, a .zip or a .wasm.")],
    engine: Engine = Tier.WASM,
    grant: Grant = None,
    yes: Yes = False,
    api: Api = None,
    data: Data = None,
    state: State = None,
    call: Annotated[
        list[str] | None, typer.Option(help="Call a public method: 'METHOD' or 'METHOD [ARGUMENTS]', a JSON list.")
    ] = None,
    emit: Annotated[
        list[str] | None, typer.Option(help="Emit an event before the calls: 'TOPIC' or 'TOPIC JSON'.")
    ] = None,
    stay: Annotated[bool, typer.Option("--stay", help="Go on until Ctrl-C; show windows when they change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Load a module, ask for its permissions, show its windows, and end.

    Exit codes: 0 done; 1 it does not load, a call or the handler of an event failed, or a required permission was
    refused; 2 wrong use.
    """
    if stay and as_json:
        raise typer.BadParameter("--json prints one object and ends: take plataforma dev --json", param_hint="--stay")

    from plataforma_sdk.cli._run import make_job, start_run

    options = options_of(engine=engine, grant=grant, yes=yes, api=api, data=data, state=state)
    start_run(options, make_job(target, call or (), emit or ()), as_json=as_json, stay=stay)


def dev_command(  # noqa: PLR0917 - typer reads the options from the signature
    directory: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The module's directory.", show_default=False)
    ] = Path(),
    engine: Engine = Tier.WASM,
    grant: Grant = None,
    yes: Yes = False,
    api: Api = None,
    data: Data = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each thing that happens.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Print lines also in a terminal.")] = False,
) -> None:
    """Run a module while you write it: reload it at each save, and show what it does.

    Its windows, events, denials, leaks and usage are shown live; code that is broken leaves the last good version
    running. Wider permissions are asked for again. Ctrl-C ends it.

    Exit codes: 0 ended by Ctrl-C; 2 wrong use, such as a directory without module.toml.
    """
    from plataforma_sdk.cli._dev import start_dev

    options = options_of(engine=engine, grant=grant, yes=yes, api=api, data=data, state=state)
    start_dev(directory, options, as_json=as_json, plain=plain)


def options_of(
    *, engine: Tier, grant: list[str] | None, yes: bool, api: str | None, data: Path | None, state: Path | None
) -> HostOptions:
    from plataforma_sdk.cli._hosting import HostOptions, api_of, check_grants

    check_grants(grant or ())
    return HostOptions(engine=engine.value, grants=tuple(grant or ()), yes=yes, api=api_of(api), data=data, state=state)
