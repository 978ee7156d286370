"""Many requests at once, some at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

__all__ = ["together"]

S = TypeVar("S")
T = TypeVar("T")

_AT_ONCE: Final = 8


async def together(job: Callable[[S], Awaitable[T]], inputs: Iterable[S]) -> list[T]:
    """Run a job for each input, eight at a time, and return the results in order; the first failure ends all."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: S) -> T:
        async with gate:
            return await job(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in inputs]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
