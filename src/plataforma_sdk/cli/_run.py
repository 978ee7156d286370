"""``plataforma run``: loads one module, shows its windows, calls it if asked, and ends or stays."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from plataforma_sdk import codec
from plataforma_sdk.cli._hosting import (
    METERS,
    GrantDeclared,
    HostOptions,
    explain,
    make_host,
    split_call,
    without_logs_of_what_is_shown,
)
from plataforma_sdk.cli._say import EXIT_FAILED
from plataforma_sdk.cli._tree import draw
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.ui._text_values import clean

if TYPE_CHECKING:
    from plataforma_sdk.runtime import ModuleHandle, ModuleHost
    from plataforma_sdk.windows import Window

__all__ = ["RunJob", "make_job", "run_module", "start_run"]


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


@attrs.define
class _Progress:
    """How far a run has come.

    Attributes:
        is_staying: whether all is done, and Ctrl-C ends it well.
        has_failed: whether the handler of an event failed.
    """

    is_staying: bool = False
    has_failed: bool = False


def start_run(options: HostOptions, job: RunJob, *, as_json: bool, stay: bool) -> None:
    """Run the module to its end, or until Ctrl-C.

    Raises:
        typer.Exit: it does not load, a call failed, or a required permission was refused.
    """
    from plataforma_sdk.runtime import ConsolePrompt

    status = Console(stderr=True, highlight=False)
    grant_all = GrantDeclared(lambda name: status.print(f"granted {escape(clean(name))}"))
    prompt = grant_all if options.yes else ConsolePrompt(stdout=sys.stderr)
    progress = _Progress()
    try:
        with without_logs_of_what_is_shown():
            asyncio.run(_run(options, job, prompt, progress, as_json=as_json, stay=stay))
    except KeyboardInterrupt:
        if not progress.is_staying:  # it has not done what it was asked for
            raise
    except PlataformaError as error:
        status.print(f"[red]{escape(clean(job.target.name))}:[/] {escape(explain(error))}", soft_wrap=True)
        raise typer.Exit(EXIT_FAILED) from None
    if progress.has_failed:
        raise typer.Exit(EXIT_FAILED)


def make_job(target: Path, calls: Sequence[str], events: Sequence[str]) -> RunJob:
    """Read the texts of ``--call`` and ``--emit``.

    Raises:
        typer.BadParameter: one that is not written as the help says.
    """
    return RunJob(
        target=target, calls=[_call(text) for text in calls], events=[split_call(text, "--emit") for text in events]
    )


def _call(text: str) -> tuple[str, list[Any]]:
    method, arguments = split_call(text, "--call")
    if arguments is not None and not isinstance(arguments, list):
        raise typer.BadParameter(f"the arguments of {method!r} are a JSON list: {method} [...]", param_hint="--call")
    return method, arguments or []


async def _run(
    options: HostOptions, job: RunJob, prompt: Any, progress: _Progress, *, as_json: bool, stay: bool
) -> None:
    denied: list[str] = []
    async with make_host(options, prompt, lambda record: denied.append(record.permission)) as host:
        handle, report = await run_module(host, options, job)
        report["denied"] = list(dict.fromkeys(denied))
        progress.has_failed = any(item["errors"] for item in report["emitted"])
        if as_json:
            sys.stdout.write(codec.encode(report) + "\n")
        else:
            _show(report)
        if stay:
            progress.is_staying = True
            await _stay(handle)


async def run_module(host: ModuleHost, options: HostOptions, job: RunJob) -> tuple[ModuleHandle, dict[str, Any]]:
    """Load it, emit, call, and render; return the handle and a report of plain data."""
    from plataforma_sdk.package import ModulePackage

    declared = ModulePackage.from_path(job.target).manifest.permissions.declared
    handle = await host.load(job.target.absolute(), grants=options.grants_for(declared))
    emitted = []
    for topic, data in job.events:
        delivery = await host.events.emit(topic, data)
        errors = [str(fault.error) for fault in delivery.errors]
        emitted.append({"topic": topic, "delivered": delivery.delivered, "errors": errors})
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
        for error in item["errors"]:
            lines = map(clean, f"{item['topic']}: failed: {error}".split("\n"))
            console.print("\n".join(lines), markup=False, soft_wrap=True)
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
