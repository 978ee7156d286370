"""What a page may watch: it is sent while somebody looks, and costs nothing otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.errors import PlataformaError

if TYPE_CHECKING:
    from plataforma_sdk.web.desktop._features import Session

__all__ = ["Topic", "text_of"]

BEAT_S: Final = 1.0


class Topic:
    """The pages that watch one topic, all of the host's own subject, and a beat a second while there are any.

    Args:
        name: as it stands in ``watch``.
        subject: whose pages may watch.
        beat: called at once for the first page, then once a second.
        beat_s: seconds between beats.
    """

    def __init__(self, name: str, subject: str, beat: Callable[[], None], beat_s: float = BEAT_S) -> None:
        self.name = name
        self._subject = subject
        self._beat = beat
        self._beat_s = beat_s
        self._sessions: dict[str, Session] = {}
        self._sent: dict[str, dict[str, Any]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks."""
        return bool(self._sessions)

    def check(self, session: Session) -> None:
        """Let only the host's own subject in: what a host keeps is of its subject.

        Raises:
            PlataformaError: it is another one.
        """
        if session.subject != self._subject:
            raise PlataformaError(f"The {self.name} of this host are another person's: sign in as that one")

    def watch(self, session: Session, message: Mapping[str, Any]) -> bool:
        """Begin or cease to send to a page, where the message is about this topic.

        Returns:
            Whether the page has yet to be sent what others, who watch already, have been sent.

        Raises:
            PlataformaError: the page is another subject's.
        """
        if message.get("topic") != self.name:
            return False
        if message.get("on") is not True:
            self.drop(session)
            return False
        self.check(session)
        self._sessions[session.id] = session
        self._sent.pop(session.id, None)
        is_first = self._timer is None
        if is_first:
            self._run()
        return not is_first

    def drop(self, session: Session) -> None:
        """Send no more to a page."""
        self._sessions.pop(session.id, None)
        self._sent.pop(session.id, None)
        if not self._sessions:
            self.close()

    def close(self) -> None:
        """Send no more to anybody; a second call does nothing."""
        self._sessions.clear()
        self._sent.clear()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def send(self, make: Callable[[str], dict[str, Any]]) -> None:
        """Send to each page what is made for its locale, unless it has been sent the very same."""
        made: dict[str, dict[str, Any]] = {}
        for session in list(self._sessions.values()):
            message = made.get(session.locale) or made.setdefault(session.locale, make(session.locale))
            if self._sent.get(session.id) != message:
                self._sent[session.id] = message
                session.send(message, replaces=self.name)

    def _run(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._beat_s, self._run)
        self._beat()


def text_of(message: Mapping[str, Any], name: str) -> str:
    """Read a text of a client's message.

    Raises:
        PlataformaError: it is missing, or no text.
    """
    value = message.get(name)
    if not isinstance(value, str):
        raise PlataformaError(f"A message of type {str(message.get('type'))[:40]!r} needs the text {name!r}")
    return value
