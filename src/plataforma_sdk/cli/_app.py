"""The commands, as typer sees them.

``plataforma --help`` and the completion of a shell import this file, and with it the file of every command: these
import the standard library, typer and `errors` at their top, and all else where they use it. A test counts them.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plataforma_sdk import __version__
from plataforma_sdk.cli._check import check_command
from plataforma_sdk.cli._desktop import desktop_command
from plataforma_sdk.cli._engine import engine_app
from plataforma_sdk.cli._explain import explain_command
from plataforma_sdk.cli._inspect import inspect_command
from plataforma_sdk.cli._key import key_app
from plataforma_sdk.cli._live_commands import dev_command, run_command
from plataforma_sdk.cli._new import new_command
from plataforma_sdk.cli._pack import pack_command
from plataforma_sdk.cli._record import record_command
from plataforma_sdk.cli._registry_find import info_command, search_command
from plataforma_sdk.cli._registry_install import install_command, resolve_command, verify_command
from plataforma_sdk.cli._registry_publish import publish_command, yank_command
from plataforma_sdk.cli._registry_service import registry_app
from plataforma_sdk.cli._replay import replay_command
from plataforma_sdk.cli._run_tests import run_tests_command
from plataforma_sdk.cli._say import EXIT_FAILED, EXIT_USAGE
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,  # rich would make the help of 0.1 s one of 0.3 s, for frames around it
    pretty_exceptions_enable=False,
    help="Run Python modules that you do not have to trust.",
)


app.command("new")(new_command)
app.command("run")(run_command)
app.command("dev")(dev_command)
app.command("check")(check_command)
app.command("test", context_settings={"ignore_unknown_options": True})(run_tests_command)
app.command("record")(record_command)
app.command("explain")(explain_command)
app.command("pack")(pack_command)
app.command("inspect")(inspect_command)
app.command("publish")(publish_command)
app.command("install")(install_command)
app.command("search")(search_command)
app.command("info")(info_command)
app.command("resolve")(resolve_command)
app.command("verify")(verify_command)
app.command("yank")(yank_command)
app.command("desktop")(desktop_command)
app.add_typer(key_app, name="key")
app.command("replay")(replay_command)
app.add_typer(registry_app, name="registry")
app.add_typer(engine_app, name="engine")


class EngineChoice(StrEnum):
    """Where the demo runs."""

    TRUSTED = "trusted"
    RESTRICTED = "restricted"
    WASM = "wasm"
    ALL = "all"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"plataforma-sdk {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Run Python modules that you do not have to trust."""


@app.command()
def demo(
    engine: Annotated[EngineChoice, typer.Option(help="Trust tier to run it in.")] = EngineChoice.ALL,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="SQLite file with Chinook's tables, only read. Default: made-up sales."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each tier, one per line.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Grant whatever the module declares, without asking.")] = False,
) -> None:
    """Show the sales module at work: permissions, API calls, events, a window, and what each tier used.

    Exit codes: 0 all tiers ran; 1 one failed or was refused what it requires; 2 wrong use, such as no terminal to
    ask in and no --yes.
    """
    from rich.console import Console

    status = Console(stderr=True, highlight=False)
    if not yes and not sys.stdin.isatty():
        status.print(
            "The demo asks which permissions the module may have, and there is no terminal to ask in: "
            "run it in one, or add --yes to grant what the module declares.",
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_USAGE)
    tiers = [choice.value for choice in EngineChoice if choice is not EngineChoice.ALL]
    chosen = tiers if engine is EngineChoice.ALL else [engine.value]
    try:
        done = _run_tiers(chosen, data, yes=yes, as_json=as_json, status=status)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--data") from None
    if not done:
        raise typer.Exit(EXIT_FAILED)


def _run_tiers(tiers: list[str], data: Path | None, *, yes: bool, as_json: bool, status: Console) -> bool:
    """Run the demo in each tier, a failed one notwithstanding, and show what came of it."""
    from rich.console import Console
    from rich.markup import escape

    from plataforma_sdk.cli._demo import AskOnce, DemoResult
    from plataforma_sdk.cli._example import sales_api
    from plataforma_sdk.cli._report import show_results
    from plataforma_sdk.runtime import ConsolePrompt

    prompt = None if yes else AskOnce(ConsolePrompt(stdout=sys.stderr))
    results: list[DemoResult] = []
    with sales_api(data) as api:
        for tier in tiers:
            try:
                result = _run_tier(tier, api, prompt, status)
            except PlataformaError as error:
                status.print(f"[red]{tier}:[/] {escape(str(error))}", soft_wrap=True)
                continue
            results.append(result)
            if as_json:
                sys.stdout.write(result.to_json() + "\n")
    if not as_json:
        show_results(results, Console(highlight=False))
    return len(results) == len(tiers)


def _run_tier(tier: str, api: Any, prompt: Any, status: Console) -> Any:
    """Run one tier; progress is a spinner, or lines where a person is asked: a spinner would hide the question."""
    import asyncio
    import contextlib

    from plataforma_sdk.cli._demo import run_demo
    from plataforma_sdk.cli._example import example_path

    spinner = status.status("")

    def progress(step: str) -> None:
        if prompt is None:
            spinner.update(f"{tier}: {step}")
        else:
            status.print(f"{tier}: {step}", style="dim")

    with spinner if prompt is None else contextlib.nullcontext():
        progress("starting")
        job = run_demo(
            tier, example_path("vendas"), api, prompt=prompt, grant_declared=prompt is None, progress=progress
        )
        return asyncio.run(job)
