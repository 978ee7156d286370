"""``plataforma desktop``: a host, its desktop, and the modules that it was given."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from plataforma_sdk.cli._example import example_path, sales_api
from plataforma_sdk.cli._hosting import HostOptions, explain, without_logs_of_what_is_shown
from plataforma_sdk.cli._say import refuse, say, say_json
from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.web._listening import Listening, listen, listening
from plataforma_sdk.web.desktop import Desktop, Launchable, desktop_app
from plataforma_sdk.web.desktop._app import LOOPBACK
from plataforma_sdk.web.desktop._serving import serve

__all__ = ["DesktopJob", "start_desktop"]

_FILE: Final = "desktop.secret"
_SECRET_BYTES: Final = 32


@attrs.frozen(kw_only=True)
class DesktopJob:
    """What to open, and where to serve it.

    Attributes:
        targets: paths of modules, or ``id@range``.
        registry: where ``id@range`` is found, or None.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        allowed_hosts: names by which it may be called, beside those of loopback.
        locale: language that modules speak.
        open_browser: whether to open the page; None does so in a terminal.
        as_json: print one JSON object for each thing that happens.
    """

    targets: Sequence[str]
    registry: str | None
    host: str
    port: int
    allowed_hosts: Sequence[str]
    locale: str
    open_browser: bool | None
    as_json: bool


def start_desktop(options: HostOptions, job: DesktopJob) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        typer.Exit: the port, the data or the state directory cannot be used.
    """
    try:
        with contextlib.suppress(KeyboardInterrupt), without_logs_of_what_is_shown(), _api(options, job) as api:
            asyncio.run(_run(attrs.evolve(options, api=api), job))
    except (PlataformaError, ValueError) as error:
        refuse("desktop", explain(error) if isinstance(error, PlataformaError) else error)
    except OSError as error:
        if error.filename is None:
            raise
        refuse("desktop", f"{error.filename} cannot be used ({error.strerror}): give a --state that can be written")


@contextlib.contextmanager
def _api(options: HostOptions, job: DesktopJob) -> Iterator[Any]:
    """Give the example `vendas` its sales, where no other API is given."""
    example = example_path("vendas").resolve()
    if options.api is not None or not any(Path(target).resolve() == example for target in job.targets):
        yield options.api
        return
    with sales_api(options.data) as api:
        yield api


async def _run(options: HostOptions, job: DesktopJob) -> None:
    async with ModuleHost(
        engine=options.engine,
        registry=job.registry,
        api=options.api,
        database=options.data,
        state_dir=options.state,
        locale=job.locale,
    ) as host:
        targets = [await asyncio.to_thread(_launchable, target, options) for target in job.targets]
        app = desktop_app(
            host,
            allowed_hosts=(*LOOPBACK, *job.allowed_hosts),
            secret=_secret(options.state),
            modules=[target for target in targets if isinstance(target, Launchable)],
        )
        desktop: Desktop = app.state.desktop
        with listen(job.host, job.port) as listener:
            _greet(desktop, job, listening(listener))
            async with asyncio.TaskGroup() as group:
                loads = [group.create_task(_load(host, desktop, options, job, target)) for target in targets]
                await serve(app, listener, desktop.aclose)
                for load in loads:
                    load.cancel()
    _tell(job, "stopped", "Stopped.")


def _launchable(target: str, options: HostOptions) -> Launchable | str:
    """Read the package where the target is a path; ``id@range`` is for the registry.

    Raises:
        ManifestError: the package has faults.
    """
    path = Path(target).absolute()
    if not path.exists():
        return target
    package = ModulePackage.from_path(path)
    return Launchable(package=package, grants=options.grants_for(package.manifest.permissions.declared))


async def _load(
    host: ModuleHost, desktop: Desktop, options: HostOptions, job: DesktopJob, target: Launchable | str
) -> None:
    """Load one module; whether it works or not, the others and the desktop go on."""
    try:
        if isinstance(target, Launchable):
            handle = await host.load(target.package, grants=target.grants)
        else:
            handle = await host.load(target, grants=options.grants)
    except PlataformaError as error:
        name = target.package.id if isinstance(target, Launchable) else target
        _tell(job, "failed", f"{name}: {explain(error)}", module=name, error=str(error))
        desktop.toasts.say(error, module=name, during="its load")
    else:
        text = f"loaded {handle.id} {handle.version} in {handle.engine}"
        _tell(job, "loaded", text, module=handle.id, version=handle.version, engine=handle.engine)


def _greet(desktop: Desktop, job: DesktopJob, listening: Listening) -> None:
    url = desktop.address(listening.url)
    _tell(
        job,
        "serving",
        f"The desktop opens at {url}\nThis address works once, for ten minutes. Ctrl-C ends it.",
        url=url,
    )
    if listening.is_exposed:
        warning = "Other machines reach this port, and what crosses the network can be read: put HTTPS before it."
        _tell(job, "exposed", f"WARNING: {warning}", warning=warning)
    if job.open_browser if job.open_browser is not None else sys.stdout.isatty() and not job.as_json:
        webbrowser.open(url)


def _tell(job: DesktopJob, event: str, text: str, **data: str) -> None:
    if job.as_json:
        say_json({"event": event, **data})
    else:
        say(text)
    sys.stdout.flush()


def _secret(state: Path | None) -> bytes | None:
    """Keep what signs the cookies beside the decisions, so that open pages come back after a restart."""
    if state is None:
        return None
    state = state.expanduser()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state / _FILE
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - nobody else may read it, not even for a moment
            file.write(secrets.token_bytes(_SECRET_BYTES))
    secret = path.read_bytes()
    if len(secret) != _SECRET_BYTES:
        raise PlataformaError(
            f"{path} is no secret of a desktop: remove it, and pages that are open have to be opened anew"
        )
    return secret
