"""Asking a person: one question at a time, shared by all who wait for it, with an end to patience."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Final

import attrs

from plataforma_sdk.permissions._grammar import Permission
from plataforma_sdk.permissions._values import PermissionAnswer, PermissionRequest, Prompt

__all__ = ["MAX_REFUSALS", "Dialog", "Outcome"]

MAX_REFUSALS: Final = 3
"""After so many refused prompts a module is silenced: nobody is asked on its behalf any more."""

MAX_WAITING: Final = 16
"""Questions of one module that may wait for their turn; further ones are refused at once."""

_log: Final = logging.getLogger("plataforma_sdk.permissions")


@attrs.frozen
class Outcome:
    """What came of a prompt.

    Attributes:
        request: what was asked.
        answer: what counts as the answer.
        detail: why, where nobody gave it: ``"timed out"``, ``"the prompt failed: ValueError"``.
    """

    request: PermissionRequest
    answer: PermissionAnswer
    detail: str = ""


@attrs.define(eq=False)
class _Question:
    task: asyncio.Task[bool]
    waiters: int = 0


class Dialog:
    """The questions of one module to one person.

    Requests for the same permission share one prompt; other permissions wait for their turn, so that a module cannot
    bury a person in dialogs before the refusals are counted. A prompt ends when the last who waits for it goes away.

    Attributes:
        prompt: whom to ask from the next question on, or None.
        timeout_s: seconds until no answer is a no, or None.
        refusals: how many prompts were refused, time-outs and failures included.
    """

    def __init__(
        self,
        prompt: Prompt | None,
        timeout_s: float | None,
        *,
        settled: Callable[[Permission], bool | None],
        settle: Callable[[Permission, Outcome], bool],
    ) -> None:
        """Bind to a manager.

        Args:
            prompt: whom to ask.
            timeout_s: seconds until no answer is a no; None waits for ever.
            settled: tells the answer where none need be asked for any more, else None.
            settle: takes an outcome in and tells whether the permission is now held.
        """
        self.refusals = 0
        self.prompt = prompt
        self.timeout_s = timeout_s
        self._settled = settled
        self._settle = settle
        self._questions: dict[str, _Question] = {}
        self._turn = asyncio.Lock()

    @property
    def is_silenced(self) -> bool:
        """Whether the module has been refused too often to ask again."""
        return self.refusals >= MAX_REFUSALS

    def obstacle(self) -> str | None:
        """Say why nobody can be asked, or None."""
        if self.prompt is None:
            return "there is no prompt"
        if self.is_silenced:
            return f"silenced after {self.refusals} refusals"
        if len(self._questions) >= MAX_WAITING:
            return f"{MAX_WAITING} questions wait already"
        return None

    def is_open(self, permission: Permission) -> bool:
        """Tell whether this very permission is being asked for."""
        return str(permission) in self._questions

    async def ask(self, permission: Permission, make: Callable[[], PermissionRequest]) -> bool:
        """Ask, or join those who wait for the same answer; cancelling one of them leaves the others waiting."""
        question = self._questions.get(str(permission)) or self._open(permission, make)
        question.waiters += 1
        try:
            await asyncio.wait((question.task,))
        finally:
            question.waiters -= 1
            if not question.waiters and not question.task.done():
                self._close(permission, question)
                question.task.cancel()
        return not question.task.cancelled() and question.task.result()

    def _open(self, permission: Permission, make: Callable[[], PermissionRequest]) -> _Question:
        if not self._questions:
            self._turn = asyncio.Lock()  # a lock keeps to the loop that first waited for it; the next may be another
        question = _Question(asyncio.ensure_future(self._put(permission, make)))
        self._questions[str(permission)] = question
        question.task.add_done_callback(lambda _: self._close(permission, question))
        return question

    def _close(self, permission: Permission, question: _Question) -> None:
        if self._questions.get(str(permission)) is question:
            del self._questions[str(permission)]

    async def _put(self, permission: Permission, make: Callable[[], PermissionRequest]) -> bool:
        """Wait for the turn, see whether the question still stands, and put it."""
        async with self._turn:
            known = False if self.is_silenced else self._settled(permission)
            if known is not None:
                return known
            outcome = await self._put_now(make())
            if not outcome.answer.is_allowed:
                self.refusals += 1
            return self._settle(permission, outcome)

    async def _put_now(self, request: PermissionRequest) -> Outcome:
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = _read_answer(await self._call(request))
        except TimeoutError:
            return Outcome(request, PermissionAnswer.DENY_ONCE, "timed out")
        except Exception as error:  # noqa: BLE001 - whatever breaks in a prompt is a refusal, and never an error of the module
            _log.exception("The permission prompt failed for module %r; the request is refused", request.module)
            return Outcome(request, PermissionAnswer.DENY_ONCE, f"the prompt failed: {type(error).__name__}")
        return Outcome(request, answer)

    async def _call(self, request: PermissionRequest) -> object:
        ask = getattr(self.prompt, "ask", self.prompt)
        if not callable(ask):
            raise TypeError(f"a prompt is an async function or has one called 'ask', not {type(self.prompt).__name__}")
        answer: object = ask(request)
        return await answer if inspect.isawaitable(answer) else answer


def _read_answer(answer: object) -> PermissionAnswer:
    """Accept an answer or a bool, and nothing that is merely truthy."""
    if isinstance(answer, PermissionAnswer):
        return answer
    if isinstance(answer, bool):
        return PermissionAnswer.ALLOW_SESSION if answer else PermissionAnswer.DENY_ONCE
    raise TypeError(f"a prompt answers with PermissionAnswer or bool, not {type(answer).__name__}")
