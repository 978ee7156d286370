"""The guest's event loop: it runs what is ready and never waits; waiting is the host's business."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

__all__ = ["PumpLoop"]

_MAX_STEPS: Final = 256
"""Steps of one pump; what is still ready then comes with the next, so that a busy guest cannot outgrow its outbox."""

_MANY_CANCELLED: Final = 64


class _NoSelector:
    """What `BaseEventLoop` wants to close; there is nothing to select from."""

    def select(self, _timeout: float | None = None) -> list[Any]:
        return []

    def close(self) -> None:
        """Nothing is open."""


class _ReadyHandle(asyncio.Handle):
    """What `call_soon` returns, without the questions about a debug mode that a guest has not."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: Sequence[Any],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None


class PumpLoop(asyncio.BaseEventLoop):
    """An asyncio loop that is stepped from outside; its time stands still while it runs.

    Args:
        begin_step: called before each step but the first of a pump, so that the host can time steps one by one.

    Attributes:
        now: seconds of the host's monotonic clock; the host sends it with each message.
        on_task_done: the runner's own callback of tasks; it runs at once, without a step of its own.
    """

    _timer_cancelled_count: int

    def __init__(self, begin_step: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._selector = _NoSelector()
        self._clock_resolution = 1e-9
        self._begin_step = begin_step
        self.on_task_done: Callable[..., object] | None = None
        self.now = 0.0
        eager = getattr(asyncio, "eager_task_factory", None)
        if eager is not None:
            self.set_task_factory(eager)
        self._ready.clear()  # type: ignore[attr-defined]  # a loop that says it runs schedules its own debug switch

    def call_soon(  # type: ignore[override]  # plainer than the stub's, which ties `args` to the callback
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """See `asyncio.loop.call_soon`."""
        handle = _ReadyHandle(callback, args, self, context)
        if callback is self.on_task_done:
            callback(*args)
        else:
            self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def time(self) -> float:
        """The host's time, as of the message being served."""
        return self.now

    def is_running(self) -> bool:
        """Always: the guest has one loop, and it is running whenever guest code runs."""
        return True

    def step(self) -> float | None:
        """Run what is ready; return when to be called again: a time, the present one for "at once", None for never."""
        ready: Any = self._ready  # type: ignore[attr-defined]
        steps = 0
        while True:
            when = self._wake_timers(ready) if self._scheduled else None  # type: ignore[attr-defined]
            if not ready:
                return when
            while ready:
                handle = ready.popleft()
                if handle._cancelled:  # noqa: SLF001
                    continue
                if steps:
                    self._begin_step()
                steps += 1
                try:
                    handle._run()  # noqa: SLF001
                except (SystemExit, KeyboardInterrupt):
                    """The task holds it already; a module that exits ends its call, not its instance."""
                if steps >= _MAX_STEPS and ready:
                    return self.now

    def has_work(self) -> bool:
        """Whether `step` would do anything or has a timer to report."""
        return bool(self._ready or self._scheduled)  # type: ignore[attr-defined]

    def _wake_timers(self, ready: Any) -> float | None:
        """Make due timers ready and return when the next one is due."""
        scheduled: Any = self._scheduled  # type: ignore[attr-defined]
        self._drop_cancelled(scheduled)
        while scheduled:
            handle = scheduled[0]
            if not handle._cancelled and handle._when > self.now:  # noqa: SLF001
                return float(handle._when)  # noqa: SLF001
            heapq.heappop(scheduled)
            handle._scheduled = False  # noqa: SLF001
            if handle._cancelled:  # noqa: SLF001
                self._timer_cancelled_count -= 1
            else:
                ready.append(handle)
        return None

    def _drop_cancelled(self, scheduled: Any) -> None:
        """Forget cancelled timers once they are the majority: each timeout that did not happen leaves one."""
        if self._timer_cancelled_count < _MANY_CANCELLED or self._timer_cancelled_count * 2 < len(scheduled):
            return
        for handle in scheduled:
            handle._scheduled = not handle._cancelled  # noqa: SLF001
        scheduled[:] = [handle for handle in scheduled if handle._scheduled]  # noqa: SLF001
        heapq.heapify(scheduled)
        self._timer_cancelled_count = 0

    def _process_events(self, _events: Any) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """There is no other thread to be woken by."""

    def run_in_executor(self, _executor: Any, _func: Any, *_args: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: a module has no threads."""
        raise RuntimeError("threads are not available in a sandboxed module; write a coroutine and await it")

    def run_forever(self) -> NoReturn:
        """Refuse: the loop is running already."""
        raise RuntimeError("the module's event loop is running already; write 'await' instead of run()")

    def run_until_complete(self, _future: Any) -> NoReturn:
        """Refuse: the loop is running already."""
        self.run_forever()
