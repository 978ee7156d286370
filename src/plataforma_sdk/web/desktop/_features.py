"""What the shell and its features know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["Feature", "Session"]


class Session(Protocol):
    """One page of one person, also while its connection is gone and it may come back.

    Attributes:
        id: unguessable.
        subject: whose it is.
        locale: BCP 47 tag.
    """

    id: str
    subject: str
    locale: str

    def send(self, message: dict[str, Any], *, replaces: str | None = None) -> None:
        """Queue a message.

        One that still waits under the same `replaces` is dropped in its favour (stale frames); without it, it is never
        dropped.
        """


class Feature(Protocol):
    """A part of the desktop that has messages of its own.

    Attributes:
        receives: types of client messages.
    """

    receives: frozenset[str]

    async def start(self) -> None:
        """Begin."""

    async def aclose(self) -> None:
        """End, and free what is held."""

    def joined(self, session: Session) -> None:
        """Greet a session, after its welcome."""

    def left(self, session: Session) -> None:
        """Forget a session: its connection is gone for good."""

    async def receive(self, session: Session, message: Mapping[str, Any]) -> Any:
        """Take a message; what it returns is the ack's value, and a `PlataformaError` becomes the ack's error."""
