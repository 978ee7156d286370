"""``plataforma inspect``: what a package says about itself and holds. Reads, and runs nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plataforma_sdk.cli._say import refuse, say, say_json
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["inspect_command"]


def inspect_command(
    package: Annotated[Path, typer.Argument(exists=True, help="A directory, a .zip, or a .wasm with its manifest.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a package is and holds.

    Nothing of it is run. A directory is shown as `plataforma pack` would pack it.

    Exit codes: 0 shown; 1 no package, or one with faults, all of them shown; 2 wrong use.
    """
    from plataforma_sdk.package import ModulePackage

    try:
        found = ModulePackage.from_path(package)
        data = describe(found)
    except PlataformaError as error:
        refuse("inspect", error)
    if as_json:
        say_json(data)
        return
    for line in _lines(data):
        say(line)


def describe(package: ModulePackage) -> dict[str, Any]:
    """Return what there is to know about a package, as plain data.

    Raises:
        ModuleLoadError: its ``.wasm`` is damaged.
    """
    manifest = package.manifest
    return {
        "id": package.id,
        "version": package.version,
        "name": manifest.name,
        "description": manifest.description,
        "licence": manifest.licence,
        "authors": list(manifest.authors),
        "digest": package.digest,
        "entry": manifest.entry,
        "sdk": manifest.sdk.text,
        "tiers": list(package.tiers),
        "permissions": {
            "required": dict(manifest.permissions.required),
            "optional": dict(manifest.permissions.optional),
        },
        "limits": dict(manifest.limits),
        "events": {"published": list(manifest.events.published), "consumed": list(manifest.events.consumed)},
        "endpoints": {path: list(methods) for path, methods in manifest.endpoints.items()},
        "config": {name: {"type": entry.type, "default": entry.default} for name, entry in manifest.config.items()},
        "dependencies": {name: versions.text for name, versions in manifest.dependencies.items()},
        "wheels": dict(manifest.wheels),
        "imports": _imports(package),
        "files": {name: len(content) for name, content in sorted(package.files.items())},
    }


def _imports(package: ModulePackage) -> list[str] | None:
    """Return what a module that is WebAssembly itself imports; None for one in Python."""
    if not package.is_component:
        return None
    from plataforma_sdk.sandbox.wasm._binary import read_imports

    return list(read_imports(package.files[package.entry_file], module=package.id))


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    yield f"{data['name']}, {data['id']} {data['version']}"
    yield from (f"| {line}" for line in data["description"].splitlines())  # else it could forge what follows
    yield ""
    for label, value in (
        ("Digest", data["digest"]),
        ("Entry", data["entry"]),
        ("Tiers", ", ".join(data["tiers"])),
        ("SDK", data["sdk"]),
        ("Licence", data["licence"] or "not stated"),
        ("Authors", ", ".join(data["authors"]) or "not stated"),
    ):
        yield f"{label:<9}{value}"
    for title, rows in _sections(data):
        if rows:
            yield ""
            yield title
            yield from (f"  {row}" for row in rows)


def _sections(data: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for kind in ("required", "optional"):
        asked = data["permissions"][kind]
        yield f"Permissions, {kind}", [f"{name}: {reason or 'no reason given'}" for name, reason in asked.items()]
    yield "Limits that it lowers", [f"{name} = {value:,}" for name, value in data["limits"].items()]
    for kind, topics in data["events"].items():
        yield f"Events, {kind}", topics
    yield "Endpoints", [f"{path} {', '.join(methods)}" for path, methods in data["endpoints"].items()]
    yield "Settings", [f"{name}: {entry['type']}, {_default(entry)}" for name, entry in data["config"].items()]
    yield "Depends on", [f"{name} {versions}" for name, versions in data["dependencies"].items()]
    yield "Wheels", [f"{path} {digest}" for path, digest in data["wheels"].items()]
    if data["imports"] is not None:
        yield "Imports", data["imports"] or ["nothing"]
    files = data["files"]
    yield (
        f"Files: {len(files)}, {sum(files.values()):,} bytes",
        [f"{size:>10,}  {name}" for name, size in files.items()],
    )


def _default(entry: Mapping[str, Any]) -> str:
    return "to be set by the host" if entry["default"] is None else f"{entry['default']!r} if left out"
