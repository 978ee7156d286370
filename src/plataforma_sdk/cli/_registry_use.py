"""What the commands of a registry share: which one, whom to trust, ``id@range``, and how a fault ends them."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from plataforma_sdk.cli._key import HOME
from plataforma_sdk.cli._say import EXIT_USAGE, clean, refuse
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.registry import ModuleRegistry, RegistryBackend
    from plataforma_sdk.registry.trust import Identity, TrustPolicy

__all__ = [
    "DEFAULT_REGISTRY",
    "HOME",
    "IdentityOption",
    "JsonOption",
    "RegistryOption",
    "SigstoreRootOption",
    "StateOption",
    "TrustOption",
    "TufRootOption",
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
IdentityOption = Annotated[
    list[str] | None,
    typer.Option(
        "--identity",
        metavar="SUBJECT=ISSUER",
        help="Take what this person or workflow signed by sigstore: ana@example.com=https://issuer. May be repeated.",
    ),
]
SigstoreRootOption = Annotated[
    Path | None,
    typer.Option(
        "--sigstore-root",
        exists=True,
        dir_okay=False,
        help="Trusted root of another sigstore than the public one, JSON.",
    ),
]
TufRootOption = Annotated[
    Path | None,
    typer.Option(
        "--tuf-root",
        exists=True,
        dir_okay=False,
        help="Root that the registry's TUF metadata must follow, from whoever runs it; the first one, if left out.",
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
    identities: Sequence[str] = (),
    sigstore_root: Path | None = None,
    tuf_root: Path | None = None,
    state: Path = HOME,
) -> T:
    """Open a registry, do the work, close it; a fault ends the command with its message."""
    import asyncio

    import attrs

    from plataforma_sdk.registry import ModuleRegistry
    from plataforma_sdk.registry.backends import open_backend

    if trust not in (None, *_POLICIES):
        refuse(command, f"--trust {trust!r} is not known: write {', '.join(_POLICIES)}, or leave it out", EXIT_USAGE)
    if identities and trust is not None:
        refuse(command, "--identity says whom to trust already: leave --trust out", EXIT_USAGE)
    named = [_identity(command, text) for text in identities]

    async def run() -> T:
        backend = open_backend(address)
        policy = attrs.evolve(_policy(trust, named, backend, state), sigstore_root=sigstore_root)
        async with ModuleRegistry(backend, trust=policy, state_dir=state, tuf_root=tuf_root) as registry:
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


def _identity(command: str, text: str) -> Identity:
    from plataforma_sdk.registry.trust import Identity

    subject, _, issuer = text.rpartition("=")
    if not subject or "://" not in issuer:
        refuse(
            command,
            f"--identity {text[:200]!r} is not whole: write who and who vouched for it, 'ana@example.com=https://issuer'",
            EXIT_USAGE,
        )
    return Identity(subject, issuer)


def _policy(trust: str | None, identities: Sequence[Identity], backend: RegistryBackend, state: Path) -> TrustPolicy:
    from plataforma_sdk.registry.trust import KeyStore, TrustPolicy

    if identities:
        return TrustPolicy.of_identities(identities)
    if trust is None:
        return TrustPolicy.default_for(backend)
    if trust == "keys":
        return TrustPolicy.of_keys(KeyStore(state.expanduser() / "keys").trusted)
    return TrustPolicy.any() if trust == "any" else TrustPolicy.signed()
