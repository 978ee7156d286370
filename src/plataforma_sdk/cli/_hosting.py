"""What ``run`` and ``dev`` share: a host made of the options of the command line."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import typer

from plataforma_sdk.cli._dependencies import UsualRegistry
from plataforma_sdk.errors import InvalidPermissionError, PermissionDeniedError, PlataformaError
from plataforma_sdk.permissions import (
    AuditRecord,
    PermissionAnswer,
    PermissionManager,
    PermissionRequest,
    parse_permission,
)
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.ui._text_values import clean

if TYPE_CHECKING:
    from plataforma_sdk.permissions import Prompt

__all__ = [
    "GrantDeclared",
    "HostOptions",
    "api_of",
    "check_grants",
    "explain",
    "make_host",
    "split_call",
    "without_logs_of_what_is_shown",
]

METERS: Final = ("cpu_ms", "fuel", "memory_bytes", "memory_peak_bytes", "host_calls", "network_requests")


@attrs.frozen(kw_only=True)
class HostOptions:
    """How a module is run from the command line.

    Attributes:
        engine: its tier.
        grants: permissions that are given without asking.
        yes: grant whatever the module declares.
        api: what `api_call` reaches, or None.
        data: SQLite file that `query` and `execute` reach, or None.
        state: directory where decisions and storage are kept, or None for the life of the command.
    """

    engine: str = "wasm"
    grants: Sequence[str] = ()
    yes: bool = False
    api: Any = None
    data: Path | None = None
    state: Path | None = None

    def grants_for(self, declared: Iterable[str]) -> tuple[str, ...]:
        """Return what the module holds at its load."""
        return (*self.grants, *(declared if self.yes else ()))


class GrantDeclared:
    """Says yes: only what a manifest declares is ever asked for; `--yes`."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    async def ask(self, request: PermissionRequest) -> PermissionAnswer:
        """Grant it, and say so."""
        self._say(request.permission)
        return PermissionAnswer.ALLOW_SESSION


def make_host(options: HostOptions, prompt: Prompt, on_denied: Callable[[AuditRecord], object]) -> ModuleHost:
    """Make the host; `on_denied` is told of each permission that was refused.

    Raises:
        PlataformaError: an option cannot be used.
    """

    def manager(grants: Iterable[str], *, audit: Any, **rest: Any) -> PermissionManager:
        def both(record: AuditRecord) -> None:
            if audit is not None:
                audit(record)
            if record.outcome == "denied":
                on_denied(record)

        return PermissionManager(grants, audit=both, **rest)

    return ModuleHost(
        engine=options.engine,
        prompt=prompt,
        api=options.api,
        database=options.data,
        state_dir=options.state,
        registry=UsualRegistry(),
        permission_manager=manager,
    )


def api_of(text: str | None) -> Any:
    """Read ``--api``: a URL, or ``module:app`` for an ASGI application, imported from where the command runs.

    Raises:
        typer.BadParameter: it is neither, or cannot be imported.
    """
    if text is None or text.startswith(("http://", "https://")):
        return text
    module, _, name = text.partition(":")
    if not (module and name):
        raise typer.BadParameter(f"{text!r} is neither a URL nor module:app", param_hint="--api")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="--api") from None
    finally:
        sys.path.remove(str(Path.cwd()))


def check_grants(names: Iterable[str]) -> None:
    """Check the names of ``--grant``.

    Raises:
        typer.BadParameter: one that is no permission.
    """
    try:
        for name in names:
            parse_permission(name)
    except InvalidPermissionError as error:
        raise typer.BadParameter(str(error), param_hint="--grant") from None


def split_call(text: str, option: str) -> tuple[str, Any]:
    """Read ``"name JSON"``, where the JSON may be left out.

    Raises:
        typer.BadParameter: it is no JSON.
    """
    name, _, rest = text.strip().partition(" ")
    if not rest.strip():
        return name, None
    try:
        return name, json.loads(rest)
    except ValueError as error:
        raise typer.BadParameter(f"what follows {name!r} is no JSON: {error}", param_hint=option) from None


@contextlib.contextmanager
def without_logs_of_what_is_shown() -> Iterator[None]:
    """Keep denials and faults of handlers, which the command shows, from standard error, where no log is set up."""
    loggers = [logging.getLogger(f"plataforma_sdk.{name}") for name in ("permissions", "events")]
    handler = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def explain(error: PlataformaError) -> str:
    """Write an error for whoever writes the module, with the option of the command that would help."""
    text = "\n".join(clean(line) for line in str(error).split("\n"))
    if isinstance(error, PermissionDeniedError) and error.reason == "required, not granted":
        head = text.partition(": grant it")[0]
        text = (
            f"{head}: answer once, session or always when asked, or add --grant {error.permission!r}, "
            "or --yes for all that it declares"
        )
    return text
