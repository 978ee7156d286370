"""``plataforma publish`` and ``plataforma yank``: what changes a registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plataforma_sdk.cli._registry_use import (
    DEFAULT_REGISTRY,
    HOME,
    JsonOption,
    RegistryOption,
    SigstoreRootOption,
    StateOption,
    again,
    use,
)
from plataforma_sdk.cli._say import EXIT_USAGE, clean, refuse, say, say_json
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.registry import ModuleRegistry, PublishProgress, PublishResult
    from plataforma_sdk.registry.trust import SigningKey

__all__ = ["publish_command", "yank_command"]


def publish_command(
    package: Annotated[
        Path, typer.Argument(exists=True, help="A module's directory, a .zip, or a .wasm.", show_default="here")
    ] = Path(),
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Scan, resolve and build; store nothing.")] = False,
    key: Annotated[str | None, typer.Option("--key", help="Name of the key to sign with.")] = None,
    rotations: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="What `plataforma key rotate` wrote.")
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What sigstore made of the archive of `plataforma pack`."),
    ] = None,
    sigstore_root: SigstoreRootOption = None,
    registry: RegistryOption = DEFAULT_REGISTRY,
    state: StateOption = HOME,
    as_json: JsonOption = False,
) -> None:
    """Publish a module: scan, resolve, build, store, distribute, look whether it is found.

    A version is published whole or not at all, and never changes; publishing the same again changes nothing.

    Exit codes: 0 published, or the dry run went through; 1 refused, or the registry cannot be reached, and nothing is
    published; 2 wrong use.
    """
    found = _read(package)
    signer = None if key is None else _signer(key, state)
    passed_on = None if rotations is None else rotations.read_bytes()
    by_sigstore = None if bundle is None else bundle.read_bytes()

    def progress(item: PublishProgress) -> None:
        if item.is_done:
            typer.echo(f"{item.step:<11}{clean(item.detail)}", err=True)

    async def publish(there: ModuleRegistry) -> PublishResult:
        return await there.publish(
            found, signer=signer, rotations=passed_on, bundle=by_sigstore, dry_run=dry_run, progress=progress
        )

    result = use("publish", registry, publish, sigstore_root=sigstore_root, state=state)
    if as_json:
        say_json(result.to_data())
        return
    for warning in result.warnings:
        typer.echo(f"publish: {clean(warning)}", err=True)
    _show(result, registry, package)


def _read(path: Path) -> ModulePackage:
    from plataforma_sdk.package import ModulePackage

    try:
        return ModulePackage.from_directory(path) if path.is_dir() else ModulePackage.from_path(path)
    except PlataformaError as error:
        refuse("publish", error)


def _signer(name: str, state: Path) -> SigningKey:
    from plataforma_sdk.registry.trust import KeyStore

    try:
        return KeyStore(state.expanduser() / "keys").load(name)
    except PlataformaError as error:
        refuse("publish", error)


def _show(result: PublishResult, registry: str, package: Path) -> None:
    name = f"{result.module_id} {result.version}"
    if result.is_dry_run:
        say(f"{name} can be published: {result.size_bytes:,} bytes, {result.digest}")
        say(f"Publish it: {again('publish', str(package), registry=registry)}")
        return
    say(f"Published {name}" if result.is_new else f"{name} was published before, the same; nothing has changed")
    say(f"  {result.size_bytes:,} bytes, {result.digest}")
    say(f"  signed by {result.publisher or 'nobody: sign it with --key NAME'}")
    say(f"  {result.download_url}")
    say(f"Install it: {again('install', f'{result.module_id}@{result.version}', registry=registry)}")


def yank_command(
    target: Annotated[str, typer.Argument(metavar="ID@VERSION", help="The version: vendas@1.2.0")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever has it.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Let it be chosen again.")] = False,
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Take a version from new choices; it stays, and a lock that names it still gets it.

    Exit codes: 0 done; 1 there is no such version, or the registry cannot be written; 2 wrong use.
    """
    module_id, version = _exact(target)
    if undo and reason:
        refuse("yank", "--undo takes no --reason", EXIT_USAGE)
    index = use("yank", registry, lambda there: there.yank(module_id, version, None if undo else reason))
    if as_json:
        data: dict[str, Any] = {"id": module_id, "version": version, "is_yanked": not undo, "revision": index.revision}
        say_json(data)
        return
    say(f"{module_id} {version} {'can be chosen again' if undo else 'is yanked: no new choice takes it'}")
    undoing = () if undo else ("--undo",)
    say(f"{'Yank it again' if undo else 'Take that back'}: {again('yank', target, *undoing, registry=registry)}")


def _exact(target: str) -> tuple[str, str]:
    from plataforma_sdk.manifest import Version
    from plataforma_sdk.types import is_module_id

    module_id, _, version = target.partition("@")
    try:
        Version.parse(version)
    except ValueError:
        module_id = ""
    if not is_module_id(module_id):
        refuse("yank", f"{target[:80]!r} names no version: write it whole, such as vendas@1.2.0", EXIT_USAGE)
    return module_id, version
