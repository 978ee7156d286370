"""The bounded queue in front of asynchronous handlers."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias

import attrs

from plataforma_sdk.events._delivery import Delivery, Job

__all__ = ["Mailbox", "Overflow", "OwnerStats"]

Overflow: TypeAlias = Literal["drop_oldest", "drop_newest"]
"""What a full queue gives up: the event that waits longest, or the one that arrives."""

_TURNS_BEFORE_YIELD: Final = 32
"""Handlers that never suspend would keep the loop to themselves; after so many the rest of the program has a turn."""


@attrs.frozen(kw_only=True)
class OwnerStats:
    """What became of the events for one module, since its first subscription.

    Attributes:
        subscriptions: live subscriptions.
        queued: events waiting now.
        delivered: handlers that ran to their end.
        failed: handlers that raised.
        refused: events that its permissions, as they were at that moment, did not let through.
        overflowed: events lost to a full queue.
    """

    subscriptions: int = 0
    queued: int = 0
    delivered: int = 0
    failed: int = 0
    refused: int = 0
    overflowed: int = 0


@attrs.define(eq=False, kw_only=True)
class Mailbox:
    """The queue of one owner, emptied in order by one task that lives while there is something to do.

    A task that sleeps between events would answer 4 µs sooner, but would have to be ended by somebody, and would tie
    the bus to the loop of its first event.

    Attributes:
        owner: id of the module, None for a handler of the host.
        capacity: how many events may wait.
        overflow: what a full queue gives up.
        run: runs one job to its end and raises nothing but cancellation.
        tasks: where running tasks are kept, shared by the mailboxes of a bus.
        context: the context variables that handlers see.
        delivered, failed, refused, overflowed: see `OwnerStats`.
    """

    owner: str | None
    capacity: int
    overflow: Overflow
    run: Callable[[Job], Awaitable[None]]
    tasks: set[asyncio.Task[None]]
    context: contextvars.Context
    delivered: int = 0
    failed: int = 0
    refused: int = 0
    overflowed: int = 0
    _jobs: deque[Job] = attrs.field(init=False, factory=deque)
    _task: asyncio.Task[None] | None = attrs.field(init=False, default=None)
    _is_overflowing: bool = attrs.field(init=False, default=False)
    _is_closed: bool = attrs.field(init=False, default=False)

    def put(self, job: Job) -> bool:
        """Queue a job; return whether one was lost, for the first time since the queue was half empty."""
        job.delivery.expect(self)
        if self._is_closed:
            job.drop()
            return False
        lost = self._make_room(job)
        if lost is not job:
            self._jobs.append(job)
        self.start()
        if lost is None:
            return False
        lost.drop()
        self.overflowed += 1
        begins, self._is_overflowing = not self._is_overflowing, True
        return begins

    def start(self) -> None:
        """See that somebody works on the queue; without a running loop the jobs wait for the next start."""
        if not self._jobs or not (self._task is None or self._task.done() or self._task.get_loop().is_closed()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._work(), context=self.context.copy())
        self.tasks.add(self._task)
        self._task.add_done_callback(self.tasks.discard)

    def close(self) -> None:
        """Drop what waits; a handler that runs may finish."""
        self._is_closed = True
        while self._jobs:
            self._jobs.popleft().drop()

    def would_wait_for_itself(self, delivery: Delivery) -> bool:
        """Tell whether the caller runs in this mailbox's task while `delivery` waits behind it."""
        return self._task is asyncio.current_task() and any(job.delivery is delivery for job in self._jobs)

    def stats(self, subscriptions: int) -> OwnerStats:
        """Return the figures of this moment."""
        return OwnerStats(
            subscriptions=subscriptions,
            queued=len(self._jobs),
            delivered=self.delivered,
            failed=self.failed,
            refused=self.refused,
            overflowed=self.overflowed,
        )

    def _make_room(self, job: Job) -> Job | None:
        if len(self._jobs) < self.capacity:
            return None
        return job if self.overflow == "drop_newest" else self._jobs.popleft()

    async def _work(self) -> None:
        for turn in itertools.count():
            if turn % _TURNS_BEFORE_YIELD == 0:  # and on the first turn, lest an eager task runs inside `emit`
                await asyncio.sleep(0)
            if not self._jobs:
                return
            job = self._jobs.popleft()
            if len(self._jobs) <= self.capacity // 2:
                self._is_overflowing = False
            await self.run(job)
