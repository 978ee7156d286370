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
    results: dict[int, T] = {}
    items = list(inputs)
    waiting = iter(enumerate(items))

    async def work() -> None:
        for place, item in waiting:  # shared: each worker takes what is next, and one that never waits takes all
            results[place] = await job(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(items))):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [results[place] for place in sorted(results)]
