"""The workers of this tier, kept ready.

A worker is used for one module and never again. The pool is shared by all hosts of a process, since a worker that has
not been used yet belongs to nobody; the first host to load opens it, and the last to close ends the spares.
"""

from __future__ import annotations

import threading
from typing import Final

from plataforma_sdk import workers
from plataforma_sdk.sandbox.restricted.process._spawn import check_platform, spawn

__all__ = ["WorkerPool", "shared_pool"]

DEFAULT_SPARES: Final = 2


class WorkerPool(workers.WorkerPool):
    """Keeps `spares` workers of the restricted engine ready.

    Used as a context manager it starts them ahead of the first load and keeps them between hosts. It can be opened more
    than once and ends with the last `close`. Safe to use from several threads and event loops.

    Args:
        spares: workers kept ready; 0 starts each when it is asked for.

    >>> with WorkerPool(spares=1) as pool:
    ...     pool.spares
    1
    """

    def __init__(self, spares: int = DEFAULT_SPARES) -> None:
        super().__init__(spawn, spares)

    def open(self) -> None:
        """Count one more user.

        Raises:
            SandboxError: this platform has no process isolation.
        """
        check_platform()
        super().open()


_SHARED: Final[list[WorkerPool]] = []
_SHARED_LOCK: Final = threading.Lock()


def shared_pool() -> WorkerPool:
    """Return the process's own pool."""
    with _SHARED_LOCK:
        if not _SHARED:
            _SHARED.append(WorkerPool())
        return _SHARED[0]
