"""`ProcessInstance`: one module in a worker, as its host sees it."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleError, ModuleStateError, PlataformaError, ResourceLimitError
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.restricted.process._allowance import memory_growth
from plataforma_sdk.sandbox.restricted.process._errors import rebuilt
from plataforma_sdk.sandbox.restricted.process._resident import resident_bytes
from plataforma_sdk.sandbox.restricted.process._talk import Conversation, PendingCall
from plataforma_sdk.workers import WorkerProcess

__all__ = ["ProcessInstance"]

_CLOSE_S: Final = 1.0
_WATCH_S: Final = 0.5


class ProcessInstance:
    """One module in a process of its own.

    Belongs to the event loop that loaded it. Calls interleave at awaits. The time of a whole call is measured here, so
    a worker that is stuck where its engine does not look is killed when `max_call_ms` has passed.

    Args:
        context: limits, meters and identity of the module.
        worker: its process.
        talk: the conversation with it.
    """

    def __init__(self, context: EngineContext, worker: WorkerProcess, talk: Conversation) -> None:
        self._module = context.module_id
        self._limits = context.limits
        self._monitor = context.monitor
        self._worker = worker
        self._talk = talk
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._memory_limit = (resident_bytes(worker.pid) or 0) + memory_growth(context.limits)
        self._watch: asyncio.TimerHandle | None = None
        self._finalizer = weakref.finalize(self, _dispose, self._loop, worker, talk, self._closed_error())
        self._finalizer.atexit = False
        self._watch_memory(weakref.ref(self))

    @property
    def is_poisoned(self) -> bool:
        """Whether a limit, a breach or a crash has ended the worker."""
        return self._talk.is_over and not self._is_closed

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._worker.pid

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; see `Instance.call`.

        Cancelling it lets the caller go at once and cancels the module's task, which must end within `max_call_ms`.
        """
        self._check_usable(function)
        received = codec.encode(args) if args else "[]"
        named = codec.encode(kwargs) if kwargs else ""
        self._monitor.check_payload(len(received.encode()) + len(named.encode()) - len("[]"))
        deadline = CallDeadline(self._limits.max_call_ms)
        call: PendingCall | None = None
        try:
            async with deadline:
                call = self._talk.call(function, received, named)
                return await call.future
        except TimeoutError:
            raise self._end_late(deadline.elapsed_ms) from None
        except asyncio.CancelledError:
            if call is not None:
                self._abandon(call, deadline)
            raise

    async def close(self) -> None:
        """Kill the worker; running calls end with `ModuleStateError`. A second call does nothing."""
        self._is_closed = True
        if self._watch is not None:
            self._watch.cancel()
        self._talk.end(self._closed_error())
        await self._talk.wait_closed(_CLOSE_S)
        self._finalizer.detach()

    def _check_usable(self, function: str) -> None:
        if self._is_closed:
            raise self._closed_error()
        if self._talk.ended is not None:
            raise rebuilt(self._talk.ended)
        if not function.removeprefix("@").isidentifier():
            raise ModuleError(f"Module {self._module!r} has no public method {function!r}", module=self._module)

    def _closed_error(self) -> PlataformaError:
        return ModuleStateError(f"Module {self._module!r} is closed", module=self._module, state="unloaded")

    # --- limits ------------------------------------------------------------------------------------------------------

    def _end_late(self, elapsed_ms: float) -> ResourceLimitError:
        error = ResourceLimitError(
            "call_time", used=elapsed_ms, limit=self._limits.max_call_ms, unit="ms", module=self._module
        )
        self._talk.end(error)
        return error

    def _abandon(self, call: PendingCall, deadline: CallDeadline) -> None:
        """Have a cancelled call stopped; its deadline goes on without its caller, and keeps neither of them alive."""
        self._talk.cancel(call)
        left_s = max(0.0, self._limits.max_call_ms - deadline.elapsed_ms) / 1_000
        self._loop.call_later(left_s, ProcessInstance._end_abandoned, weakref.ref(self), call.number)

    @staticmethod
    def _end_abandoned(reference: weakref.ref[ProcessInstance], number: int) -> None:
        instance = reference()
        if instance is not None and instance._talk.is_open(number):  # noqa: SLF001 - itself
            instance._end_late(instance._limits.max_call_ms)  # noqa: SLF001

    @staticmethod
    def _watch_memory(reference: weakref.ref[ProcessInstance]) -> None:
        """Kill a worker that is larger than the kernel should have let it become, twice a second."""
        instance = reference()
        if instance is None or instance._talk.is_over:  # noqa: SLF001 - itself
            return
        instance._check_memory()  # noqa: SLF001
        instance._watch = instance._loop.call_later(_WATCH_S, ProcessInstance._watch_memory, reference)  # noqa: SLF001

    def _check_memory(self) -> None:
        resident = resident_bytes(self._worker.pid)
        if resident is not None and resident > self._memory_limit:
            self._talk.end(
                ResourceLimitError(
                    "memory", used=resident, limit=self._memory_limit, unit="bytes of the worker", module=self._module
                )
            )


def _dispose(
    loop: asyncio.AbstractEventLoop, worker: WorkerProcess, talk: Conversation, error: PlataformaError
) -> None:
    """Free an instance that nobody closed; the collector runs in any thread, the conversation belongs to its loop."""
    if loop.is_closed():
        worker.discard()
    else:
        loop.call_soon_threadsafe(talk.end, error)
