"""Builds the guest runner: CPython and the authoring layer, as one WebAssembly component.

Standard library only, and free of imports from this package: the build hook of the wheel loads this file by its path,
before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

__all__ = [
    "ALLOWED_IMPORTS",
    "BUILDER",
    "RUNNER_NAME",
    "SIDECAR_NAME",
    "baked_files",
    "build_runner",
    "can_build",
    "check_runner",
    "component_imports",
    "licence_files",
    "recipe_digest",
]

RUNNER_NAME: Final = "_runner.wasm"
SIDECAR_NAME: Final = "_runner.json"
BUILDER: Final = "componentize-py"

_GUEST: Final = "sandbox/wasm/guest"
_SINGLE: Final = ("__init__.py", "codec.py", "errors.py", "types.py")
_ROOMS: Final = ("module", "permissions", "ui", _GUEST)
_EMPTY_PACKAGES: Final = ("sandbox", "sandbox/wasm")
_SHIM: Final = "from plataforma_sdk.sandbox.wasm.guest.app import WitWorld\n"
_TIMEOUT_S: Final = 300
_SIZE_BYTES: Final = (15_000_000, 45_000_000)
"""What a runner may weigh: below, the standard library is not in it; above, something is that nobody asked for."""

ALLOWED_IMPORTS: Final = (
    "plataforma:module/host",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
)
"""Beginnings of the interfaces that CPython and the runner import; `_wasi` defines few of them and traps the rest."""

_COMPONENT: Final = b"\0asm\x0d\0\x01\0"
_IMPORT_SECTION: Final = 10
_INSTANCE: Final = 5


def baked_files(package: Path) -> dict[str, str]:
    """Return path -> sha256 of every file of this library that goes into the runner.

    Args:
        package: the directory ``plataforma_sdk``.
    """
    return {
        path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(_sources(package))
    }


def recipe_digest(files: Mapping[str, str]) -> str:
    """Name a build by what goes into it: the baked files, attrs, and the tool; builds themselves are not repeatable."""
    recipe = {"files": dict(files), "attrs": _version("attrs"), BUILDER: _version(BUILDER)}
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def can_build() -> bool:
    """Whether the tool is installed here."""
    return importlib.util.find_spec("componentize_py") is not None


def build_runner(package: Path, target: Path) -> dict[str, Any]:
    """Build the runner into the directory `target` and return its sidecar, which lies beside it. Takes 6-10 s.

    Both files are written aside and renamed, the sidecar last: where there is a sidecar, the runner is complete.

    Raises:
        RuntimeError: the tool failed; the message ends with what it said.
    """
    files = baked_files(package)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target) as scratch:
        stage = Path(scratch, "stage")
        _stage(package, files, stage)
        built = Path(scratch, RUNNER_NAME)
        _componentize(stage, package / _GUEST / "wit", built)
        sidecar = _describe(built, files)
        Path(scratch, SIDECAR_NAME).write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
        built.replace(target / RUNNER_NAME)
        Path(scratch, SIDECAR_NAME).replace(target / SIDECAR_NAME)
    return sidecar


def _sources(package: Path) -> Iterator[Path]:
    yield from (package / name for name in _SINGLE)
    for room in _ROOMS:
        yield from (path for path in (package / room).rglob("*.py") if "__pycache__" not in path.parts)
    yield package / _GUEST / "wit" / "module.wit"


def _stage(package: Path, files: Mapping[str, str], stage: Path) -> None:
    """Lay out exactly what the guest may import, so that nothing else of the machine can slip into the runner."""
    for name in files:
        copy = stage / package.name / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package / name, copy)
    for name in _EMPTY_PACKAGES:
        (stage / package.name / name / "__init__.py").write_text('"""Host side; the guest has no part in it."""\n')
    (stage / "runner_app.py").write_text(_SHIM)
    site = _attrs_directory()
    for name in ("attr", "attrs"):
        shutil.copytree(site / name, stage / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))


def _attrs_directory() -> Path:
    spec = importlib.util.find_spec("attr")
    if spec is None or spec.origin is None:
        raise RuntimeError("The guest runner needs attrs to be installed where it is built")
    return Path(spec.origin).parent.parent


def _componentize(stage: Path, wit: Path, built: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys, componentize_py; sys.argv[0] = 'componentize-py'; sys.exit(componentize_py.script())",
        *("-q", "-d", str(wit), "-w", "module", "componentize", "runner_app", "-p", str(stage), "-o", str(built)),
    ]
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(  # noqa: S603 - our own interpreter, arguments of our own
        command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, cwd=stage, env=environment
    )
    if done.returncode != 0 or not built.is_file():
        said = (done.stderr or done.stdout).strip()[-4_000:]
        raise RuntimeError(f"componentize-py could not build the guest runner (exit {done.returncode}):\n{said}")
    check_runner(built.read_bytes())


def check_runner(data: bytes) -> None:
    """Refuse a runner whose size or imports are not what they should be.

    Raises:
        RuntimeError: the message says which.
    """
    smallest, largest = _SIZE_BYTES
    if not smallest <= len(data) <= largest:
        raise RuntimeError(f"The guest runner weighs {len(data):,} bytes, not {smallest:,} to {largest:,}")
    strangers = [name for name in component_imports(data) if not name.startswith(ALLOWED_IMPORTS)]
    if strangers:
        raise RuntimeError(f"The guest runner imports what no host provides: {', '.join(strangers)}")


def component_imports(data: bytes) -> list[str]:
    """Return the interfaces that a component imports, with their versions, in its own order.

    Raises:
        RuntimeError: these are not the bytes of a component.

    Source: component model, ``design/mvp/Binary.md``: sections, ``importname'``, ``externdesc``.
    """
    if not data.startswith(_COMPONENT):
        raise RuntimeError("not a WebAssembly component")
    try:
        return [name for section in _import_sections(data) for name in _imports_of_section(section)]
    except (IndexError, UnicodeDecodeError):
        raise RuntimeError("a WebAssembly component that is cut off or damaged") from None


def _import_sections(data: bytes) -> Iterator[bytes]:
    at = len(_COMPONENT)
    while at < len(data):
        section = data[at]
        size, at = _number(data, at + 1)
        if section == _IMPORT_SECTION:
            yield data[at : at + size]
        at += size


def _imports_of_section(section: bytes) -> Iterator[str]:
    count, at = _number(section, 0)
    for _ in range(count):
        size, at = _number(section, at + 1)
        yield section[at : at + size].decode()
        kind = section[at + size]
        if kind != _INSTANCE:
            raise RuntimeError(f"an import that is no interface, of kind {kind}")
        _, at = _number(section, at + size + 1)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read an unsigned LEB128 number; return it and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return number, at
        shift += 7


def licence_files() -> dict[str, Path]:
    """Return name -> licence text of what is baked in and installed here; CPython's is part of this package."""
    return {f"{name}.txt": _licence_of(name) for name in ("attrs", BUILDER)}


def _licence_of(distribution: str) -> Path:
    for file in importlib.metadata.files(distribution) or ():
        if file.name == "LICENSE":
            return Path(str(file.locate()))
    raise RuntimeError(f"The installed {distribution} carries no LICENSE; the runner must be shipped with it")


def _describe(built: Path, files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(built.read_bytes()).hexdigest(),
        "size": built.stat().st_size,
        "recipe": recipe_digest(files),
        "files": dict(files),
        "attrs": _version("attrs"),
        BUILDER: _version(BUILDER),
    }


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
