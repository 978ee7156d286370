"""The sealed twin of `asyncio`: what a module needs to do several things at once, and none of the loop.

Tasks are opaque. A task made inside a call uses that call's fuel; one made by ``create_task`` outlives it, and has an
account of its own, renewed at each step. All of them end with the instance.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from plataforma_sdk.sandbox._in_process import end_tasks, running_task
from plataforma_sdk.sandbox._protocols import LeftRunning
from plataforma_sdk.sandbox.restricted._driving import HostAwaitable, Metered, check_headroom, close_quietly
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached, Meter
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta, namespace, seal_type
from plataforma_sdk.sandbox.restricted._weights import exact_number

__all__ = ["AsyncTwin", "Tasks"]

_MAX_TASKS = 1_000


class Tasks:
    """The tasks of one instance.

    Args:
        meter: what their steps are measured by.
        background: makes the account of a task that outlives its call.
        report: told when a background task failed.
    """

    def __init__(
        self, meter: Meter, background: Callable[[], Account], report: Callable[[BaseException], None]
    ) -> None:
        self.meter = meter
        self._background = background
        self._report = report
        self._live: set[asyncio.Task[Any]] = set()
        self._observed: set[asyncio.Task[Any]] = set()
        self._coroutines: dict[asyncio.Task[Any], Any] = {}

    def metered(self, awaitable: Any, account: Account) -> Coroutine[Any, Any, Any]:
        """Return a coroutine of the host's that drives what a module passed."""
        if type(awaitable) is types.CoroutineType:
            return _drive(Metered(self.meter, account, awaitable))
        if isinstance(awaitable, HostAwaitable | TaskTwin):
            return _drive(Metered(self.meter, account, _await(awaitable)))
        raise TypeError(f"a {type(awaitable).__name__} cannot be awaited; call the async function and pass the result")

    def spawn(self, awaitable: Any, *, is_background: bool) -> asyncio.Task[Any]:
        """Run a coroutine of the module's beside what is running now."""
        try:
            check_headroom(self.meter)
            if len(self._live) >= _MAX_TASKS:
                self.meter.trip("memory", len(self._live), _MAX_TASKS, "tasks")
        except LimitReached:
            close_quietly(awaitable)  # else Python tells the host that it was never awaited
            raise
        account = self._background() if is_background else self.meter.account
        task = asyncio.get_running_loop().create_task(self.metered(awaitable, account))
        self._live.add(task)
        if type(awaitable) is types.CoroutineType:
            self._coroutines[task] = awaitable
        task.add_done_callback(self._ended)
        task.add_done_callback(self._finished if is_background else self._live.discard)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        coroutine = self._coroutines.pop(task, None)
        if coroutine is not None:
            close_quietly(coroutine)  # cancelled before its first step, it never began
        if not task.cancelled():
            task.exception()  # seen: asyncio would log its repr, which may be without end

    @property
    def roots(self) -> list[Any]:
        """What running tasks hold, for the account of memory."""
        return list(self._coroutines.values())

    def observe(self, task: asyncio.Task[Any]) -> None:
        """Note that somebody waits for a background task, and so sees how it ends."""
        self._observed.add(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._live.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and (task not in self._observed or isinstance(error, LimitReached)):
            self._report(error)
        self._observed.discard(task)

    def cancel(self) -> list[asyncio.Task[Any]]:
        """Ask every task to end, but for the one that asks; return them."""
        current = asyncio.current_task()
        live = [task for task in self._live if task is not current]
        for task in live:
            task.cancel()
        return live

    async def close(self, stop: Callable[[], None]) -> list[LeftRunning]:
        """Cancel every task and wait until all have ended; return those that do not.

        Args:
            stop: ends the sandbox where tasks swallow their cancellation, so that they cannot a second time.
        """
        coroutines = dict(self._coroutines)
        left = await end_tasks(self.cancel())
        if left:
            stop()
            left = await end_tasks(left)
        self._live.clear()
        return [running_task(task, coroutines.get(task)) for task in left]


async def _drive(metered: Metered) -> Any:
    return await metered


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def _apart(future: asyncio.Future[Any]) -> Any:
    """Await a future with another in between, so that cancelling the task that waits does not recurse into this one.

    Cancelling a task cancels what it waits for, which cancels what that waits for: five hundred tasks that wait for
    each other are a recursion too deep for Python 3.11, in the callback of a host's time-out, which then never comes.
    """
    gate = future.get_loop().create_future()

    def open_gate(_: object) -> None:
        if not gate.done():
            gate.set_result(None)

    future.add_done_callback(open_gate)
    try:
        await gate
    except asyncio.CancelledError:
        future.cancel()
        await asyncio.wait([future])
    return future.result()


class TaskTwin(metaclass=SealedMeta):
    """A task in a module's hands."""

    __slots__ = ("_sdk_task", "_sdk_tasks")

    def __init__(self, tasks: Tasks, task: asyncio.Task[Any]) -> None:
        object.__setattr__(self, "_sdk_tasks", tasks)
        object.__setattr__(self, "_sdk_task", task)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a task is read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __await__(self) -> Any:
        tasks, task = self._sdk_tasks, self._sdk_task  # type: ignore[attr-defined]
        tasks.observe(task)
        return HostAwaitable(tasks.meter, lambda: _apart(task), _same, is_transparent=True).__await__()

    def cancel(self) -> bool:
        """Ask the task to end."""
        return bool(self._sdk_task.cancel())  # type: ignore[attr-defined]

    def done(self) -> bool:
        """Whether it has ended."""
        return bool(self._sdk_task.done())  # type: ignore[attr-defined]

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return bool(self._sdk_task.cancelled())  # type: ignore[attr-defined]

    def result(self) -> Any:
        """What it returned, or raise what it raised."""
        self._sdk_tasks.observe(self._sdk_task)  # type: ignore[attr-defined]
        return self._sdk_task.result()  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return "<task>"


def _same(value: Any) -> Any:
    return value


class AsyncTwin:
    """Makes the `asyncio` of one sandbox."""

    def __init__(self, sandbox: Sandbox, tasks: Tasks) -> None:
        self._sandbox = sandbox
        self._meter = sandbox.meter
        self._tasks = tasks

    def make(self) -> Any:
        """Return the sealed namespace."""
        return namespace("asyncio", {name: getattr(self, f"_{name}") for name in _FUNCTIONS} | self._types())

    def _types(self) -> dict[str, Any]:
        return {
            "Lock": seal_type(asyncio.Lock, lambda: self._wrap(asyncio.Lock(), _LOCK)),
            "Event": seal_type(asyncio.Event, lambda: self._wrap(asyncio.Event(), _EVENT)),
            "Semaphore": seal_type(asyncio.Semaphore, lambda value=1: self._wrap(asyncio.Semaphore(int(value)), _LOCK)),
            "Queue": seal_type(asyncio.Queue, lambda maxsize=0: self._wrap(asyncio.Queue(int(maxsize)), _QUEUE)),
            "TaskGroup": seal_type(asyncio.TaskGroup, self._task_group),
            "Task": seal_type(TaskTwin, _not_made),
            "CancelledError": seal_type(asyncio.CancelledError, asyncio.CancelledError),
            "TimeoutError": TimeoutError,
            "QueueEmpty": seal_type(asyncio.QueueEmpty, _not_made),
            "QueueFull": seal_type(asyncio.QueueFull, _not_made),
        }

    def _awaitable(self, make: Callable[[], Awaitable[Any]], finish: Callable[[Any], Any] = _same) -> HostAwaitable:
        return HostAwaitable(self._meter, make, finish, is_transparent=True)

    def _check_results(self, results: list[Any]) -> list[Any]:
        for result in results:
            if isinstance(result, BaseException):
                self._sandbox.classes.check_error(result)
        return results

    # --- functions -----------------------------------------------------------------------------------------------

    def _gather(self, *awaitables: Any, return_exceptions: bool = False) -> HostAwaitable:
        tasks = [self._as_future(item) for item in self._sandbox.iterables.star(awaitables)]
        return self._awaitable(
            lambda: _apart(asyncio.gather(*tasks, return_exceptions=bool(return_exceptions))), self._check_results
        )

    def _as_future(self, awaitable: Any) -> asyncio.Task[Any]:
        if isinstance(awaitable, TaskTwin):
            self._tasks.observe(awaitable._sdk_task)  # type: ignore[attr-defined]
            return awaitable._sdk_task  # type: ignore[attr-defined,no-any-return]
        return self._tasks.spawn(awaitable, is_background=False)

    def _sleep(self, delay: Any, result: Any = None) -> HostAwaitable:
        seconds = _seconds(delay)
        return self._awaitable(lambda: asyncio.sleep(seconds), lambda _: result)

    def _create_task(self, awaitable: Any, *, name: Any = None) -> TaskTwin:  # noqa: ARG002
        return TaskTwin(self._tasks, self._tasks.spawn(awaitable, is_background=True))

    def _wait_for(self, awaitable: Any, timeout: Any) -> HostAwaitable:
        seconds = None if timeout is None else _seconds(timeout)
        return self._awaitable(lambda: asyncio.wait_for(_apart(self._as_future(awaitable)), seconds))

    def _timeout(self, delay: Any) -> ContextTwin:
        return ContextTwin(self, asyncio.timeout(None if delay is None else _seconds(delay)))

    def _task_group(self) -> GroupTwin:
        return GroupTwin(self, asyncio.TaskGroup())

    def _iscoroutine(self, value: Any) -> bool:
        return type(value) is types.CoroutineType or isinstance(value, HostAwaitable)

    # --- objects ---------------------------------------------------------------------------------------------------

    def _wrap(self, inner: Any, methods: tuple[str, str]) -> ContextTwin:
        awaited, immediate = (names.split() for names in methods)
        members: dict[str, Any] = {}
        for name in awaited:
            members[name] = SealedFunction(self._awaited(getattr(inner, name)), name)
        for name in immediate:
            members[name] = SealedFunction(getattr(inner, name), name)
        return _with_members(self, inner, members)

    def _awaited(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., HostAwaitable]:
        return lambda *args: self._awaitable(lambda: method(*args))


class ContextTwin(metaclass=SealedMeta):
    """An asynchronous context manager of the host's, entered and left with the meter off."""

    __slots__ = ("_sdk_inner", "_sdk_twin")

    def __init__(self, twin: AsyncTwin, inner: Any) -> None:
        object.__setattr__(self, "_sdk_twin", twin)
        object.__setattr__(self, "_sdk_inner", inner)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    async def __aenter__(self) -> Any:
        await self._sdk_twin._awaitable(self._sdk_inner.__aenter__)  # type: ignore[attr-defined]
        return self

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> Any:
        if isinstance(error, LimitReached):
            raise error
        return await self._sdk_twin._awaitable(  # type: ignore[attr-defined]
            lambda: self._sdk_inner.__aexit__(kind, error, traceback)  # type: ignore[attr-defined]
        )

    def _sdk_held(self) -> list[Any]:
        """What a queue holds, for the account of memory."""
        return list(getattr(self._sdk_inner, "_queue", ()))  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return "<asyncio object>"


class GroupTwin(ContextTwin):
    """A task group."""

    __slots__ = ()

    def create_task(self, awaitable: Any, *, name: Any = None) -> TaskTwin:  # noqa: ARG002
        """Run a coroutine in the group."""
        tasks = self._sdk_twin._tasks  # type: ignore[attr-defined]
        coroutine = tasks.metered(awaitable, tasks.meter.account)
        task = self._sdk_inner.create_task(coroutine)  # type: ignore[attr-defined]
        tasks.observe(task)
        return TaskTwin(tasks, task)


def _with_members(twin: AsyncTwin, inner: Any, members: dict[str, Any]) -> ContextTwin:
    cls: Any = SealedMeta(type(inner).__name__, (ContextTwin,), {"__slots__": tuple(members)})
    made = cls.__new__(cls)
    ContextTwin.__init__(made, twin, inner)
    for name, value in members.items():
        object.__setattr__(made, name, value)
    return made  # type: ignore[no-any-return]


def _seconds(delay: Any) -> float:
    """Check a delay: the host's loop sorts its timers by it, and one that is no number leaves the heap in disorder.

    Raises:
        TypeError: it is no int or float.
        ValueError: it is NaN.
    """
    delay = exact_number(delay)
    if type(delay) not in (int, float, bool):
        raise TypeError(f"a delay is a number of seconds, not a {type(delay).__name__}")
    if delay != delay:  # noqa: PLR0124 - NaN alone differs from itself
        raise ValueError("a delay is a number of seconds, not NaN")
    return float(min(max(delay, 0), _MAX_DELAY))


def _not_made(*_: Any) -> Any:
    raise TypeError("not made by calling it")


_MAX_DELAY = 366 * 86_400
"""Seconds of the longest wait: a module lives for less."""

_FUNCTIONS = ("gather", "sleep", "create_task", "wait_for", "timeout", "iscoroutine")
_LOCK = ("acquire", "locked release")
_EVENT = ("wait", "set clear is_set")
_QUEUE = ("get put join", "get_nowait put_nowait task_done qsize empty full")
