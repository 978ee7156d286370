"""Interrupts guests whose calls block: every few milliseconds of a running guest wasmtime asks whether it may go on.

It asks in the guest's own thread, on the guest's stack, by a callback that may hold the guest or end it. Each guest is
asked for itself, so one is ended and its neighbours on the same engine are not.

Source: wasmtime C API, ``wasmtime_store_epoch_deadline_callback``.
"""

from __future__ import annotations

import ctypes
import functools
import threading
import time
from collections.abc import Mapping
from ctypes import c_void_p
from typing import Any, Final

from wasmtime import Engine, Store, WasmtimeError
from wasmtime import _bindings as ffi

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._binding import Pointer
from plataforma_sdk.sandbox.wasm._compiled import CompiledRunner
from plataforma_sdk.sandbox.wasm._host import STEP
from plataforma_sdk.sandbox.wasm._share import CpuShare
from plataforma_sdk.sandbox.wasm._steps import StepClock
from plataforma_sdk.sandbox.wasm._threads import RelayedHost
from plataforma_sdk.sandbox.wasm._traps import limit_error

__all__ = ["Ticker", "WatchedHost", "ticker_of"]

_TICK_S: Final = 0.005
_QUIET_TICKS: Final = 200
_HOLD_S: Final = 0.1


class WatchedHost:
    """The host of a guest, which also says at each tick whether the guest may go on.

    Attributes:
        is_dropped: set where nobody wants the guest any more.
        refusal: the limit that ended it.
    """

    def __init__(self, host: RelayedHost, limits: ResourceLimits, module: str) -> None:
        self.clock = host.clock
        self.random_bytes = host.random_bytes
        self.is_dropped = threading.Event()
        self.refusal: PlataformaError | None = None
        self._host = host
        self._limits = limits
        self._module = module
        self._steps = StepClock()
        self._share = CpuShare(limits.max_cpu_ms_per_s, host.clock)
        self._spent_s = time.thread_time()
        self._is_loading = True

    def begin(self, *, is_loading: bool) -> None:
        """A call begins, in the thread that runs it."""
        self._is_loading = is_loading
        self._steps.begin_pump()
        self._steps.begin_slice()
        self._spent_s = time.thread_time()

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Serve an immediate call; never raises."""
        if self.is_dropped.is_set():
            return self._host.refuse()
        if method == STEP:
            self._steps.begin_step()
        return self._host.serve_now(method, payload)

    def on_tick(self) -> str | None:
        """Return why the guest is to end here, or None; hold it while it has used more than its share."""
        used = self._steps.running_ms()
        if self._must_end():
            return "dropped by its host"
        if used > self._limits.max_step_ms and not self._is_loading:
            self.refusal = limit_error("step_time", module=self._module, limits=self._limits, used=used)
            return "its step took too long"
        now = time.thread_time()
        self._share.spend((now - self._spent_s) * 1_000)
        self._spent_s = now
        while (delay := self._share.delay_s()) > 0.0 and not self._must_end():
            self.is_dropped.wait(min(delay, _HOLD_S))
        return None

    def _must_end(self) -> bool:
        return self.is_dropped.is_set() or self._host.is_ending


class Ticker:
    """Makes wasmtime ask, every 5 ms of a running guest, whether it may go on. One for each engine.

    Used as ``with``: ticks while somebody is inside, and a second longer, since another call is likely.

    Args:
        engine: the engine, of the profile `STOCK`.
        hosts: store context -> host.
    """

    def __init__(self, engine: Engine, hosts: Mapping[Pointer, Any]) -> None:
        self._engine = engine
        self._hosts = hosts
        _, on_tick, _, on_freed = ffi._wasmtime_store_epoch_deadline_callback.argtypes  # noqa: SLF001
        self._on_tick = on_tick(self._ask)
        self._on_freed = on_freed(lambda _: None)
        self._lock = threading.Lock()
        self._running = 0
        self._is_wanted = threading.Event()
        threading.Thread(target=self._tick, name="plataforma-wasm-ticker", daemon=True).start()

    def watch(self, store: Store) -> None:
        """Ask for this store too."""
        ffi.wasmtime_store_epoch_deadline_callback(store.ptr(), self._on_tick, None, self._on_freed)
        store.set_epoch_deadline(1)

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1
            if self._running == 1:
                self._is_wanted.set()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1

    def _tick(self) -> None:
        quiet = 0
        while True:
            self._is_wanted.wait()
            time.sleep(_TICK_S)
            self._engine.increment_epoch()
            quiet = 0 if self._running else quiet + 1
            if quiet > _QUIET_TICKS:
                self._rest()

    def _rest(self) -> None:
        with self._lock:
            if not self._running:
                self._is_wanted.clear()

    def _ask(self, context: Any, _data: Any, delta: Any, kind: Any) -> int:
        """Answer wasmtime, on the guest's stack: nothing may be raised here."""
        try:
            host = self._hosts.get(ctypes.cast(context, c_void_p).value or 0)
            reason = "unknown to its host" if host is None else host.on_tick()
        except BaseException as error:  # noqa: BLE001
            reason = f"its host failed: {type(error).__name__}"
        if reason is None:
            delta[0], kind[0] = 1, 0
            return 0
        return int(ctypes.cast(WasmtimeError(f"the guest was ended: {reason}")._consume(), c_void_p).value or 0)  # noqa: SLF001


@functools.cache
def ticker_of(compiled: CompiledRunner) -> Ticker:
    """Return the ticker of a compiled runner's engine; it lives as long as the process, as the engine does."""
    return Ticker(compiled.engine, compiled.hosts)
