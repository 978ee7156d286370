"""A page as the features see it, and loops that have gone as far as they can."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs


@attrs.define(eq=False)
class FakeSession:
    """Keeps what it is sent, the newest of each `replaces` in the place of the older ones."""

    id: str = "page-1"
    subject: str = "ana"
    locale: str = "en"
    sent: list[dict[str, Any]] = attrs.field(factory=list)
    _places: dict[str, dict[str, Any]] = attrs.field(factory=dict)

    def send(self, message: dict[str, Any], *, replaces: str | None = None) -> None:
        if replaces is not None:
            older = self._places.get(replaces)
            self.sent = [each for each in self.sent if each is not older]
            self._places[replaces] = message
        self.sent.append(message)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return what was sent of one type."""
        return [message for message in self.sent if message["type"] == kind]


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)
