"""Metering by time alone: every fifth of a millisecond a guest that runs yields, and no instruction is counted.

Counting each instruction costs computing code 5 to 10 %. Without, a call has no budget of fuel, and two runs are not
cut into the same slices; wall time, processor time of a step, memory, stack, shares and quotas hold as ever.

Source: wasmtime C API, ``wasmtime_context_epoch_deadline_async_yield_and_update``.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from wasmtime import Engine

from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._binding import Pointer

__all__ = ["EpochTank", "EpochTicker"]

_TICK_S: Final = 0.0002
_QUIET_TICKS: Final = 100
_FIRST_SLICE_TICKS: Final = 2
"""Of a call, so that one of few microseconds does not yield for a tick that was due anyway."""


class EpochTicker:
    """Moves an engine's epoch on while a guest of it computes, and some 20 ms longer, since another call is likely.

    The thread is made for the first call and rests while nothing runs.

    Args:
        engine: the engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._running: dict[Pointer, None] = {}
        self._is_wanted = threading.Event()
        self._is_resting = False
        self._thread: threading.Thread | None = None

    def begin(self, context: Pointer) -> None:
        """A call into this store is under way."""
        self._running[context] = None
        if self._is_resting:
            self._is_wanted.set()
        elif self._thread is None:
            self._thread = threading.Thread(target=self._tick, name="plataforma-wasm-epochs", daemon=True)
            self._thread.start()

    def end(self, context: Pointer) -> None:
        """The call has ended; a second end does nothing."""
        self._running.pop(context, None)

    def _tick(self) -> None:
        quiet = 0
        while True:
            time.sleep(_TICK_S)
            self._engine.increment_epoch()
            quiet = 0 if self._running else quiet + 1
            if quiet > _QUIET_TICKS:
                self._rest()
                quiet = 0

    def _rest(self) -> None:
        """Wait for the next call; the order of the lines is what keeps one that begins just now from being missed."""
        self._is_wanted.clear()
        self._is_resting = True
        if not self._running:
            self._is_wanted.wait()
        self._is_resting = False


class EpochTank:
    """What stands in the place of `FuelTank`: a budget that nothing is taken from.

    Args:
        context: the store's context.
        ticker: of the store's engine.
    """

    __slots__ = ("_budget", "_context", "_ticker")

    def __init__(self, context: Pointer, ticker: EpochTicker) -> None:
        self._context = context
        self._ticker = ticker
        self._budget = 0
        _binding.set_epoch_yield(context)

    def fill(self, fuel: int) -> None:
        """A call begins."""
        self._budget = fuel
        _binding.set_epoch_deadline(self._context, _FIRST_SLICE_TICKS)
        self._ticker.begin(self._context)

    def left(self) -> int:
        """Return what `fill` was given."""
        return self._budget

    def stop(self) -> None:
        """The call has ended."""
        self._ticker.end(self._context)
