"""``plataforma dev``: runs a module while it is written, and reloads it at each save."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from plataforma_sdk.cli._dev_session import DevSession
from plataforma_sdk.cli._dev_view import JsonView, LineView, LiveView, View
from plataforma_sdk.cli._hosting import GrantDeclared, HostOptions, api_of, explain
from plataforma_sdk.cli._run import Api, Data, Engine, Grant, State, Yes
from plataforma_sdk.errors import PlataformaError

__all__ = ["dev_command"]

EXIT_USAGE: Final = 2


def dev_command(  # noqa: PLR0917 - typer reads the options from the signature
    directory: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The module's directory.", show_default=False)
    ] = Path(),
    engine: Engine = "wasm",
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
    status = Console(stderr=True, highlight=False)
    if not (directory / "module.toml").is_file():
        status.print(
            f"There is no module.toml in {escape(str(directory.resolve()))}: go to a module's directory, or make one "
            "with plataforma new",
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_USAGE)
    options = HostOptions(engine=engine, grants=tuple(grant or ()), yes=yes, api=api_of(api), data=data, state=state)
    view = _view(as_json=as_json, plain=plain)
    session = DevSession(directory, options, view.show, _prompt(view, yes=yes))
    try:
        with contextlib.suppress(KeyboardInterrupt), view:
            asyncio.run(session.run())
    except PlataformaError as error:  # of the host: what the module gets wrong is shown, and it goes on
        status.print(f"[red]dev:[/] {escape(explain(error))}", soft_wrap=True)
        raise typer.Exit(EXIT_USAGE) from None


def _view(*, as_json: bool, plain: bool) -> View:
    if as_json:
        return JsonView(sys.stdout)
    console = Console(highlight=False)
    return LineView(console) if plain or not console.is_terminal else LiveView(console)


def _prompt(view: View, *, yes: bool) -> Any:
    """Ask in the terminal, with the live picture out of the way."""
    from plataforma_sdk.runtime import ConsolePrompt

    if yes:
        return GrantDeclared(lambda name: view.show("granted", permission=name))
    console = ConsolePrompt(stdout=sys.stderr)

    async def ask(request: Any) -> Any:
        with view.paused():
            return await console.ask(request)

    return ask
