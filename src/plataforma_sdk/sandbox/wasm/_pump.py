"""The host's end of the wire: batches the inbox, runs one pump at a time, serves the outbox.

A pump runs inline where the guest is idle, so a call that does not wait costs no turn of the event loop. What outlives
its first slice goes to the scheduler; messages that arrive meanwhile wait for the next pump.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any, Final, NoReturn

from plataforma_sdk import codec
from plataforma_sdk.errors import (
    PlataformaError,
    QuotaExceededError,
    ResourceLimitError,
    SandboxCrashedError,
)
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._calls import HostRequest, PendingCall
from plataforma_sdk.sandbox.wasm._faults import GuestFaults
from plataforma_sdk.sandbox.wasm._fibers import Scheduler, scheduler_of
from plataforma_sdk.sandbox.wasm._guest_protocol import Guest
from plataforma_sdk.sandbox.wasm._host import InstanceHost
from plataforma_sdk.sandbox.wasm._outbox import read_outbox
from plataforma_sdk.sandbox.wasm._parking import Parking
from plataforma_sdk.sandbox.wasm._requests import HostRequests
from plataforma_sdk.sandbox.wasm._share import CpuShare
from plataforma_sdk.sandbox.wasm._steps import StepClock
from plataforma_sdk.sandbox.wasm._timer import GuestTimer
from plataforma_sdk.sandbox.wasm._traps import DEFAULT_FUEL
from plataforma_sdk.sandbox.wasm._unfinished import Unfinished

__all__ = ["Pump"]

_LONG_PUMP_FUEL: Final = 400_000
_MOST_PUMPS: Final = 100
_SHORT_BYTES: Final = 4_096
_MEASURE_EVERY: Final = 64
"""Memory is measured after pumps that could have allocated much, and now and then: it costs a system call."""


class Pump:
    """Runs one guest.

    Args:
        context: the module's bridge, limits, meters and clock.
        make_store: makes the guest's store for a host.
        scheduler: runs what outlives its first slice; by default the loop itself does, slice by slice.

    Attributes:
        ended: what ended the guest: a hard limit, a crash, or None while it lives.
        parking: puts its memory away, until something is to be pumped.
    """

    def __init__(
        self,
        context: EngineContext,
        make_store: Callable[[InstanceHost], Guest],
        scheduler: Scheduler | None = None,
    ) -> None:
        self.ended: PlataformaError | None = None
        self._module = context.module_id
        self._limits = context.limits
        self._monitor = context.monitor
        self._clock = context.clock
        self._fuel = context.limits.max_fuel or DEFAULT_FUEL
        self._loop = asyncio.get_running_loop()
        self._scheduler = scheduler or scheduler_of(self._loop)
        self._share = CpuShare(context.limits.max_cpu_ms_per_s, context.clock)
        self._base_context = contextvars.copy_context()
        self._calls: dict[int, PendingCall] = {}
        self._last_call = 0
        self._inbox: list[str] = []
        self._riders: set[PendingCall] = set()
        self._budget = 0
        self._requests = HostRequests(context, self._answer)
        self._timer = GuestTimer(self._loop, context.clock, self.pump)
        self._faults = GuestFaults(context.module_id, context.limits)
        self._is_woken = False
        self._is_long = False
        self._has_requests = False
        self._on_loaded: asyncio.Future[tuple[bool, bytes]] | None = None
        self._steps = StepClock()
        self._pumps = 0
        self._host = InstanceHost(context, context_of_call=self._context_of, on_step=self._steps.begin_step)
        self._store = make_store(self._host)
        self._monitor.set_memory(self._store.memory.measure())
        self.parking = Parking(
            self._store.memory, self._monitor, can_park=self._can_park, on_awake=self.pump, on_lost=self.end
        )

    # --- what the instance asks ------------------------------------------------------------------------------------

    async def load(self, bundle: bytes, config: bytes) -> dict[str, Any]:
        """Load the module's code; synchronous code may take longer than a step here.

        Raises:
            PlataformaError: what the guest raised, or what ended it.
        """
        on_loaded = self._on_loaded = self._loop.create_future()
        self._budget = self._fuel
        self._store.begin(self._store.load, self._budget, bundle, config)
        self._start()
        is_ok, text = await on_loaded  # by its name: a small guest has loaded, and `_on_loaded` is None, by now
        self._monitor.set_memory(self._store.memory.measure())
        return self._faults.answer_of_load(is_ok, text, self._store.memory.size_bytes)

    def call(self, function: str, payload: str) -> PendingCall:
        """Begin a call, and run it at once where the guest is idle."""
        self._last_call += 1
        call = PendingCall(self._last_call, self._fuel)
        self._calls[call.number] = call
        self._send(f"c{call.number} {function} {payload}", call)
        self.pump()
        return call

    def wait_for(self, call: PendingCall) -> asyncio.Future[None]:
        """Return a future that is done when the call is; host functions run in the caller's context from now on."""
        call.waiter = self._loop.create_future()
        call.context = contextvars.copy_context()
        if call.is_done:
            call.waiter.set_result(None)
        self._requests.release(call, call.context)
        self.pump()  # what the host answered at once needs no turn of the loop
        return call.waiter

    def cancel(self, call: PendingCall) -> None:
        """Ask the guest to stop serving a call."""
        if call.is_done or call.is_cancelled:
            return
        call.is_cancelled = True
        self._send(f"k{call.number}", call)
        self.pump()

    def end(self, error: PlataformaError) -> None:
        """End the guest and everything that it does; a second call does nothing."""
        if self.ended is not None:
            return
        self.ended = error
        self._timer.clear()
        self._requests.close()
        self.parking.forget()
        self._store.drop()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.settle(error=error)
        if self._on_loaded is not None and not self._on_loaded.done():
            self._on_loaded.set_exception(error)

    def abandon(self, error: PlataformaError) -> None:
        """Free the guest after its loop has been closed: its tasks and timers went with the loop."""
        if self.ended is None:
            self.ended = error
            self._store.drop()

    def adopt(self, left: Unfinished, refusal: str) -> None:
        """Go on with a guest that ran elsewhere; nothing runs before `wake`.

        Args:
            left: what is under way in it.
            refusal: the error, encoded, that answers what it awaits.
        """
        self._last_call = left.last_call
        self._calls = {number: PendingCall(number, self._fuel) for number in left.calls}
        for number in sorted(left.requests):
            self._send(f"x{number} {refusal}", None)
        if left.timer is not None:
            self.on_timer(left.timer)

    def unfinished(self) -> Unfinished | None:
        """Return what is under way in the guest, once it has been told all that is waiting; None while it runs."""
        for _ in range(_MOST_PUMPS):  # its host may answer at once, which is more to be told
            self.pump()
            if not (self._inbox or self._timer.is_due):
                break
        is_running = self._store.is_busy or self.parking.is_taken
        if self.ended is not None or is_running or self._inbox or self._timer.is_due:
            return None
        return Unfinished(
            last_call=self._last_call,
            calls=set(self._calls),
            requests=self._requests.numbers(),
            timer=self._timer.when,
            now=self._clock.monotonic(),
        )

    @property
    def guest(self) -> Guest:
        """The guest's store."""
        return self._store

    def open_tasks(self) -> list[asyncio.Task[None]]:
        """Return the host's tasks that still serve the guest."""
        return self._requests.open_tasks()

    def _can_park(self, quiet_s: float | None) -> bool:
        """Whether nothing stands between the guest and its parking; see `Parkable.park`."""
        if self.ended is not None or self._on_loaded is not None or self._store.is_busy or self._inbox:
            return False
        if self._timer.is_due or not getattr(self._store, "can_be_parked", False):
            return False
        if quiet_s is None:
            return True
        return self._timer.is_beyond(quiet_s) and not self._calls and not self.open_tasks()

    # --- one pump at a time ----------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Run the guest on what the inbox holds, unless it is running already."""
        if self.ended is not None or self._store.is_busy or not (self._inbox or self._timer.is_due):
            return
        if self.parking.is_taken:
            self.parking.wake_soon()
            return
        if self._share.is_limited:
            delay = self._share.delay_s()
            if delay > 0.0:
                self._loop.call_later(delay, self.pump)
                return
        text = "\n".join((repr(self._clock.monotonic()), *self._inbox))
        self._inbox.clear()
        self._timer.is_due = False
        self._steps.begin_pump()
        self._budget = max([call.fuel_left for call in self._riders], default=self._fuel)
        self._store.begin(self._store.pump, self._budget, text.encode())
        self._start()

    def _start(self) -> None:
        """Run the first slice at once, where the scheduler has it so, and queue what outlives it."""
        if not (self._scheduler.is_inline and self.resume()):
            self._scheduler.add(self)

    def resume(self) -> bool:
        """Run one slice; see `Resumable`."""
        if self.ended is not None:
            return True
        self._steps.begin_slice()  # as in `run_slice`, once more: most pumps are one slice
        has_ended = self._store.poll()
        return self.settle(has_ended, self._steps.end_slice())

    def run_slice(self) -> tuple[bool, float]:
        """Run one slice in whatever thread; see `Resumable`."""
        self._steps.begin_slice()
        has_ended = self._store.poll()
        return has_ended, self._steps.end_slice()

    def settle(self, has_ended: bool, cpu_ms: float) -> bool:
        """Account for slices that have run and receive what the guest says; see `Resumable`."""
        self._monitor.add_cpu(cpu_ms)
        if self._share.is_limited:
            self._share.spend(cpu_ms)
        if self._host.interrupt is not None:
            self._raise_interrupt(self._host.interrupt)
        if self.ended is not None:
            return True
        if has_ended:
            self._finish()
            return True
        self._is_long = True
        return self._is_step_over()

    def lend(self) -> bool:
        """Give the store to another thread until `take_back`; false where the guest has ended meanwhile."""
        if self.ended is None:
            self._store.lend()
        return self.ended is None

    def take_back(self) -> None:
        """The other thread is done with the store; see `Resumable`."""
        self._store.take_back()

    def delay_s(self) -> float:
        """How long the guest waits for its share of the processor."""
        return 0.0 if self.ended is not None else self._share.delay_s()

    def _is_step_over(self) -> bool:
        used = self._steps.step_ms
        if self._on_loaded is not None or used <= self._limits.max_step_ms:
            return False
        self._meter(self._budget - self._store.fuel_left())
        self.end(self._faults.late(used))
        return True

    def _raise_interrupt(self, interrupt: BaseException) -> NoReturn:
        self._host.interrupt = None
        why = f"Module {self._module!r} was ended by {type(interrupt).__name__}"
        self.end(SandboxCrashedError(why, module=self._module))
        raise interrupt

    def _finish(self) -> None:
        self._meter(self._budget - self._store.fuel_left())
        try:
            is_ok, text = self._store.end()
        except PlataformaError as error:
            self.end(error)
            return
        if self._on_loaded is not None:
            on_loaded, self._on_loaded = self._on_loaded, None
            if not on_loaded.done():
                on_loaded.set_result((is_ok, text))
            return
        self._receive(is_ok, text)
        if self._has_requests:
            self._has_requests = False
            self._requests.begin(self._calls.get)
        if self.ended is None and (self._inbox or self._timer.is_due):
            self.wake()

    def _meter(self, fuel: int) -> None:
        self._monitor.add_fuel(fuel)
        for call in self._riders:
            call.fuel_left = max(1, call.fuel_left - fuel)
        self._riders.clear()
        self._pumps += 1
        if self._is_long or fuel > _LONG_PUMP_FUEL or self._pumps % _MEASURE_EVERY == 0:
            self._is_long = False
            self._monitor.set_memory(self._store.memory.measure())

    # --- messages to the guest -------------------------------------------------------------------------------------

    def _send(self, line: str, rider: PendingCall | None) -> None:
        """Put a line into the inbox; the pump that carries it is charged to `rider`."""
        self._inbox.append(line)
        if rider is not None:
            self._riders.add(rider)

    def wake(self) -> None:
        """Pump in the next turn of the loop, so that what arrives in one turn crosses at once."""
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon(self._on_woken)

    def _on_woken(self) -> None:
        self._is_woken = False
        self.pump()

    # --- messages from the guest -----------------------------------------------------------------------------------

    def _receive(self, is_ok: bool, text: bytes) -> None:
        self._timer.clear()
        try:
            if is_ok and len(text) < _SHORT_BYTES and (line := text.decode()).startswith("r") and "\n" not in line:
                head, _, value = line.partition(" ")  # one call has returned, as in most outboxes
                self.on_return(int(head[1:]), value)
            elif is_ok:
                limit = self._limits.max_payload_bytes
                read_outbox(text, self, max_payload_bytes=limit, module=self._module)
            else:
                self.end(self._faults.of_runner(text, self._store.memory.size_bytes))
        except ResourceLimitError as error:
            self.end(error)
        except Exception as error:  # noqa: BLE001 - a guest's text must not reach the host's loop
            self.end(self._faults.broken(f"{type(error).__name__}: {error}"))

    def on_return(self, number: int, value: str) -> None:
        """See `OutboxReader`."""
        call = self._calls.pop(number)
        try:
            if len(value) > self._monitor.limits.max_payload_bytes:
                self._monitor.check_payload(len(value))
            call.settle(value)
        except QuotaExceededError as error:
            call.settle(error=error)

    def on_raise(self, number: int, text: str) -> None:
        """See `OutboxReader`."""
        data = codec.decode(text)
        error = self._faults.told(data, self._store.memory.size_bytes)
        self._calls.pop(number).settle(error=error)  # only now: what is no error ends the instance and each call
        if "limit" in data:
            self.end(error)

    def on_request(self, request: HostRequest) -> None:
        """See `OutboxReader`."""
        if self.ended is None:
            self._requests.open(request)
            self._has_requests = True

    def on_dropped(self, number: int) -> None:
        """See `OutboxReader`."""
        self._requests.drop(number)

    def on_timer(self, when: float) -> None:
        """See `OutboxReader`."""
        if self.ended is None:
            self._timer.set(when)

    # --- requests and their contexts -------------------------------------------------------------------------------

    def _answer(self, line: str, call: int) -> None:
        if self.ended is None:
            self._send(line, self._calls.get(call))
            self.wake()

    def _context_of(self, number: int) -> contextvars.Context | None:
        call = self._calls.get(number)
        return self._base_context if call is None else call.context
