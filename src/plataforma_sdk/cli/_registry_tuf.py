"""``plataforma registry tuf``: the metadata by which clients tell the newest state of a registry from an old one."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from plataforma_sdk.cli._registry_options import AsJson, DatabaseUrl, Of
from plataforma_sdk.cli._say import refuse, say, say_json
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.registry.backends._database import Database

__all__ = ["tuf_app"]

tuf_app = typer.Typer(no_args_is_help=True, help="Let clients notice an old, a frozen or a mixed state of a registry.")

Days = Annotated[int, typer.Option(min=1, max=3_650, help="Days until the root has to be renewed.")]

_COMMAND: Final = "registry tuf"
_DAY_S: Final = 86_400


@tuf_app.command("init")
def init_command(
    directory: Of = Path("registry"), database: DatabaseUrl = None, days: Days = 365, as_json: AsJson = False
) -> None:
    """Make the keys and the first metadata; a service that runs publishes it at once.

    Exit codes: 0 done; 1 there is metadata already, the extra `trust` is missing, or its place cannot be used.
    """
    from plataforma_sdk.web.registry._tuf_root import init_tuf

    with _opened(directory, database, is_new=True) as index:
        root = init_tuf(index, directory, now=time.time(), lifetime_s=days * _DAY_S)
    kept = directory / "tuf"
    _tell(root, 1, as_json=as_json, root_key=str(kept / "root.key"), online_key=str(kept / "online.key"))
    if not as_json:
        say(f"Move {kept / 'root.key'} to where no server can read it: it signs the next root, within {days} days.")
        say(f"{kept / 'online.key'} stays: the service signs with it.")
        say(f"Give clients the root: plataforma registry tuf root --directory {directory} > root.json")


@tuf_app.command("renew")
def renew_command(
    root_key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="File of the root's key.")],
    directory: Of = Path("registry"),
    database: DatabaseUrl = None,
    *,
    days: Days = 365,
    new_root_key: Annotated[bool, typer.Option("--new-root-key", help="Hand over to another root key.")] = False,
    new_online_key: Annotated[bool, typer.Option("--new-online-key", help="Let the service sign anew.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign the next root, before the last one expires or after a key was lost; clients follow from the one they know.

    Exit codes: 0 done; 1 this is not its key, there is no metadata, or its place cannot be used; 2 wrong use.
    """
    from plataforma_sdk.registry.trust import SigningKey
    from plataforma_sdk.web.registry._tuf_root import renew_root

    with _opened(directory, database) as index:
        root = renew_root(
            index,
            directory,
            SigningKey.from_text(root_key.read_text("utf-8")),
            now=time.time(),
            lifetime_s=days * _DAY_S,
            new_root_key=new_root_key,
            new_online_key=new_online_key,
        )
        number = _version(index)
    made = {"root_key": f"root-{number}.key"} if new_root_key else {}
    made |= {"online_key": f"online-{number}.key"} if new_online_key else {}
    _tell(root, number, as_json=as_json, **{name: str(directory / "tuf" / file) for name, file in made.items()})
    if not as_json and new_root_key:
        say(f"Move {directory / 'tuf' / made['root_key']} to where no server can read it.")


@tuf_app.command("root")
def root_command(directory: Of = Path("registry"), database: DatabaseUrl = None) -> None:
    """Print the newest root, for clients: `plataforma install --tuf-root FILE`.

    Exit codes: 0 printed; 1 there is no metadata, or its place cannot be used.
    """
    from plataforma_sdk.web.registry._tuf_root import read_root

    with _opened(directory, database) as index:
        typer.echo(read_root(index, directory).decode())


def _version(database: Database) -> int:
    (number,) = database.execute("SELECT max(version) FROM tuf_metadata WHERE role = 'root'").fetchone()
    return int(number)


def _tell(root: bytes, version: int, *, as_json: bool, **keys: Any) -> None:
    from plataforma_sdk.registry import digest_of

    if as_json:
        say_json({"root": version, "digest": digest_of(root), **keys})
    else:
        say(f"Root {version} is signed: {digest_of(root)}")


@contextlib.contextmanager
def _opened(directory: Path, url: str | None, *, is_new: bool = False) -> Iterator[Database]:
    """Open the index; what goes wrong is said and ends the command."""
    from plataforma_sdk.web.registry._tuf_root import open_index

    try:
        with contextlib.closing(open_index(directory, url, is_new=is_new)) as index:
            yield index
    except (PlataformaError, sqlite3.Error, OSError, UnicodeError) as error:
        refuse(_COMMAND, error)
