"""``plataforma key``: keys to sign modules with, and whose signatures are believed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from plataforma_sdk.cli._say import EXIT_FAILED, clean, refuse
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.registry.trust import KeyStore

__all__ = ["key_app"]

key_app = typer.Typer(no_args_is_help=True, help="Make keys to sign modules with, and say whose are believed.")

State = Annotated[Path, typer.Option("--state", metavar="DIR", help="Where keys and pins are kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Fingerprint = Annotated[str, typer.Argument(help="The key: 'ed25519:' and 64 hex digits.")]

HOME: Final = Path("~/.plataforma")


@key_app.command()
def new(
    name: Annotated[str, typer.Argument(help="What to call it.")], state: State = HOME, as_json: AsJson = False
) -> None:
    """Make a key of your own and show its fingerprint, which is public.

    Exit codes: 0 done; 1 there is one of this name, or the extra `trust` is missing.
    """
    with _told():
        key = _store(state).new(name)
        _show({"name": name, "fingerprint": key.fingerprint}, key.fingerprint, as_json=as_json)
        if not as_json:
            _note(f"Kept in {_keys(state) / name}.key: keep a copy where nobody else can read it.")


@key_app.command()
def trust(
    fingerprint: Fingerprint,
    note: Annotated[str, typer.Option(help="Whose it is.")] = "",
    state: State = HOME,
) -> None:
    """Trust a key: it counts where only trusted keys do.

    Compare it with its owner first, over another way than the registry. Exit codes: 0 done; 1 it is none, or revoked.
    """
    with _told():
        _store(state).trust(fingerprint, note)
        _note(f"Trusted: {fingerprint}")


@key_app.command()
def revoke(
    fingerprint: Fingerprint,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    state: State = HOME,
) -> None:
    """Refuse whatever a key signed or signs, here and for ever; tell others in another way.

    Exit codes: 0 done; 1 it is no key.
    """
    with _told():
        _store(state).revoke(fingerprint, reason)
        _note(f"Revoked here: {fingerprint}")


@key_app.command("list")
def list_(state: State = HOME, as_json: AsJson = False) -> None:
    """Show your own keys, those that you trust, and those that are revoked.

    Exit codes: 0 done; 1 a file is damaged, or open to others.
    """
    with _told():
        keys = _store(state).list()
        data = [{"fingerprint": key.fingerprint, "status": key.status, "note": key.note} for key in keys]
        lines = [f"{key.status:8} {key.fingerprint}  {key.note}".rstrip() for key in keys]
        _show(data, "\n".join(lines) or "No keys. Make one: plataforma key new NAME", as_json=as_json)


@key_app.command()
def rotate(
    namespace: Annotated[str, typer.Argument(help="What is passed on: 'acme' of acme/vendas, or a module's id.")],
    old: Annotated[str, typer.Argument(help="Name of the key that has it.")],
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="Name of the key that gets it.")],
    file: Annotated[Path, typer.Option("--file", help="Where rotations are kept; read first if it is there.")],
    state: State = HOME,
) -> None:
    """Pass a namespace on to another key, signed by both; the file is published with every release from then on.

    Exit codes: 0 done; 1 a key is missing, or the file leads to another key than the old one.
    """
    from plataforma_sdk.registry import trust as room
    from plataforma_sdk.registry._files import write_whole

    with _told():
        store = _store(state)
        earlier = file.read_bytes() if file.exists() else None
        rotations = room.rotate(store.load(old), store.load(new_name), namespace=namespace, earlier=earlier)
        write_whole(file, rotations)  # what it held before is the only copy of earlier rotations
        _note(f"{namespace} is passed on to {store.load(new_name).fingerprint}: publish {file} with every release")


@key_app.command()
def forget(module: Annotated[str, typer.Argument(help="Id of the module.")], state: State = HOME) -> None:
    """Forget the registry and key of a module: the next use counts as the first.

    Only after its publisher said, in another way, that they changed. Exit codes: 0 done; 1 nothing was known of it.
    """
    from plataforma_sdk.registry.trust import PinStore

    with _told(), PinStore(state.expanduser() / "pins.sqlite") as pins:
        if not pins.forget(module):
            _note(f"Nothing is known of {module}.")
            raise typer.Exit(EXIT_FAILED)
        _note(f"Forgotten: {module}. Whoever signs it next is believed.")


def _keys(state: Path) -> Path:
    return state.expanduser() / "keys"


def _store(state: Path) -> KeyStore:
    from plataforma_sdk.registry.trust import KeyStore

    return KeyStore(_keys(state))


def _note(text: str) -> None:
    typer.echo(clean(text), err=True)


def _show(data: object, text: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(data) if as_json else text) + "\n")


@contextmanager
def _told() -> Iterator[None]:
    """Show what went wrong, and end with 1."""
    try:
        yield
    except (PlataformaError, OSError) as error:
        refuse("key", error)
