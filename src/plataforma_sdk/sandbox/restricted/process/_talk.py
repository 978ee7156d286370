"""One conversation with a worker: the calls that are open, and how the whole thing ends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
from collections.abc import Callable
from typing import Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, PlataformaError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.restricted.process._allowance import EXIT_MEMORY
from plataforma_sdk.sandbox.restricted.process._channel import Channel
from plataforma_sdk.sandbox.restricted.process._errors import read_error, rebuilt
from plataforma_sdk.sandbox.restricted.process._requests import HostRequests
from plataforma_sdk.sandbox.restricted.process._wire import (
    FRAME_SLACK_BYTES,
    Ask,
    BreachError,
    ClockRead,
    Drop,
    Ready,
    Reply,
    read_worker,
)
from plataforma_sdk.workers import WorkerProcess

__all__ = ["Conversation", "PendingCall"]

_REAP_TURN_S: Final = 0.001
_REAP_S: Final = 5.0


@attrs.define(eq=False)
class PendingCall:
    """A call that the worker has not answered.

    Attributes:
        number: its number on the wire.
        context: the caller's context variables, in which host functions are served.
        future: the decoded result.
    """

    number: int
    context: contextvars.Context
    future: asyncio.Future[Any]

    def succeed(self, value: Any) -> None:
        """End it; one whose caller has gone is left alone."""
        if not self.future.done():
            self.future.set_result(value)

    def fail(self, error: PlataformaError) -> None:
        """End it by an error, as `succeed` does."""
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # nobody need be waiting: no warning then


class Conversation:
    """Speaks with one worker until one of the two ends it.

    Args:
        context: bridge, limits and meters of the module.
        worker: its process; killed with the conversation.

    Attributes:
        ended: what ended it, or None.
    """

    def __init__(self, context: EngineContext, worker: WorkerProcess) -> None:
        self.ended: PlataformaError | None = None
        self._module = context.module_id
        self._limits = context.limits
        self._monitor = context.monitor
        self._worker = worker
        self._loop = asyncio.get_running_loop()
        self._base = contextvars.copy_context()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._calls: dict[int, PendingCall] = {}
        self._last = 0
        self._is_lost = False
        self._reaper: asyncio.Task[None] | None = None
        self._cancelled: list[asyncio.Task[None]] = []
        self._channel = Channel(
            worker.socket, context.limits.max_payload_bytes + FRAME_SLACK_BYTES, self._on_frame, self._on_lost
        )
        self._requests = HostRequests(context, self._channel, self._context_of)
        self._handlers: dict[type, Callable[[Any], None]] = {
            Reply: self._on_reply,
            Ask: self._on_ask,
            Drop: lambda drop: self._requests.drop(drop.number),
            ClockRead: self._requests.tell_time,
            Ready: self._on_ready,
        }

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked any more, though what ended it may not be known yet."""
        return self._is_lost or self.ended is not None

    # --- asking ------------------------------------------------------------------------------------------------------

    async def load(self, bundle: bytes) -> None:
        """Wait until the worker has started, then have it load a module: call 0."""
        await self._ready
        call = self._open(0)
        self._channel.send(b"l" + bundle)
        await call.future

    def call(self, function: str, args: str, kwargs: str) -> PendingCall:
        """Begin a call in the current context."""
        self._last += 1
        call = self._open(self._last)
        self._channel.send(f"c{call.number} {function}\n{args}\n{kwargs}".encode())
        return call

    def _open(self, number: int) -> PendingCall:
        call = PendingCall(number, contextvars.copy_context(), self._loop.create_future())
        if self.ended is None:
            self._calls[number] = call
        else:
            call.fail(rebuilt(self.ended))
        return call

    def cancel(self, call: PendingCall) -> None:
        """Ask the worker to stop a call; it stays open until it is answered."""
        if call.number in self._calls:
            self._channel.send(b"k%d" % call.number)

    def is_open(self, number: int) -> bool:
        """Whether a call has not been answered."""
        return number in self._calls

    # --- the end -----------------------------------------------------------------------------------------------------

    def end(self, error: PlataformaError) -> None:
        """Kill the worker and fail every open call; the first end counts."""
        if self.ended is not None:
            return
        self.ended = error
        self._channel.close()
        self._worker.kill()
        self._reap()
        self._cancelled += self._requests.close()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.fail(rebuilt(error))
        if not self._ready.done():
            self._ready.set_exception(rebuilt(error))
            self._ready.exception()  # as in `PendingCall.fail`

    async def wait_closed(self, timeout_s: float) -> None:
        """Wait until the process is reaped and what it had asked for is cancelled; nothing is left afterwards."""
        current = asyncio.current_task()
        tasks = [task for task in self._cancelled if task is not current]
        if self._reaper is not None:
            await asyncio.wait([self._reaper])
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)

    def _on_lost(self, breach: BreachError | None) -> None:
        self._is_lost = True
        self._worker.kill()  # changes nothing for one that is ending by itself
        if breach is not None:
            self.end(self._crash(f"broke the rules of its wire and was killed ({breach})"))
        else:
            self._reap()

    def _reap(self) -> None:
        if self._reaper is None:
            self._reaper = self._loop.create_task(self._find_cause(), name=f"plataforma-reaper-{self._module}")

    async def _find_cause(self) -> None:
        self.end(self._cause(await _exit_status(self._worker)))

    def _cause(self, status: int | None) -> PlataformaError:
        if status == EXIT_MEMORY:
            limit = self._limits.max_memory_bytes
            return ResourceLimitError("memory", limit=limit, unit="bytes", module=self._module)
        if status == -signal.SIGXCPU:
            return ResourceLimitError("step_time", limit=self._limits.max_step_ms, unit="ms", module=self._module)
        if status is None or status >= 0:
            return self._crash(f"ended with status {status}")
        return self._crash(f"was killed by signal {-status} ({signal.Signals(-status).name})")

    def _crash(self, how: str) -> SandboxCrashedError:
        return SandboxCrashedError(
            f"The worker of module {self._module!r} {how}; its instance is replaced, or load the module again",
            module=self._module,
        )

    # --- frames ------------------------------------------------------------------------------------------------------

    def _on_frame(self, body: bytes) -> None:
        message = read_worker(body)
        self._handlers[type(message)](message)

    def _on_ready(self, _: Ready) -> None:
        if self._ready.done():
            raise BreachError("it was ready already")
        self._ready.set_result(None)

    def _on_ask(self, ask: Ask) -> None:
        if ask.number is None:
            self._requests.answer(ask)
        else:
            self._requests.begin(ask)

    def _on_reply(self, reply: Reply) -> None:
        self._count(reply)
        if reply.kind == "p":
            self.end(read_error(reply.payload, self._module))
            return
        call = self._calls.get(reply.call)
        if call is None:
            raise BreachError(f"it answered call {reply.call}, which is not open")
        if reply.kind == "e":
            call.fail(read_error(reply.payload, self._module))
        else:
            call.succeed(None if reply.payload == b"null" else _value(reply.payload))
        del self._calls[reply.call]  # not before: what is not readable must end this call with all others

    def _count(self, reply: Reply) -> None:
        self._monitor.add_cpu(reply.cpu_us / 1_000)
        self._monitor.add_fuel(reply.fuel)
        self._monitor.set_memory(reply.memory_bytes)

    def _context_of(self, number: int) -> contextvars.Context:
        call = self._calls.get(number)
        return self._base if call is None else call.context


def _value(payload: bytes) -> Any:
    try:
        return codec.decode(payload)
    except CodecError as error:
        raise BreachError(f"no value: {error.message}") from None


async def _exit_status(worker: WorkerProcess) -> int | None:
    """Wait for the end of a process that was killed or has gone, and return its status."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REAP_S):
            while worker.is_running:  # noqa: ASYNC110 - a child's end is no event without a signal handler or a thread
                await asyncio.sleep(_REAP_TURN_S)
    status: int | None = worker.process.returncode
    return status
