"""What the commands of a registry share: which one, whom to trust, ``id@range``, and how a fault ends them."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from plataforma_sdk.cli._key import HOME
from plataforma_sdk.cli._say import EXIT_USAGE, clean, refuse
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.registry import ModuleRegistry
    from plataforma_sdk.registry.trust import TrustPolicy

__all__ = [
    "DEFAULT_REGISTRY",
    "HOME",
    "JsonOption",
    "RegistryOption",
    "StateOption",
    "TrustOption",
    "again",
    "split_target",
    "use",
]

T = TypeVar("T")

DEFAULT_REGISTRY: Final = "~/.plataforma"
_POLICIES: Final = ("signed", "keys", "any")

RegistryOption = Annotated[
    str,
    typer.Option(
        "--registry",
        envvar="PLATAFORMA_REGISTRY",
        metavar="ADDRESS",
        help="A path, https://host, oci://host/namespace, s3://bucket/prefix, or what a plugin opens.",
    ),
]
TrustOption = Annotated[
    str | None,
    typer.Option(
        "--trust",
        metavar="signed|keys|any",
        help="Take what anybody signed, what a trusted key signed, or unsigned modules too.",
        show_default="signed; any on this machine",
    ),
]
StateOption = Annotated[Path, typer.Option("--state", metavar="DIR", help="Where keys and pins are kept.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def use(
    command: str,
    address: str,
    work: Callable[[ModuleRegistry], Awaitable[T]],
    *,
    trust: str | None = None,
    state: Path = HOME,
) -> T:
    """Open a registry, do the work, close it; a fault ends the command with its message."""
    import asyncio

    from plataforma_sdk.registry import ModuleRegistry

    if trust not in (None, *_POLICIES):
        refuse(command, f"--trust {trust!r} is not known: write {', '.join(_POLICIES)}, or leave it out", EXIT_USAGE)

    async def run() -> T:
        async with ModuleRegistry(address, trust=_policy(trust, state), state_dir=state) as registry:
            return await work(registry)

    try:
        return asyncio.run(run())
    except (PlataformaError, OSError) as error:
        refuse(command, _for_commands(str(error)))


def split_target(command: str, target: str) -> tuple[str, str]:
    """Read ``id@range``; the range is ``*`` where there is none. A fault is wrong use."""
    from plataforma_sdk.manifest import VersionRange
    from plataforma_sdk.types import is_module_id

    module_id, _, text = target.partition("@")
    if not is_module_id(module_id):
        refuse(
            command, f"{target[:80]!r} names no module: write 'vendas', 'vendas@^1' or 'acme/vendas@~1.2'", EXIT_USAGE
        )
    try:
        VersionRange.parse(text or "*")
    except ValueError as error:
        refuse(command, f"{target[:80]!r}: {error}", EXIT_USAGE)
    return module_id, text or "*"


def again(command: str, *arguments: str, registry: str, trust: str | None = None) -> str:
    """Write a command that a person can copy, with the registry in it where it is not the default."""
    where = [] if registry == DEFAULT_REGISTRY else ["--registry", registry]
    whom = [] if trust is None else ["--trust", trust]
    return clean(shlex.join(["plataforma", command, *arguments, *where, *whom]))


def _for_commands(message: str) -> str:
    """Say what to write on the command line where a message says what to write in Python."""
    return message.replace("pass TrustPolicy.any()", "add --trust any")


def _policy(trust: str | None, state: Path) -> TrustPolicy | None:
    from plataforma_sdk.registry.trust import KeyStore, TrustPolicy

    if trust is None:
        return None
    if trust == "keys":
        return TrustPolicy.of_keys(KeyStore(state.expanduser() / "keys").trusted)
    return TrustPolicy.any() if trust == "any" else TrustPolicy.signed()
