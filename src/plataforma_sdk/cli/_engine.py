"""``plataforma engine``: how the `wasm` engine stands here, making it ready, clearing its caches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from plataforma_sdk.cli._say import refuse
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.wasm._maintenance import EngineReport

__all__ = ["engine_app"]

_Result = TypeVar("_Result")

engine_app = typer.Typer(no_args_is_help=True, help="Show, prepare and clear what the wasm engine runs on.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]


@engine_app.command()
def info(as_json: AsJson = False) -> None:
    """Show the versions, the guest runner and its machine code; builds and compiles nothing.

    Exit codes: 0 done; 1 the cache cannot be used.
    """
    from plataforma_sdk.sandbox.wasm._maintenance import inspect_engine

    _show(_done(inspect_engine), as_json=as_json)


@engine_app.command()
def warm(as_json: AsJson = False) -> None:
    """Build and compile what is missing, some 8 to 20 s once, so that no first load waits for it.

    Run it where an image is built or a machine is set up. Exit codes: 0 the next start is warm; 1 it failed.
    """
    from plataforma_sdk.sandbox.wasm._maintenance import warm_up

    _show(_done(warm_up), as_json=as_json)


@engine_app.command()
def clear(as_json: AsJson = False) -> None:
    """Remove all machine code, the runners built here and modules' compiled code; the next start makes them anew.

    Exit codes: 0 done; 1 the cache cannot be used.
    """
    from plataforma_sdk.sandbox.wasm._maintenance import clear_caches

    freed = _done(clear_caches)
    if as_json:
        sys.stdout.write(json.dumps({"freed_bytes": freed}) + "\n")
    else:
        from rich.console import Console

        Console(highlight=False).print(
            f"Freed {_megabytes(freed)}. The next start compiles again: plataforma engine warm"
        )


def _done(work: Callable[[], _Result]) -> _Result:
    try:
        return work()
    except PlataformaError as error:
        refuse("engine", error)


def _show(report: EngineReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report.to_data()) + "\n")
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    for name, value in _lines(report):
        console.print(f"[bold]{name:<14}[/]{escape(value)}", soft_wrap=True)


def _lines(report: EngineReport) -> list[tuple[str, str]]:
    origin = "installed" if report.is_packaged else "built from this source checkout"
    runner = (
        "not built yet; the first load builds it, or: plataforma engine warm"
        if report.runner is None
        else f"{_megabytes(report.runner_bytes)}, {origin}, sha256 {report.runner_sha256}"
    )
    code = (
        "not compiled yet; the first load compiles it, or: plataforma engine warm"
        if report.artefact is None
        else f"{_megabytes(report.artefact_bytes)}, {report.artefact}"
    )
    return [
        ("Engine", f"wasm, in threads, slower: {report.problem}" if report.problem else "wasm, on fibers"),
        ("Python", f"{report.python} on {report.platform}"),
        ("wasmtime", report.wasmtime),
        ("Runner", runner),
        ("Machine code", code),
        ("Cache", f"{report.cache}, {_megabytes(report.cache_bytes)}"),
    ]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
