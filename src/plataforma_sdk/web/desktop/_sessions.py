"""All pages of a desktop: new ones, those that come back, and those that are gone for good."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator

from plataforma_sdk.web.desktop._access import Identity
from plataforma_sdk.web.desktop._frames import Frames
from plataforma_sdk.web.desktop._protocol import Bye, WireLimits
from plataforma_sdk.web.desktop._session import Connection, PageSession
from plataforma_sdk.windows import WindowManager

__all__ = ["Sessions"]


class Sessions:
    """Pages by id.

    Args:
        windows: the host's.
        frames: writes what they are sent.
        limits: of each.
        on_end: called with each that is gone for good.
    """

    def __init__(
        self, windows: WindowManager, frames: Frames, limits: WireLimits, on_end: Callable[[PageSession], None]
    ) -> None:
        self._windows = windows
        self._frames = frames
        self._limits = limits
        self._on_end = on_end
        self._sessions: dict[str, PageSession] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    def __iter__(self) -> Iterator[PageSession]:
        return iter(list(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, identity: Identity, locale: str) -> PageSession:
        """Begin a new page.

        Raises:
            Bye: the subject has too many.
        """
        own = [session for session in self if session.subject == identity.subject]
        if len(own) >= self._limits.max_sessions:
            gone = next((session for session in own if session.connection is None), None)
            if gone is None:
                raise Bye("sessions")
            self.end(gone)
        session = PageSession(
            secrets.token_urlsafe(16),
            subject=identity.subject,
            browser=identity.browser,
            locale=locale,
            windows=self._windows,
            frames=self._frames,
            limits=self._limits,
        )
        self._sessions[session.id] = session
        return session

    def find(self, session_id: object, identity: Identity) -> PageSession | None:
        """Return a page that comes back, if it is of this subject and this browser."""
        session = self._sessions.get(session_id) if isinstance(session_id, str) else None
        if session is None or (session.subject, session.browser) != (identity.subject, identity.browser):
            return None
        return None if session.outbox.has_overflowed else session

    def attach(self, session: PageSession, connection: Connection) -> Connection | None:
        """Let a connection serve a page; return the one that did before, if it still does."""
        timer = self._leaving.pop(session.id, None)
        if timer is not None:
            timer.cancel()
        before, session.connection = session.connection, connection
        return before

    def detach(self, session: PageSession, connection: Connection) -> None:
        """Take note that a connection is gone; the page may come back for a while."""
        if session.connection is not connection:
            return  # another one serves it
        session.connection = None
        if session.id in self._sessions:
            loop = asyncio.get_running_loop()
            self._leaving[session.id] = loop.call_later(self._limits.grace_s, self.end, session)

    def end(self, session: PageSession) -> None:
        """Forget a page for good."""
        timer = self._leaving.pop(session.id, None)
        if timer is not None:
            timer.cancel()
        if self._sessions.pop(session.id, None) is not None:
            self._windows.forget_session(session.id)
            session.outbox.clear()
            self._on_end(session)
