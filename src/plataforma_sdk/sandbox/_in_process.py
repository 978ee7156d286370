"""What instances share whose code runs in the caller's own task: calls with a deadline, which end with the instance."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Iterable
from typing import Any

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleStateError, ResourceLimitError
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox._protocols import EngineContext, LeftRunning

__all__ = ["InProcessInstance", "count_cancellations", "end_tasks", "running_task"]


class InProcessInstance(abc.ABC):
    """One module in the host's own interpreter.

    An engine says how a function is served, and may say what a limit and the end of a call mean to it.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._is_closed = False
        self._calls: dict[object, asyncio.Task[Any] | None] = {}
        self._asked: dict[object, int] = {}
        self._left: list[LeftRunning] = []

    # --- what an engine says ---------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def _serve(
        self, function: str, args: list[Any], kwargs: dict[str, Any], deadline: CallDeadline | None
    ) -> Any:
        """Call the module with values that are its own, and return a copy of its result."""

    @abc.abstractmethod
    def _translated(self, error: BaseException) -> BaseException:
        """Return what the host sees of an error that the module let through."""

    def _check_usable(self) -> None:
        """Raise where the instance answers no more."""
        if self._is_closed:
            raise self._closed_error()

    def _on_late(self, limit: ResourceLimitError) -> None:  # noqa: B027 - not every engine takes note
        """Take note that a call has passed its deadline."""

    def _after_call(self) -> None:  # noqa: B027
        """Take note that a call has ended, however it did."""

    # --- calls -----------------------------------------------------------------------------------------------------

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; see `Instance.call`."""
        self._check_usable()
        task = asyncio.current_task()
        entry = object()
        self._calls[entry] = task
        try:
            monitor = self._context.monitor
            received, named = codec.copy_value(list(args)), codec.copy_value(kwargs)
            monitor.check_values([*received, *named.values()])
            result = await self._within_deadline(function, received, named)
            monitor.check_values([result])
            return result  # noqa: TRY300 - an else block would hide what is awaited
        except asyncio.CancelledError:
            if entry not in self._asked:
                raise
            raise self._closed_error() from None  # ours, from `close`: the caller is told, not cancelled
        finally:
            self._calls.pop(entry, None)
            asked = self._asked.pop(entry, 0)
            if task is not None:
                for _ in range(asked):
                    task.uncancel()
            self._after_call()

    async def _within_deadline(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        limit_ms = self._context.limits.max_call_ms
        deadline = CallDeadline(limit_ms)
        try:
            async with deadline:
                return await self._serve(function, args, kwargs, deadline)
        except TimeoutError as error:
            if not deadline.has_passed:
                raise self._translated(error) from None
            limit = ResourceLimitError(
                "call_time", used=deadline.elapsed_ms, limit=limit_ms, unit="ms", module=self._context.module_id
            )
            self._on_late(limit)
            raise limit from None

    def left_running(self) -> list[LeftRunning]:
        """Return what the module started and `close` could not end."""
        return [item for item in self._left if item.is_there()]

    def _closed_error(self) -> ModuleStateError:
        module = self._context.module_id
        return ModuleStateError(f"Module {module!r} is closed", module=module, state="unloaded")

    def _end_calls(self) -> None:
        """Refuse further calls, and end the running ones with `ModuleStateError`, but for the caller's own."""
        self._is_closed = True
        current = asyncio.current_task()
        asked: set[asyncio.Task[Any]] = set()
        for entry, task in reversed(self._calls.items()):  # of calls inside calls, the innermost is asked
            if task is not None and task is not current and entry not in self._asked:
                self._asked[entry] = 0
                if task not in asked:
                    asked.add(task)
                    self._ask(entry, task)

    def _ask_again(self) -> None:
        """Ask those that went on."""
        for entry in [entry for entry, times in self._asked.items() if times]:
            task = self._calls[entry]
            if task is not None:
                self._ask(entry, task)

    def _ask(self, entry: object, task: asyncio.Task[Any]) -> None:
        task.cancel()
        self._asked[entry] += 1


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Cancel tasks, wait until they have ended, and return those that swallow it: they are abandoned."""
    mine = list(tasks)
    for task in mine:
        task.cancel()
    if not mine:
        return []
    _, pending = await asyncio.wait(mine, timeout=1.0)
    return list(pending)


def running_task(task: asyncio.Task[Any], coroutine: Any) -> LeftRunning:
    """Describe a task that goes on, by the line of the module's coroutine where it waits."""
    frame = getattr(coroutine, "cr_frame", None)
    where = None if frame is None else f"{frame.f_code.co_filename.rpartition('>/')[2]}:{frame.f_lineno}"
    name = getattr(coroutine, "__qualname__", task.get_name())
    return LeftRunning(kind="task", name=name, where=where, is_there=lambda: not task.done())


def count_cancellations() -> int:
    """Count how often the running task was asked to end; where that did not grow, the module raised it itself."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0
