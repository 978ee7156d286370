"""``plataforma pack``: makes the archive of a module."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plataforma_sdk.cli._say import EXIT_USAGE, refuse, say, say_json
from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["pack_command"]


def pack_command(
    directory: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The module's directory.", show_default="here")
    ] = Path(),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, help="The archive.", show_default="dist/ID-VERSION.zip"),
    ] = None,
    with_tests: Annotated[bool, typer.Option("--with-tests", help="Let the package carry its tests.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Pack a module into an archive.

    The same files give the same bytes. Tests, hidden files, leftovers of a build and whatever .plataformaignore names
    stay out.

    Exit codes: 0 packed; 1 the manifest or a file has faults, all of them shown, or the archive cannot be written;
    2 wrong use.
    """
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.types import module_segment

    try:
        package = ModulePackage.from_directory(directory, with_tests=with_tests)
        target = output or directory / "dist" / f"{module_segment(package.id)}-{package.version}.zip"
        if target.suffix != ".zip":
            refuse("pack", f"a package is loaded by its ending: write {target.with_suffix('.zip')}", EXIT_USAGE)
        if _lies_in(target, directory, package):
            refuse("pack", f"{target} would be part of the next package: write it elsewhere, or ignore its folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        package.write(target)
    except PlataformaError as error:
        refuse("pack", error)
    except OSError as error:
        refuse("pack", f"{error.filename or target} cannot be written ({error.strerror}): choose another with --output")
    if as_json:
        say_json(_data(package, target))
    else:
        _show(package, target)


def _lies_in(target: Path, directory: Path, package: ModulePackage) -> bool:
    """Whether an archive of an earlier run is among what would be packed."""
    path, root = target.resolve(), directory.resolve()
    return path.is_relative_to(root) and path.relative_to(root).as_posix() in package.files


def _data(package: ModulePackage, target: Path) -> dict[str, Any]:
    return {
        "id": package.id,
        "version": package.version,
        "digest": package.digest,
        "archive": str(target),
        "size_bytes": target.stat().st_size,
        "files": [{"path": name, "size_bytes": len(content)} for name, content in sorted(package.files.items())],
    }


def _show(package: ModulePackage, target: Path) -> None:
    for name, content in sorted(package.files.items()):
        say(f"  {len(content):>10,}  {name}")
    say(f"Packed {package.id} {package.version}: {len(package.files)} files, {target.stat().st_size:,} bytes")
    say(f"  {target}")
    say(f"  {package.digest}")
    say(f"Look at it: plataforma inspect {shlex.quote(str(target))}")
