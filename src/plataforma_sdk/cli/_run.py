"""``plataforma run``: loads one module, shows its windows, calls it if asked, and ends or stays."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import attrs
import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from plataforma_sdk import codec
from plataforma_sdk.cli._hosting import METERS, GrantDeclared, HostOptions, api_of, explain, make_host, split_call
from plataforma_sdk.cli._tree import draw
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.ui._text_values import clean

if TYPE_CHECKING:
    from plataforma_sdk.runtime import ModuleHandle, ModuleHost
    from plataforma_sdk.windows import Window

__all__ = ["RunJob", "run_command", "run_module"]

EXIT_FAILED: Final = 1

Engine = Annotated[str, typer.Option(help="Trust tier: trusted, restricted or wasm.")]
Grant = Annotated[list[str] | None, typer.Option(help="Give this permission without asking; may be repeated.")]
Yes = Annotated[bool, typer.Option("--yes", help="Grant whatever the module declares, without asking.")]
Api = Annotated[str | None, typer.Option(help="What api_call reaches: a URL, or module:app of an ASGI application.")]
Data = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="SQLite file that query and execute reach.")
]
State = Annotated[
    Path | None, typer.Option(file_okay=False, help="Directory for decisions and storage; in memory if left out.")
]


@attrs.frozen(kw_only=True)
class RunJob:
    """What to do with the module once it is loaded.

    Attributes:
        target: path of the module.
        calls: methods to call, each with its list of arguments, in order.
        events: topics to emit, each with its payload, before the calls.
    """

    target: Path
    calls: Sequence[tuple[str, list[Any]]] = ()
    events: Sequence[tuple[str, Any]] = ()


def run_command(  # noqa: PLR0917 - typer reads the options from the signature
    target: Annotated[Path, typer.Argument(exists=True, help="A directory with module.toml, a .zip or a .wasm.")],
    engine: Engine = "wasm",
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

    Exit codes: 0 done; 1 it does not load, a call failed, or a required permission was refused; 2 wrong use.
    """
    from plataforma_sdk.runtime import ConsolePrompt

    if stay and as_json:
        raise typer.BadParameter("--json prints one object and ends: take plataforma dev --json", param_hint="--stay")
    status = Console(stderr=True, highlight=False)
    options = HostOptions(engine=engine, grants=tuple(grant or ()), yes=yes, api=api_of(api), data=data, state=state)
    job = RunJob(
        target=target,
        calls=[_call(text) for text in call or ()],
        events=[split_call(text, "--emit") for text in emit or ()],
    )
    grant_all = GrantDeclared(lambda name: status.print(f"granted {escape(clean(name))}"))
    prompt = grant_all if yes else ConsolePrompt(stdout=sys.stderr)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(options, job, prompt, as_json=as_json, stay=stay))
    except PlataformaError as error:
        status.print(f"[red]{escape(clean(target.name))}:[/] {escape(explain(error))}", soft_wrap=True)
        raise typer.Exit(EXIT_FAILED) from None


def _call(text: str) -> tuple[str, list[Any]]:
    method, arguments = split_call(text, "--call")
    if arguments is not None and not isinstance(arguments, list):
        raise typer.BadParameter(f"the arguments of {method!r} are a JSON list: {method} [...]", param_hint="--call")
    return method, arguments or []


async def _run(options: HostOptions, job: RunJob, prompt: Any, *, as_json: bool, stay: bool) -> None:
    denied: list[str] = []
    async with make_host(options, prompt, lambda record: denied.append(record.permission)) as host:
        handle, report = await run_module(host, options, job)
        report["denied"] = list(dict.fromkeys(denied))
        if as_json:
            sys.stdout.write(codec.encode(report) + "\n")
            return
        _show(report)
        if stay:
            await _stay(handle)


async def run_module(host: ModuleHost, options: HostOptions, job: RunJob) -> tuple[ModuleHandle, dict[str, Any]]:
    """Load it, emit, call, and render; return the handle and a report of plain data."""
    from plataforma_sdk.package import ModulePackage

    declared = ModulePackage.from_path(job.target).manifest.permissions.declared
    handle = await host.load(job.target.absolute(), grants=options.grants_for(declared))
    emitted = []
    for topic, data in job.events:
        delivery = await host.events.emit(topic, data)
        emitted.append({"topic": topic, "delivered": delivery.delivered})
    calls = [{"method": name, "result": await handle.call(name, *arguments)} for name, arguments in job.calls]
    windows = {name: await handle.render(name) for name in [*handle.windows] or ["main"]}
    return handle, {
        "module": handle.id,
        "version": handle.version,
        "engine": handle.engine,
        "emitted": emitted,
        "calls": calls,
        "windows": windows,
        "usage": {name: getattr(handle.usage, name) for name in METERS},
    }


def _show(report: Mapping[str, Any]) -> None:
    console = Console(highlight=False)
    title = clean(f"{report['module']} {report['version']} in {report['engine']}")
    for name, tree in report["windows"].items():
        heading = title if name == "main" else f"{title}: {clean(name)}"
        console.print(Panel(draw(tree), title=heading, border_style="blue"))
    for item in report["emitted"]:
        console.print(f"{clean(item['topic'])}: handled {item['delivered']} times", markup=False)
    for item in report["calls"]:
        console.print(f"{clean(item['method'])}: {codec.encode(item['result'])}", markup=False, soft_wrap=True)
    for name in report["denied"]:
        console.print(f"refused: {clean(name)}", markup=False)


async def _stay(handle: ModuleHandle) -> None:
    """Show each window when it changes, until the person ends it."""
    console = Console(highlight=False)
    shown = {window.id: window.revision for window in handle.windows.values()}

    def show(window: Window) -> None:
        if shown.get(window.id) != window.revision and window.tree is not None:
            shown[window.id] = window.revision
            console.print(Panel(draw(window.tree), title=clean(window.title), border_style="blue"))

    console.print("Ctrl-C ends it.", style="dim")
    with handle.watch(show):
        await asyncio.Event().wait()
