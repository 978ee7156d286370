"""Tasks that belong to somebody, and end with him."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from plataforma_sdk.logs import logger_of

__all__ = ["Jobs"]

_log: Final = logger_of("plataforma_sdk.web.desktop")


class Jobs:
    """Tasks that outlive the connection which began them, as a `TaskGroup` around it would not let them.

    A fault in one is logged and ends none of the others.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Run something in the background."""
        task = asyncio.create_task(work, name=f"plataforma-desktop-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s of the desktop failed", task.get_name(), exc_info=error)

    async def aclose(self) -> None:
        """Cancel what runs, and wait for it."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
