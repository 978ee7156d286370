"""`WasmInstance`: one module behind the boundary, as the host sees it."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleError, ModuleStateError, PlataformaError, SandboxCrashedError
from plataforma_sdk.sandbox._deadline import CallDeadline
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._calls import PendingCall
from plataforma_sdk.sandbox.wasm._pump import Pump
from plataforma_sdk.sandbox.wasm._resume_memory import Captured, capture, require_images
from plataforma_sdk.sandbox.wasm._traps import limit_error

__all__ = ["WasmInstance"]

_GRACE_S: Final = 0.1
"""How long a guest has to end a call that is cancelled; after that the instance is ended."""

_CLOSE_S: Final = 1.0


class WasmInstance:
    """One module in a WebAssembly instance of its own.

    Belongs to the event loop that loaded it. Calls interleave at awaits.

    Args:
        context: limits, meters and identity of the module.
        pump: runs the guest.
    """

    def __init__(self, context: EngineContext, pump: Pump) -> None:
        self._module = context.module_id
        self._limits = context.limits
        self._monitor = context.monitor
        self._pump = pump
        self._is_closed = False
        self._finalizer = weakref.finalize(self, _dispose, asyncio.get_running_loop(), pump, self._closed_error())
        self._finalizer.atexit = False

    @property
    def is_poisoned(self) -> bool:
        """Whether a hard limit or a crash has ended the instance."""
        return self._pump.ended is not None and not self._is_closed

    async def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call into the module; see `Instance.call`. A call that does not wait costs no turn of the loop.

        Cancelling it cancels the guest's task; a guest that does not end it within 0.1 s is ended itself.
        """
        if self._is_closed or self._pump.ended is not None or not function.isidentifier():
            self._check_usable(function)
        payload = _arguments(args, kwargs) if args or kwargs else "[]"
        if len(payload) > self._monitor.limits.max_payload_bytes:
            self._monitor.check_payload(len(payload))
        call = self._pump.call(function, payload)
        if not call.is_done:
            await self._wait(call)
        return call.result()

    @property
    def is_parked(self) -> bool:
        """Whether its memory is put away; the next message to it, an answer of the host for one, brings it back."""
        return self._pump.parking.is_taken

    async def park(self, *, quiet_s: float | None = None) -> bool:
        """Put its memory away; see `Parkable`."""
        return not self._is_closed and await self._pump.parking.park(quiet_s=quiet_s)

    async def close(self) -> None:
        """Free everything; running calls end with `ModuleStateError`. A second call does nothing."""
        self._is_closed = True
        self._finalizer.detach()
        tasks = self._pump.open_tasks()
        self._pump.end(self._closed_error())
        tasks = [task for task in tasks if task is not asyncio.current_task()]
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)

    async def capture(self) -> Captured:
        """Write down the guest's memory and what is under way in it; the guest goes on, a parked one is woken.

        Raises:
            SandboxError: it is computing now, or its memory cannot be read here.
        """
        await require_images()
        await self._pump.parking.wake()
        return capture(self._pump, self._limits)

    def _check_usable(self, function: str) -> None:
        ended = self._pump.ended
        if self._is_closed:
            raise self._closed_error()
        if ended is not None:
            raise ModuleStateError(
                f"Module {self._module!r} was ended and must be replaced: {ended.message}",
                module=self._module,
                state="failed",
            )
        if not function.removeprefix("@").isidentifier():
            raise ModuleError(f"Module {self._module!r} has no public method {function!r}", module=self._module)

    async def _wait(self, call: PendingCall) -> None:
        deadline = CallDeadline(self._limits.max_call_ms)
        try:
            async with deadline:
                await self._pump.wait_for(call)
        except TimeoutError:
            await self._end_late(call, deadline.elapsed_ms)
        except asyncio.CancelledError:
            self._abandon(call)
            raise

    async def _end_late(self, call: PendingCall, elapsed_ms: float) -> None:
        """Let the guest end the call in order, within a grace; else end the guest."""
        error = limit_error("call_time", module=self._module, limits=self._limits, used=elapsed_ms)
        self._pump.cancel(call)
        if not call.is_done:
            try:
                await asyncio.wait([self._pump.wait_for(call)], timeout=_GRACE_S)
            except asyncio.CancelledError:
                self._abandon(call)
                raise
        if not call.is_done:
            self._pump.end(error)
        raise error

    def _abandon(self, call: PendingCall) -> None:
        self._pump.cancel(call)
        if not call.is_done:
            asyncio.get_running_loop().call_later(_GRACE_S, self._end_abandoned, call)

    def _end_abandoned(self, call: PendingCall) -> None:
        if not call.is_done:
            self._pump.end(
                SandboxCrashedError(
                    f"Module {self._module!r} did not stop within {_GRACE_S} s when a call was cancelled; "
                    "its instance is ended: do not catch CancelledError without raising it again",
                    module=self._module,
                )
            )

    def _closed_error(self) -> PlataformaError:
        return ModuleStateError(f"Module {self._module!r} is closed", module=self._module, state="unloaded")


def _dispose(loop: asyncio.AbstractEventLoop, pump: Pump, error: PlataformaError) -> None:
    """Free an instance that nobody closed; the collector may run in any thread, the pump belongs to its loop."""
    if loop.is_closed():
        pump.abandon(error)
    else:
        loop.call_soon_threadsafe(pump.end, error)


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    if not kwargs:
        return codec.encode(args)
    return codec.encode({"args": args, "kwargs": kwargs})
