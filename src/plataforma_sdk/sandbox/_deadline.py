"""The whole-call deadline: wall time, host waits included, but not the time in which a person is asked.

While a prompt stands open the deadline is suspended; the person's minute is not the module's.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
from collections.abc import Iterator
from typing import Self

__all__ = ["CallDeadline", "waiting_for_a_person"]

_CURRENT: contextvars.ContextVar[CallDeadline | None] = contextvars.ContextVar("plataforma_call_deadline", default=None)


class CallDeadline:
    """``async with CallDeadline(ms)``: raises `TimeoutError` inside the block when the time has passed.

    Nested calls (a module that answers another's request) each have their own, and none outlives its parent's,
    since the parent's cancellation ends the child. A question that the inner one asks suspends the outer ones too.

    The event loop raises it, so synchronous code is never interrupted; `is_due` is for whoever can look in between.

    Attributes:
        limit_ms: the time allowed.
    """

    def __init__(self, limit_ms: float) -> None:
        self.limit_ms = limit_ms
        self._limit_s = limit_ms / 1_000
        self._timeout = asyncio.timeout(None)
        self._started = time.monotonic()
        self._paused_s = 0.0
        self._questions = 0
        self._paused_at: float | None = None
        self._left_s = 0.0
        self._is_over = False
        self._outer: CallDeadline | None = None
        self._token: contextvars.Token[CallDeadline | None] | None = None

    @property
    def has_passed(self) -> bool:
        """Whether this deadline, and not another, ended the block."""
        return self._timeout.expired()

    @property
    def is_due(self) -> bool:
        """Whether the time has passed; needs no event loop. Never while a person is asked, nor after the call."""
        if self._is_over or self._paused_at is not None:
            return False
        return time.monotonic() - self._started - self._paused_s > self._limit_s

    @property
    def elapsed_ms(self) -> float:
        """Time spent, without the time in which a person was asked."""
        return (time.monotonic() - self._started - self._paused_s) * 1_000

    async def __aenter__(self) -> Self:
        self._started = time.monotonic()
        self._outer = _CURRENT.get()
        await self._timeout.__aenter__()
        self._timeout.reschedule(asyncio.get_running_loop().time() + self._limit_s)
        self._token = _CURRENT.set(self)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._is_over = True
        if self._token is not None:
            with contextlib.suppress(ValueError):  # closed from another context: nothing to restore there
                _CURRENT.reset(self._token)
        await self._timeout.__aexit__(*exc_info)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def pause(self) -> Iterator[None]:
        """Stop the clock for the block; it goes on when the last of several blocks has ended.

        A task that the call left behind may still ask when the call is over; then there is nothing to stop.
        """
        with self._outer.pause() if self._outer is not None else contextlib.nullcontext():
            self._stop()
            try:
                yield
            finally:
                self._go_on()

    def _stop(self) -> None:
        self._questions += 1
        when = self._timeout.when()
        if self._is_over or when is None or self._timeout.expired():
            return
        self._paused_at = time.monotonic()
        self._left_s = when - asyncio.get_running_loop().time()
        self._timeout.reschedule(None)

    def _go_on(self) -> None:
        self._questions -= 1
        if self._questions or self._paused_at is None:
            return
        self._paused_s += time.monotonic() - self._paused_at
        self._paused_at = None
        if not self._is_over and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left_s)


@contextlib.contextmanager
def waiting_for_a_person() -> Iterator[None]:
    """Suspend the deadline of the call that is running, if there is one."""
    deadline = _CURRENT.get()
    if deadline is None:
        yield
        return
    with deadline.pause():
        yield
