"""What an `emit` gives back, and the jobs that wait in a queue."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Generator
from typing import TYPE_CHECKING, Self

import attrs

from plataforma_sdk.types import Event

if TYPE_CHECKING:
    from plataforma_sdk.events._mailbox import Mailbox
    from plataforma_sdk.events._subscription import HandlerSubscription

__all__ = ["Delivery", "HandlerFault", "Job"]


@attrs.frozen
class HandlerFault:
    """One handler that failed.

    Attributes:
        owner: id of the module that subscribed it, None for the host.
        topic: topic of the event.
        error: what it raised.
    """

    owner: str | None
    topic: str
    error: BaseException


class Delivery:
    """The fate of one event. Awaiting it waits for every handler, queued ones included, and returns the delivery.

    The bus counts while handlers run, so the figures are final once `pending` is 0.

    Attributes:
        event: the event as emitted.
        delivered: handlers that ran to their end.
        dropped: handlers that were not run: queue full, permission gone, subscription ended, bus closed.
        errors: handlers that failed; they are in neither figure.
        pending: handlers still queued or running.
    """

    # Defaults of the class, and no __init__: an emit is mostly the making of two objects, and this halves one of them.
    event: Event
    delivered: int = 0
    dropped: int = 0
    errors: tuple[HandlerFault, ...] = ()
    pending: int = 0
    _done: asyncio.Event | None = None
    _mailboxes: list[Mailbox] | None = None

    def expect(self, mailbox: Mailbox) -> None:
        """Count a handler that is about to be queued; called by the bus."""
        self.pending += 1
        if self._mailboxes is None:
            self._mailboxes = []
        self._mailboxes.append(mailbox)

    def settle(self) -> None:
        """Count a queued handler as done, with whatever result; called by the bus."""
        self.pending -= 1
        if self.pending == 0 and self._done is not None:
            self._done.set()

    def __await__(self) -> Generator[None, None, Self]:
        if self.pending:
            yield from self._wait().__await__()
        return self

    async def _wait(self) -> None:
        for mailbox in self._mailboxes or ():
            mailbox.start()  # the event may have been emitted before there was a loop
            if mailbox.would_wait_for_itself(self):
                raise RuntimeError(
                    f"A handler waits for {self.event.topic!r}, which stands in its own queue behind it;"
                    " emit it without waiting"
                )
        if self._done is None:
            self._done = asyncio.Event()
        await self._done.wait()

    def __repr__(self) -> str:
        return (
            f"<Delivery {self.event.topic!r} delivered={self.delivered} dropped={self.dropped}"
            f" errors={len(self.errors)} pending={self.pending}>"
        )


@attrs.frozen(eq=False)
class Job:
    """One event on its way to one handler.

    Attributes:
        awaitable: what the handler returned where it turned out to be asynchronous only when called.
    """

    subscription: HandlerSubscription
    event: Event
    delivery: Delivery
    awaitable: Awaitable[object] | None = None

    def drop(self) -> None:
        """Give up; whoever waits for the delivery learns of it."""
        if inspect.iscoroutine(self.awaitable):
            self.awaitable.close()  # it would warn that it was never awaited
        self.delivery.dropped += 1
        self.delivery.settle()
