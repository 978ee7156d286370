"""Machine code in the private cache: what it depends on, how it is mapped, and whose process may use it."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from wasmtime import Engine, WasmtimeError

from plataforma_sdk.errors import SandboxError

__all__ = ["FIBER_STACK_BYTES", "check_process", "code_key", "map_code"]

FIBER_STACK_BYTES: Final = 4 * 1024 * 1024
"""The guest's stack, and what Python needs above it where the guest calls the host."""

_Code = TypeVar("_Code")


def code_key(config: str, sha256: str) -> str:
    """Return the name of a binary's machine code: by wasmtime, configuration, machine and processor."""
    facts = (importlib.metadata.version("wasmtime"), config, platform.machine(), _cpu_features(), sha256)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:40]


@functools.cache
def _cpu_features() -> str:
    """The processor's feature flags: machine code of one machine of a fleet may not run on its neighbour."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as file:
            return next((line for line in file if line.startswith(("flags", "Features"))), "")
    except OSError:
        return platform.processor()


def map_code(deserialize: Callable[[Engine, str], _Code], engine: Engine, path: Path, *, entry: Path) -> _Code | None:
    """Map a file of machine code, 2 ms, or return None where there is none that fits.

    Args:
        deserialize: ``Component.deserialize_file`` or ``Module.deserialize_file``.
        engine: of the configuration that it was compiled by.
        path: the file.
        entry: what `prune` counts, used now: the file, or the directory that it is alone in.
    """
    if not path.is_file() or path.is_symlink():
        return None
    try:
        code = deserialize(engine, str(path))
    except WasmtimeError:
        return None  # of another build of wasmtime, or damaged: compiled anew
    os.utime(entry)
    return code


def check_process(pid: int) -> None:
    """Refuse to go on in a forked child: the machine code's signal handlers and stacks are the parent's.

    Args:
        pid: of the process that mapped the code.

    Raises:
        SandboxError: this process is a fork of that one.
    """
    if pid != os.getpid():
        raise SandboxError(
            "The wasm engine was used before this process forked, and cannot be used after: start worker "
            "processes with the 'spawn' method, or create hosts in each worker only"
        )
