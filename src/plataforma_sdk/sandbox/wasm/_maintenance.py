"""What an operator asks of the engine: how it stands on this machine, that it be made ready, that its caches go."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
from pathlib import Path
from typing import Any, Final

import attrs

from plataforma_sdk.sandbox._private import locked, private_directory
from plataforma_sdk.sandbox.wasm import _code_cache, _foreign
from plataforma_sdk.sandbox.wasm._compiled import FIBERS, artefact_path, compiled_runner
from plataforma_sdk.sandbox.wasm._runner import PACKAGE, find_runner
from plataforma_sdk.sandbox.wasm._selftest import fibers_refusal
from plataforma_sdk.sandbox.wasm._stock import STOCK

__all__ = ["EngineReport", "clear_caches", "inspect_engine", "warm_up"]

_ROOMS: Final = ("compiled", "runner", _code_cache.ROOM)
"""Rooms of the private cache that this engine fills, each with one lock: machine code of the runner, runners built in a
source checkout, and compiled code of modules."""

_CACHES: Final = (*_ROOMS, _foreign.ROOM)
"""The last holds machine code of modules in other languages, each in a directory with a lock of its own."""


@attrs.frozen(kw_only=True)
class EngineReport:
    """How the `wasm` engine stands on this machine.

    Attributes:
        python: version of the host's interpreter.
        wasmtime: version of the library that runs the guests.
        platform: operating system and processor.
        mode: ``"fibers"``, or ``"threads"`` where those do not run: the same behaviour, slower.
        problem: why not fibers, or None.
        runner: path of the guest runner, or None where it is not built yet.
        runner_sha256: its digest.
        runner_bytes: its size.
        is_packaged: whether it came with the installed library; else it was built from this source checkout.
        artefact: path of its machine code, or None where it is not compiled yet.
        artefact_bytes: its size.
        cache: directory of the caches.
        cache_bytes: what they hold in all.
    """

    python: str
    wasmtime: str
    platform: str
    mode: str
    problem: str | None
    runner: Path | None
    runner_sha256: str | None
    runner_bytes: int
    is_packaged: bool
    artefact: Path | None
    artefact_bytes: int
    cache: Path
    cache_bytes: int

    @property
    def is_warm(self) -> bool:
        """Whether the next start neither builds nor compiles."""
        return self.artefact is not None

    def to_data(self) -> dict[str, Any]:
        """Return plain data, for ``--json``."""
        values = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        data = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
        return {**data, "is_warm": self.is_warm}


def inspect_engine() -> EngineReport:
    """Look, and neither build nor compile anything.

    Raises:
        SandboxError: the cache directory is not safe to load code from.
    """
    runner = find_runner()
    problem = fibers_refusal()
    profile = FIBERS if problem is None else STOCK
    artefact = None if runner is None else artefact_path(runner, profile)
    cache = private_directory()
    return EngineReport(
        python=platform.python_version(),
        wasmtime=importlib.metadata.version("wasmtime"),
        platform=f"{platform.system()} {platform.machine()}",
        mode="fibers" if problem is None else "threads",
        problem=problem,
        runner=None if runner is None else runner.path,
        runner_sha256=None if runner is None else runner.sha256,
        runner_bytes=0 if runner is None else runner.path.stat().st_size,
        is_packaged=runner is not None and runner.path.is_relative_to(PACKAGE),
        artefact=artefact if artefact is not None and artefact.is_file() else None,
        artefact_bytes=artefact.stat().st_size if artefact is not None and artefact.is_file() else 0,
        cache=cache,
        cache_bytes=sum(_bytes_in(cache / name) for name in _CACHES),
    )


def warm_up() -> EngineReport:
    """Build and compile what is missing, so that no first load has to; seconds the first time, milliseconds later.

    Raises:
        SandboxError: the engine does not run here, or the runner cannot be built.
    """
    compiled_runner(FIBERS if fibers_refusal() is None else STOCK)
    return inspect_engine()


def clear_caches() -> int:
    """Remove all machine code, the built runners and the compiled code of modules; return the bytes freed.

    Waits for a process that is building or compiling. Running processes keep what they have mapped.
    """
    modules = [entry.name for entry in private_directory(_foreign.ROOM).iterdir() if entry.is_dir()]
    rooms = [*((name,) for name in _ROOMS), *((_foreign.ROOM, name) for name in modules)]
    return sum(_clear(private_directory(*room)) for room in rooms)


def _clear(directory: Path) -> int:
    with locked(directory):
        freed = _bytes_in(directory)
        for entry in directory.iterdir():
            _remove(entry)
    return freed


def _bytes_in(directory: Path) -> int:
    total = 0
    for root, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a process that compiles has removed it meanwhile
                total += Path(root, name).lstat().st_size
    return total


def _remove(entry: Path) -> None:
    if entry.name == ".lock":
        return  # it is held, and others may be waiting for it
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)
