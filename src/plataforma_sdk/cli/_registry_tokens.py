"""``plataforma registry token``."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import typer

from plataforma_sdk.cli._say import EXIT_USAGE, refuse, say, say_json
from plataforma_sdk.errors import RegistryError
from plataforma_sdk.web.registry import Scope, Token, create_token, list_tokens, open_tokens, revoke_token

if TYPE_CHECKING:
    from plataforma_sdk.registry.backends._database import Database

__all__ = ["create", "revoke", "show"]

_COMMAND: Final = "registry token"
_DAY_S: Final = 86_400

Place: TypeAlias = tuple[Path, str | None]
"""The registry's directory, and the address of its database where it has one."""


def create(
    place: Place, name: str, allow: Sequence[str], *, keys: Sequence[str], days: int | None, as_json: bool
) -> None:
    """Make a token and print it."""
    try:
        scopes = [Scope.parse(text) for text in allow]
    except RegistryError as error:
        refuse(_COMMAND, error, EXIT_USAGE)
    with _opened(place, must_exist=False) as database:
        lifetime_s = days * _DAY_S if days else None
        token, text = create_token(database, name, scopes, keys=keys, lifetime_s=lifetime_s)
    if as_json:
        say_json({**_as_data(token), "token": text})
        return
    say(text)
    hint = f"It is shown this once. Use it as PLATAFORMA_REGISTRY_TOKEN; revoke it as {token.id}."
    typer.echo(hint, err=True)  # so that a script can take what is printed as it is


def show(place: Place, *, as_json: bool) -> None:
    """List the tokens."""
    with _opened(place) as database:
        tokens = list_tokens(database)
    if as_json:
        say_json({"tokens": [_as_data(token) for token in tokens]})
        return
    for token in tokens:
        allowed = ", ".join(map(str, token.scopes))
        bound = f"; keys {', '.join(token.keys)}" if token.keys else ""
        say(f"{token.id}  {token.name}: {allowed}{bound}; {_validity(token)}")
    if not tokens:
        say("There are no tokens: nobody can publish. plataforma registry token create NAME --allow publish")


def revoke(place: Place, token_id: str, *, as_json: bool) -> None:
    """Make a token worth nothing."""
    with _opened(place) as database:
        revoke_token(database, token_id)
    if as_json:
        say_json({"revoked": token_id})
    else:
        say(f"The token {token_id} is worth nothing from now on.")


@contextlib.contextmanager
def _opened(place: Place, *, must_exist: bool = True) -> Iterator[Database]:
    """Open the tokens; what goes wrong is said and ends the command."""
    directory, url = place
    if must_exist and url is None and not directory.is_dir():
        refuse(_COMMAND, f"there is no registry in {directory}: name its directory with --directory")
    try:
        with contextlib.closing(open_tokens(directory, url)) as database:
            yield database
    except (RegistryError, sqlite3.Error) as error:
        refuse(_COMMAND, error)


def _validity(token: Token) -> str:
    if token.revoked_at is not None:
        return f"revoked {_time(token.revoked_at)}"
    if token.expires_at is not None:
        return f"expires {_time(token.expires_at)}"
    return "does not expire"


def _as_data(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "allow": [str(scope) for scope in token.scopes],
        "keys": list(token.keys),
        "created_at": _time(token.created_at),
        "expires_at": _time(token.expires_at),
        "revoked_at": _time(token.revoked_at),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
