"""``plataforma install``, ``resolve`` and ``verify``: from a name and a range to bytes that were checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plataforma_sdk.cli._registry_use import (
    DEFAULT_REGISTRY,
    HOME,
    IdentityOption,
    JsonOption,
    RegistryOption,
    SigstoreRootOption,
    StateOption,
    TrustOption,
    TufRootOption,
    again,
    split_target,
    use,
)
from plataforma_sdk.cli._say import EXIT_USAGE, refuse, say, say_json

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.registry import Lock, ModuleIndex, ModuleRegistry, Release, Verification

__all__ = ["install_command", "resolve_command", "verify_command"]

Targets = Annotated[list[str], typer.Argument(metavar="ID[@RANGE]...", help="Modules: 'vendas@^1' 'acme/base'")]


def install_command(
    targets: Targets,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", file_okay=False, help="Write the archives there too, as ID-VERSION.zip.")
    ] = None,
    lock: Annotated[
        Path | None, typer.Option("--lock", dir_okay=False, help="A module.lock to keep to, and to write.")
    ] = None,
    update: Annotated[
        list[str] | None, typer.Option("--update", metavar="ID", help="Choose anew, though locked; '*' for all.")
    ] = None,
    registry: RegistryOption = DEFAULT_REGISTRY,
    trust: TrustOption = None,
    identity: IdentityOption = None,
    sigstore_root: SigstoreRootOption = None,
    tuf_root: TufRootOption = None,
    state: StateOption = HOME,
    as_json: JsonOption = False,
) -> None:
    """Fetch modules and what they depend on into the private cache, every byte checked; nothing of them is run.

    With --lock what the file names is kept to, also if newer versions came or the registry is away, and what was
    chosen anew is written to it.

    Exit codes: 0 installed; 1 not found, not to be resolved, refused, or the registry cannot be reached; 2 wrong use.
    """
    asked = _asked("install", targets)
    if update and lock is None:
        refuse("install", "--update is about a lock: name it with --lock", EXIT_USAGE)
    packages = use(
        "install",
        registry,
        lambda there: _install(there, asked, lock, update or ()),
        trust=trust,
        identities=identity or (),
        sigstore_root=sigstore_root,
        tuf_root=tuf_root,
        state=state,
    )
    rows = [_installed(package, to) for _, package in sorted(packages.items())]
    if as_json:
        say_json({"installed": rows})
        return
    for row in rows:
        say(f"Installed {row['id']} {row['version']}  {row['digest']}")
        if row["path"]:
            say(f"  {row['path']}")
    first = next(iter(asked))
    name = first if asked[first] == "*" else f"{first}@{asked[first]}"
    say(f"Load it: ModuleHost(registry={registry!r}), then host.load({name!r})")


async def _install(
    registry: ModuleRegistry, asked: Mapping[str, str], path: Path | None, update: Collection[str]
) -> Mapping[str, ModulePackage]:
    """Install; the lock is written last, so that it names nothing that could not be fetched."""
    from plataforma_sdk.registry import Lock

    if path is None:
        return await registry.install(asked)
    before = _read_lock(path)
    resolution = await registry.resolve({**before.requirements, **asked}, lock=before, update=update)
    packages = await registry.fetch_all(resolution, lock=before)
    Lock.of(resolution).write(path)
    return packages


def _read_lock(path: Path) -> Lock:
    from plataforma_sdk.registry import Lock

    return Lock.read(path) if path.exists() else Lock()


def _installed(package: ModulePackage, to: Path | None) -> dict[str, Any]:
    from plataforma_sdk.types import module_segment

    path = None
    if to is not None:
        try:
            to.mkdir(parents=True, exist_ok=True)
            path = str(package.write(to / f"{module_segment(package.id)}-{package.version}.zip"))
        except OSError as error:
            refuse("install", f"{to} cannot be written ({error.strerror}): choose another directory")
    return {"id": package.id, "version": package.version, "digest": package.digest, "path": path}


def resolve_command(
    targets: Targets,
    explain: Annotated[bool, typer.Option("--explain", help="Say for each who asks, and why no newer one.")] = False,
    registry: RegistryOption = DEFAULT_REGISTRY,
    as_json: JsonOption = False,
) -> None:
    """Show which versions an install would take, and fetch nothing.

    Exit codes: 0 resolved; 1 no set of versions fits, and the message says why; 2 wrong use.
    """
    asked = _asked("resolve", targets)
    chosen, indexes = use("resolve", registry, lambda there: _resolve(there, asked))
    if as_json:
        rows = {name: _reasons(asked, chosen, indexes[name]) for name in sorted(chosen)}
        say_json({"resolved": rows})
        return
    for name in sorted(chosen):
        say(f"{name} {chosen[name].version}")
        if explain:
            for line in _explained(_reasons(asked, chosen, indexes[name])):
                say(f"  {line}")
    say(f"Install: {again('install', *targets, registry=registry)}")


async def _resolve(
    registry: ModuleRegistry, asked: Mapping[str, str]
) -> tuple[Mapping[str, Release], dict[str, ModuleIndex]]:
    chosen = (await registry.resolve(asked)).releases
    return chosen, {name: await registry.versions(name) for name in chosen}


def _reasons(asked: Mapping[str, str], chosen: Mapping[str, Release], index: ModuleIndex) -> dict[str, Any]:
    release = chosen[index.id]
    asking = {
        f"{item.id} {item.version}": item.dependencies[index.id]
        for item in chosen.values()
        if index.id in item.dependencies
    }
    if index.id in asked:
        asking = {"you": asked[index.id], **asking}
    newer = index.releases[index.releases.index(release) + 1 :]
    return {
        "version": release.version,
        "digest": release.digest,
        "asked_by": asking,
        "newer": {item.version: _why_not(item, asking) for item in newer},
    }


def _why_not(release: Release, asking: Mapping[str, str]) -> str:
    from plataforma_sdk.manifest import VersionRange

    if release.yanked is not None:
        return f"yanked: {release.yanked or 'no reason given'}"
    for who, text in asking.items():
        if not VersionRange.parse(text).matches(release.version):
            beta = "a prerelease, which no range asks for by name; " if "-" in release.version.partition("+")[0] else ""
            return f"{beta}outside {text}, which {who} asks for" if who != "you" else f"{beta}outside {text}"
    return f"it does not fit this library or the other choices (it needs plataforma-sdk {release.sdk})"


def _explained(reasons: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        f"{who} asked for {text}" if who == "you" else f"{who} asks for {text}"
        for who, text in reasons["asked_by"].items()
    )
    yield from (f"not {version}: {why}" for version, why in reasons["newer"].items())


def verify_command(
    target: Annotated[str, typer.Argument(metavar="ID[@RANGE]", help="The newest version in the range is checked.")],
    *,
    registry: RegistryOption = DEFAULT_REGISTRY,
    trust: TrustOption = None,
    identity: IdentityOption = None,
    sigstore_root: SigstoreRootOption = None,
    tuf_root: TufRootOption = None,
    state: StateOption = HOME,
    as_json: JsonOption = False,
) -> None:
    """Fetch all of a version anew, past every cache, hold each byte against its digest, and verify who signed.

    Exit codes: 0 all is as it was published; 1 it is not, or cannot be fetched; 2 wrong use.
    """
    module_id, text = split_target("verify", target)
    release, found = use(
        "verify",
        registry,
        lambda there: _verify(there, module_id, text),
        trust=trust,
        identities=identity or (),
        sigstore_root=sigstore_root,
        tuf_root=tuf_root,
        state=state,
    )
    if as_json:
        say_json({"id": release.id, "version": release.version, **_found(found)})
        return
    for line in found.checked:
        say(f"  {line}")
    say(f"{release.id} {release.version} is what was published; signed by {found.signer}")


def _found(found: Verification) -> dict[str, Any]:
    who = found.identity
    identity = None if who is None else {"subject": who.subject, "issuer": who.issuer}
    metadata, checked = found.metadata, list(found.checked)
    return {"publisher": found.key, "identity": identity, "metadata": metadata, "checked": checked}


async def _verify(registry: ModuleRegistry, module_id: str, text: str) -> tuple[Release, Verification]:
    index = await registry.versions(module_id)
    release = index.release(text)  # by its name a yanked one too
    if release is None:
        release = (await registry.resolve({module_id: text})).releases[module_id]
    return release, await registry.verify(release)


def _asked(command: str, targets: list[str]) -> dict[str, str]:
    asked: dict[str, str] = {}
    for target in targets:
        module_id, text = split_target(command, target)
        if asked.setdefault(module_id, text) != text:
            refuse(command, f"{module_id} is named twice: write one range, such as '>=1.2 <2'", EXIT_USAGE)
    return asked
