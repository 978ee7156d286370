"""``plataforma desktop`` as typer sees it; what it does is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from plataforma_sdk.cli._live_commands import Api, Data, Engine, Grant, State, Tier, Yes, options_of

__all__ = ["desktop_command"]

PORT = 8742


def desktop_command(  # noqa: PLR0917 - typer reads the options from the signature
    modules: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODULE]...", help="Directories with module.toml, .zip, .wasm, or 'id@range' of the registry."
        ),
    ] = None,
    engine: Engine = Tier.WASM,
    grant: Grant = None,
    yes: Yes = False,
    api: Api = None,
    data: Data = None,
    state: State = None,
    registry: Annotated[
        str | None, typer.Option(help="Where 'id@range' is found: a path or an address.", envvar="PLATAFORMA_REGISTRY")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; others than loopback reach other machines.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")] = PORT,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Accept this host name in addresses too; may be repeated.")
    ] = None,
    locale: Annotated[str, typer.Option(help="Language of what modules say, such as pt-BR; the page has its own.")] = (
        "pt-BR"
    ),
    open_browser: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open the page in the browser; by default in a terminal.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each thing that happens.")] = False,
) -> None:
    """Open modules in windows, in a browser: with dialogs for permissions and a task manager.

    The address that is printed opens the desktop once, in the browser that takes it. The example `vendas` gets its
    sales from --data, or made-up ones, where no --api is given. Ctrl-C ends it.

    Exit codes: 0 ended by Ctrl-C or SIGTERM; 1 the port is taken, or the extra `web` is missing; 2 wrong use. A module
    that does not load is said here and in the desktop, which goes on.
    """
    try:
        from plataforma_sdk.cli._desktop_serve import DesktopJob, start_desktop
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn", "websockets"}:
            raise
        from plataforma_sdk.cli._say import refuse

        refuse("desktop", f"{error.name} is not installed: pip install 'plataforma-sdk[web]'")

    options = options_of(engine=engine, grant=grant, yes=yes, api=api, data=data, state=state)
    start_desktop(
        options,
        DesktopJob(
            targets=tuple(modules or ()),
            registry=registry,
            host=host,
            port=port,
            allowed_hosts=tuple(allow_host or ()),
            locale=locale,
            open_browser=open_browser,
            as_json=as_json,
        ),
    )
