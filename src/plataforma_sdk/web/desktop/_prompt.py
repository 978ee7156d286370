"""Permission dialogs: what a module asks of a person, put to that person's pages and to nobody else's."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.permissions import CHOICES, PermissionAnswer, PermissionRequest, clean_text
from plataforma_sdk.runtime import ModuleHost, sentence_of
from plataforma_sdk.types import Clock, SystemClock
from plataforma_sdk.web.desktop._launcher import shown_name

if TYPE_CHECKING:
    from plataforma_sdk.web.desktop._features import Session

__all__ = ["DesktopPrompt"]

ARMED_AFTER_MS: Final = 500
"""An answer that comes sooner after its question was sent is refused, here as in the page.

A module that guesses where and when a person will click could otherwise bring a dialog up under the pointer.

**Source:** Mozilla bug 162020; J. Ruderman, "Race conditions in security dialogs".
"""

_KEPT_CLOSED: Final = 64
_SLACK_S: Final = 0.1
"""A time-out is told from a withdrawal by the clock, and a loop's timer may be a little early."""

_LOG: Final = logger_of("plataforma_sdk.web.desktop")


@attrs.define(eq=False)
class _Question:
    """One request on its way to an answer."""

    id: str
    request: PermissionRequest
    answered: asyncio.Future[PermissionAnswer]
    outcome: str = "withdrawn"
    word: str | None = None
    by: str | None = None
    sent_at: dict[str, float] = attrs.field(factory=dict)


class DesktopPrompt:
    """Asks a person for permissions in the pages that are open in that person's name: a `PermissionPrompt`.

    Several requests queue, and one is shown at a time. The first answer wins, whichever page it comes from, and closes
    the dialog in the others. Where no page is open, and none is opened in time, the answer is no; so it is where the
    manager's patience ends. Also a feature of the desktop, which hands it the pages and their answers.

    Args:
        host: where the names of modules are looked up.
        patience_s: how long to wait for a page where none is open; None waits as long as the permission manager does.
        clock: times the answers.
    """

    receives: frozenset[str] = frozenset({"answer"})

    def __init__(self, host: ModuleHost, *, patience_s: float | None = None, clock: Clock | None = None) -> None:
        self._host = host
        self._patience_s = patience_s
        self._clock = clock or SystemClock()
        self._sessions: dict[str, Session] = {}
        self._queues: dict[str, list[_Question]] = {}
        self._waiting_for_a_page: dict[str, asyncio.TimerHandle] = {}
        self._closed: deque[tuple[str, str]] = deque(maxlen=_KEPT_CLOSED)

    # --- the side of the modules -----------------------------------------------------------------------------------

    async def ask(self, request: PermissionRequest) -> PermissionAnswer:
        """Put a request to the pages of its subject and wait for an answer; cancelling it closes the dialog.

        Raises:
            TimeoutError: no page was there in time, which the manager takes for a no and writes down as what it is.
        """
        question = _Question(secrets.token_urlsafe(16), request, asyncio.get_running_loop().create_future())
        queue = self._queues.setdefault(request.subject, [])
        queue.append(question)
        self._show_first(request.subject)
        self._have_patience(request.subject)
        try:
            return await question.answered
        except asyncio.CancelledError:
            if request.expires_at is not None and self._clock.now() >= request.expires_at - _SLACK_S:
                question.outcome = "timed out"
            raise
        finally:
            self._close(question, queue)

    def _close(self, question: _Question, queue: list[_Question]) -> None:
        subject = question.request.subject
        queue.remove(question)
        self._closed.append((question.id, subject))
        message = {"type": "prompt-closed", "id": question.id, "outcome": question.outcome}
        if question.word is not None:
            message["answer"] = question.word
        for session in self._of(subject):
            if session.id in question.sent_at and session.id != question.by:
                session.send(message)
        if queue:
            self._show_first(subject)
            return
        self._queues.pop(subject, None)
        self._stop_patience(subject)

    # --- the side of the pages -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Nothing is to be begun."""

    async def aclose(self) -> None:
        """Refuse what is still asked."""
        for subject in list(self._queues):
            self._stop_patience(subject)
            for question in self._unanswered(subject):
                question.answered.set_result(PermissionAnswer.DENY_ONCE)

    def joined(self, session: Session) -> None:
        """Show a page, new or back again, what is being asked."""
        self._sessions[session.id] = session
        self._stop_patience(session.subject)
        queue = self._queues.get(session.subject)
        if queue:
            queue[0].sent_at.pop(session.id, None)  # it is shown anew, and has to be read anew
            self._show(queue, session)

    def left(self, session: Session) -> None:
        """Forget a page; where it was the last, patience begins."""
        self._sessions.pop(session.id, None)
        for question in self._queues.get(session.subject, ()):
            question.sent_at.pop(session.id, None)
        self._have_patience(session.subject)

    async def receive(self, session: Session, message: Mapping[str, Any]) -> None:
        """Take an answer.

        Raises:
            PlataformaError: the question is over, was never put to this page, or was put to it a moment ago; or the
                answer is none.
        """
        question = self._asked_of(session, message.get("prompt"))
        word = message.get("answer")
        answer = CHOICES.get(word) if isinstance(word, str) else None
        if answer is None:
            raise PlataformaError(f"An answer is one of {', '.join(CHOICES)}", module=question.request.module)
        since_ms = (self._clock.monotonic() - question.sent_at[session.id]) * 1_000
        if since_ms < ARMED_AFTER_MS:
            _LOG.warning("An answer to a permission dialog came %.0f ms after the question: refused", since_ms)
            raise PlataformaError(
                "That was too fast to have read the question: look at it, and answer again",
                module=question.request.module,
            )
        if not question.answered.done():
            question.outcome, question.word, question.by = "answered", word, session.id
            question.answered.set_result(answer)

    def _asked_of(self, session: Session, prompt: object) -> _Question:
        """Find the question that was shown to this page; any other id is refused, in the same words."""
        is_known = (prompt, session.subject) in self._closed
        for question in self._queues.get(session.subject, ()):
            if question.id == prompt and session.id in question.sent_at:
                if not question.answered.done():
                    return question
                is_known = True
        if not is_known:
            _LOG.warning("Subject %r answered a permission dialog that it was not shown: refused", session.subject)
        raise PlataformaError("That question is not open any more: it was answered elsewhere, withdrawn, or timed out")

    # --- showing ---------------------------------------------------------------------------------------------------

    def _of(self, subject: str) -> Iterator[Session]:
        return (session for session in list(self._sessions.values()) if session.subject == subject)

    def _show_first(self, subject: str) -> None:
        queue = self._queues[subject]
        for session in self._of(subject):
            self._show(queue, session)

    def _show(self, queue: list[_Question], session: Session) -> None:
        """Send the first question; once more only where more wait than it was told, which does not disarm it."""
        question = queue[0]
        question.sent_at.setdefault(session.id, self._clock.monotonic())
        session.send(self._message(question, session.locale, len(queue) - 1), replaces=f"prompt {question.id}")

    def _message(self, question: _Question, locale: str, waiting: int) -> dict[str, Any]:
        request = question.request
        module = request.module or ""
        manifest = self._host.manifest_of(module)
        return {
            "type": "prompt",
            "id": question.id,
            "module": {
                "id": module,
                "name": shown_name(manifest) if manifest else module,
                "version": manifest.version if manifest else None,
                "source": request.source and clean_text(request.source),
            },
            "permission": request.permission,
            "meaning": sentence_of(request.permission, locale),
            "reason": request.reason,
            "choices": list(CHOICES),
            "waiting": waiting,
            "armed_after_ms": ARMED_AFTER_MS,
            "expires_at": request.expires_at,
        }

    # --- patience --------------------------------------------------------------------------------------------------

    def _have_patience(self, subject: str) -> None:
        """Wait for a page of the subject, where something is asked and none is open."""
        if self._patience_s is None or subject in self._waiting_for_a_page or subject not in self._queues:
            return
        if next(self._of(subject), None) is None:
            loop = asyncio.get_running_loop()
            self._waiting_for_a_page[subject] = loop.call_later(self._patience_s, self._on_nobody, subject)

    def _stop_patience(self, subject: str) -> None:
        timer = self._waiting_for_a_page.pop(subject, None)
        if timer is not None:
            timer.cancel()

    def _on_nobody(self, subject: str) -> None:
        """Give up what is asked: no page of the subject was opened in time."""
        self._stop_patience(subject)
        for question in self._unanswered(subject):
            question.outcome = "timed out"
            question.answered.set_exception(TimeoutError("No page was open to ask in"))

    def _unanswered(self, subject: str) -> list[_Question]:
        return [question for question in self._queues.get(subject, ()) if not question.answered.done()]
