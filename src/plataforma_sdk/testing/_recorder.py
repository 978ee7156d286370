"""Remembers events, so that a test can ask what happened."""

from __future__ import annotations

import asyncio
from typing import Any

from plataforma_sdk.events import EventBus
from plataforma_sdk.types import Event

__all__ = ["EventRecorder"]


class EventRecorder:
    """Listens to a bus from the moment it is made.

    Attributes:
        events: what was emitted, oldest first.
        is_listening: whether it still records.
    """

    def __init__(self, bus: EventBus, pattern: str = "*") -> None:
        self.events: list[Event] = []
        self.is_listening = True
        self._has_new = asyncio.Event()
        self._subscription = bus.subscribe(pattern, self._take)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._has_new.set()

    @property
    def topics(self) -> list[str]:
        """The topics of all events, oldest first."""
        return [event.topic for event in self.events]

    def of(self, topic: str) -> list[Any]:
        """The payloads of one topic, oldest first."""
        return [event.data for event in self.events if event.topic == topic]

    async def wait_for(self, topic: str, *, timeout_s: float = 5.0) -> Event:
        """Return the first event of a topic, waiting for it.

        Raises:
            AssertionError: it did not come in time; the message lists what did.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for event in self.events:
                        if event.topic == topic:
                            return event
                    self._has_new.clear()
                    await self._has_new.wait()
        except TimeoutError:
            raise AssertionError(
                f"{topic!r} was not emitted within {timeout_s} s; emitted were: {', '.join(self.topics) or 'none'}"
            ) from None

    def clear(self) -> None:
        """Forget what was recorded."""
        self.events.clear()

    def close(self) -> None:
        """Stop listening."""
        self.is_listening = False
        self._subscription.unsubscribe()
