"""Starting a worker that runs the restricted engine, where the platform can confine one."""

from __future__ import annotations

import sys
from typing import Final

from plataforma_sdk import workers
from plataforma_sdk.errors import SandboxError
from plataforma_sdk.workers import WorkerProcess

__all__ = ["BOOT", "check_platform", "spawn"]

BOOT: Final = "from plataforma_sdk.sandbox.restricted.process._worker import main; main(descriptor, host)"

_NEEDED: Final = ("plataforma_sdk", "attr", "RestrictedPython", "cachetools")


def check_platform() -> None:
    """Refuse a platform without process isolation.

    Raises:
        SandboxError: it has no POSIX limits, or no interpreter to start.
    """
    if not workers.has_workers():
        raise SandboxError(
            f"isolation='process' needs POSIX resource limits, which {sys.platform!r} has not; use engine='wasm'"
        )
    if not sys.executable:
        raise SandboxError(
            "isolation='process' starts sys.executable, which this embedded interpreter does not know; "
            "set it to a python of the same version, or use engine='wasm'"
        )


def spawn(code: str = BOOT) -> WorkerProcess:
    """Start a worker; `code` is another one in tests that look out from inside.

    Raises:
        SandboxError: the process could not be started.
    """
    return workers.spawn(code, _NEEDED)
