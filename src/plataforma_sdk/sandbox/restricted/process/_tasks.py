"""Tasks that do not cost a turn of the loop where there is nothing to wait for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

__all__ = ["start_task"]

if sys.version_info >= (3, 12):

    def start_task(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None], context: Context, *, name: str | None = None
    ) -> asyncio.Task[None]:
        """Run a coroutine as a task; one that never waits costs no turn of the loop."""
        return asyncio.Task(work, loop=loop, name=name, context=context, eager_start=True)

else:

    def start_task(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None], context: Context, *, name: str | None = None
    ) -> asyncio.Task[None]:
        """Run a coroutine as a task."""
        return loop.create_task(work, name=name, context=context)
