"""What the guest awaits of its host: each request is a task of the instance, cancelled with it."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import QuotaExceededError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._calls import HostRequest, PendingCall
from plataforma_sdk.sandbox.wasm._host import error_text

__all__ = ["HostRequests"]

_MAX_OPEN: Final = 1_000
_EAGER: Final[dict[str, Any]] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class HostRequests:
    """Serves the requests of one guest.

    Args:
        context: bridge, monitor and identity of the module.
        answer: takes ``(line for the inbox, number of the call that it is charged to)``.
    """

    def __init__(self, context: EngineContext, answer: Callable[[str, int], None]) -> None:
        self._module = context.module_id
        self._bridge = context.bridge
        self._monitor = context.monitor
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._base_context = contextvars.copy_context()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._held: dict[int, HostRequest] = {}
        self._served: set[int] = set()
        self._no_room = error_text(
            QuotaExceededError(
                "open_requests", used=_MAX_OPEN + 1, limit=_MAX_OPEN, unit="requests", module=context.module_id
            )
        )

    def open(self, request: HostRequest) -> None:
        """Take a request; `begin` and `release` serve it."""
        if request.number in self._served or request.number in self._held:
            raise ValueError(f"request {request.number} is open already")
        refusal = self._refusal(request)
        if refusal is None:
            self._held[request.number] = request
        else:
            self._answer(f"x{request.number} {refusal}", request.call)

    def begin(self, find: Callable[[int], PendingCall | None]) -> None:
        """Serve what was taken; a request of a call whose caller does not wait yet is held until it does.

        Args:
            find: number of a call -> the call, or None where it has ended.
        """
        for request in list(self._held.values()):
            call = find(request.call)
            if call is None:
                self._start(request, self._base_context)
            elif call.context is not None:
                self._start(request, call.context)

    def release(self, call: PendingCall, context: contextvars.Context) -> None:
        """Serve what was held for a call, in its caller's context."""
        for request in [request for request in self._held.values() if request.call == call.number]:
            self._start(request, context)

    def drop(self, number: int) -> None:
        """Cancel a request that nobody waits for any more."""
        self._held.pop(number, None)
        self._served.discard(number)
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Cancel everything."""
        self._held.clear()
        self._served.clear()
        for task in self._tasks.values():
            task.cancel()

    def numbers(self) -> set[int]:
        """Return the numbers of the requests that have not been answered."""
        return {*self._served, *self._held}

    def open_tasks(self) -> list[asyncio.Task[None]]:
        """Return the tasks that have not ended."""
        return [task for task in self._tasks.values() if not task.done()]

    def _refusal(self, request: HostRequest) -> str | None:
        """Return why a request is refused before it is read; one text serves all, since a guest may send thousands."""
        if len(self._served) + len(self._held) >= _MAX_OPEN:
            return self._no_room
        try:
            self._monitor.check_payload(len(request.args))
        except QuotaExceededError as error:
            return error_text(error)
        return None

    def _start(self, request: HostRequest, context: contextvars.Context) -> None:
        """Serve one request. What the host answers at once is answered here, without a turn of the loop (from 3.12)."""
        if self._held.pop(request.number, None) is None:
            return  # dropped by what another request did
        self._served.add(request.number)
        task = asyncio.Task(self._serve(request), loop=self._loop, context=context.copy(), **_EAGER)
        if not task.done():
            task.set_name(f"plataforma-{self._module}-{request.method[:40]}")
            self._tasks[request.number] = task

    async def _serve(self, request: HostRequest) -> None:
        try:
            result = await self._bridge.call(request.method, codec.decode(request.args))
            line = f"v{request.number} {codec.encode(result)}"
        except Exception as error:  # noqa: BLE001 - crosses as data
            line = f"x{request.number} {error_text(error)}"
        self._tasks.pop(request.number, None)
        if request.number in self._served:
            self._served.discard(request.number)
            self._answer(line, request.call)
