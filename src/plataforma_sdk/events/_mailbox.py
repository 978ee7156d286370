"""The bounded queue in front of asynchronous handlers."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections import OrderedDict, deque
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
        queued: events waiting now, those being handled left out.
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


@attrs.define(eq=False)
class _Lane:
    """Jobs that are run one after the other, by a task that lives while there are any."""

    key: str
    jobs: deque[Job] = attrs.field(factory=deque)
    task: asyncio.Task[None] | None = None

    @property
    def needs_task(self) -> bool:
        return self.task is None or self.task.done() or self.task.get_loop().is_closed()


@attrs.define(eq=False, kw_only=True)
class Mailbox:
    """The queue of one owner: in order within each topic for a module, in order altogether for a handler of the host.

    A module may wait in the handler of one topic for an event of another, so topics do not wait for each other. A task
    that slept between events would answer some microseconds sooner, but would have to be ended by somebody, and would
    tie the bus to the loop of its first event.

    Attributes:
        owner: id of the module, None for a handler of the host.
        capacity: how many events may wait or be handled.
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
    _lanes: dict[str, _Lane] = attrs.field(init=False, factory=dict)
    _waiting: OrderedDict[Job, _Lane] = attrs.field(init=False, factory=OrderedDict)
    _running: int = attrs.field(init=False, default=0)
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
            lane = self._lane("" if self.owner is None else job.event.topic)
            lane.jobs.append(job)
            self._waiting[job] = lane
            self._start(lane)
        if lost is None:
            return False
        lost.drop()
        self.overflowed += 1
        begins, self._is_overflowing = not self._is_overflowing, True
        return begins

    def start(self) -> None:
        """See that somebody works on what waits; without a running loop it waits for the next start."""
        for lane in tuple(self._lanes.values()):
            self._start(lane)

    def close(self) -> None:
        """Drop what waits; a handler that runs may finish."""
        self._is_closed = True
        while self._waiting:
            self._drop_oldest().drop()

    def would_wait_for_itself(self, delivery: Delivery) -> bool:
        """Tell whether the caller runs in a lane in which `delivery` waits behind it."""
        me = asyncio.current_task()
        mine = next((lane for lane in self._lanes.values() if lane.task is me), None)
        return mine is not None and any(job.delivery is delivery for job in mine.jobs)

    def stats(self, subscriptions: int) -> OwnerStats:
        """Return the figures of this moment."""
        return OwnerStats(
            subscriptions=subscriptions,
            queued=len(self._waiting),
            delivered=self.delivered,
            failed=self.failed,
            refused=self.refused,
            overflowed=self.overflowed,
        )

    def _make_room(self, job: Job) -> Job | None:
        """Choose what is lost to a full queue, if it is full; an event that is being handled stays."""
        if len(self._waiting) + self._running < self.capacity:
            return None
        return self._drop_oldest() if self.overflow == "drop_oldest" and self._waiting else job

    def _drop_oldest(self) -> Job:
        job, lane = self._waiting.popitem(last=False)
        lane.jobs.popleft()  # the oldest of all is the oldest of its lane
        if lane.needs_task:
            self._forget_if_empty(lane)
        return job

    def _lane(self, key: str) -> _Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(key)
        return lane

    def _forget_if_empty(self, lane: _Lane) -> None:
        if not lane.jobs:
            self._lanes.pop(lane.key, None)

    def _start(self, lane: _Lane) -> None:
        if not lane.jobs or not lane.needs_task:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        lane.task = loop.create_task(self._work(lane), context=self.context.copy())
        self.tasks.add(lane.task)
        lane.task.add_done_callback(self.tasks.discard)

    async def _work(self, lane: _Lane) -> None:
        try:
            for turn in itertools.count():
                if turn % _TURNS_BEFORE_YIELD == 0:  # and on the first turn, lest an eager task runs inside `emit`
                    await asyncio.sleep(0)
                if not lane.jobs:
                    return
                await self._run(lane)
        finally:
            self._forget_if_empty(lane)

    async def _run(self, lane: _Lane) -> None:
        job = lane.jobs.popleft()
        del self._waiting[job]
        self._running += 1
        try:
            await self.run(job)
        finally:
            self._running -= 1
            if len(self._waiting) + self._running <= self.capacity // 2:
                self._is_overflowing = False
