"""``plataforma dev``: runs a module while it is written, and reloads it at each save."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from plataforma_sdk.cli._dev_session import DevSession
from plataforma_sdk.cli._dev_view import JsonView, LineView, LiveView, View
from plataforma_sdk.cli._hosting import GrantDeclared, HostOptions, explain, without_logs_of_what_is_shown
from plataforma_sdk.cli._say import EXIT_USAGE
from plataforma_sdk.errors import PlataformaError

__all__ = ["start_dev"]


def start_dev(directory: Path, options: HostOptions, *, as_json: bool, plain: bool) -> None:
    """Run the module in a directory until Ctrl-C.

    Raises:
        typer.Exit: there is no module, or the host cannot be made.
    """
    status = Console(stderr=True, highlight=False)
    if not (directory / "module.toml").is_file():
        status.print(
            f"There is no module.toml in {escape(str(directory.resolve()))}: go to a module's directory, or make one "
            "with plataforma new",
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_USAGE)
    view = _view(as_json=as_json, plain=plain)
    session = DevSession(directory, options, view.show, _prompt(view, yes=options.yes))
    try:
        with contextlib.suppress(KeyboardInterrupt), without_logs_of_what_is_shown(), view:
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
