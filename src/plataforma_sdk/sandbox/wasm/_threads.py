"""Guests in threads: what outlives its first slice, or all of it, runs beside the event loop.

Two uses. `WasmEngine(threads=2)` keeps calls on fibers and their first slice inline, and gives what goes on computing
to threads: two compute-bound modules use two cores. The fallback, `mode="threads"`, runs every pump there, since
wasmtime-py cannot suspend a guest.

Either way the loop lends a guest's store to one thread for a *turn*, and touches it again when the turn has ended.
What the guest asks of its host at once, the loop's thread does while the guest's thread waits: services, meters and
permissions are the loop's, and no lock of theirs is needed.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
from typing import Final

from plataforma_sdk.errors import HostCallError
from plataforma_sdk.sandbox.wasm._fibers import Resumable
from plataforma_sdk.sandbox.wasm._host import STEP, error_text
from plataforma_sdk.sandbox.wasm._wasi import GuestHost
from plataforma_sdk.sandbox.wasm._workers import WorkerThreads

__all__ = ["RelayedHost", "ThreadScheduler"]

_TURN_S: Final = 0.010
"""How long a thread keeps a guest that does not end: long beside the 0.1 ms that handing over costs, short enough for
guests to take turns where there are more of them than threads."""

_PATIENCE_S: Final = 0.1


class ThreadScheduler:
    """Runs the guests of one loop in threads, a turn at a time.

    Args:
        loop: the guests' loop.
        workers: the threads.
        is_inline: whether a first slice runs in the loop's thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, workers: WorkerThreads, *, is_inline: bool) -> None:
        self.is_inline = is_inline
        self._loop = loop
        self._workers = workers

    def add(self, fiber: Resumable, /) -> None:
        """Run a guest until it has ended; a guest that has had its share of the processor waits for more."""
        delay = fiber.delay_s()
        if delay > 0.0:
            self._loop.call_later(delay, self.add, fiber)
        elif fiber.lend():
            self._workers.submit(functools.partial(self._run_turn, fiber))

    def _run_turn(self, fiber: Resumable) -> None:
        """Run slices, in a thread."""
        until = time.monotonic() + _TURN_S
        has_ended, cpu_ms = fiber.run_slice()
        while not has_ended and time.monotonic() < until and not self._workers.is_ending:
            has_ended, more_ms = fiber.run_slice()
            cpu_ms += more_ms
        try:
            self._loop.call_soon_threadsafe(self._settle, fiber, has_ended, cpu_ms)
        except RuntimeError:  # the loop is closed, and nobody else will
            fiber.take_back()

    def _settle(self, fiber: Resumable, has_ended: bool, cpu_ms: float) -> None:
        fiber.take_back()
        if not fiber.settle(has_ended, cpu_ms) and not self._workers.is_ending:
            self.add(fiber)


class _Answer:
    """Of the host, for a guest's thread that waits for it."""

    __slots__ = ("_lock", "value")

    def __init__(self) -> None:
        self.value: tuple[bool, bytes] = (False, b"")
        self._lock = threading.Lock()
        self._lock.acquire()

    def give(self, value: tuple[bool, bytes]) -> None:
        """Wake the thread that waits."""
        self.value = value
        self._lock.release()

    def has_come(self) -> bool:
        """Wait for a while."""
        return self._lock.acquire(timeout=_PATIENCE_S)


class RelayedHost:
    """The host of a guest that may run in any thread: immediate calls are served in the thread of the loop.

    Asking costs about 50 µs and a turn of the loop. What needs nothing of the host is answered in place: the clock,
    random bytes, the beginning of a step. So an injected `Clock` is read in the guest's thread.

    Args:
        host: the guest's host.
        loop: its loop; the thread that makes this is the loop's.
        workers: the threads that guests run in.
    """

    def __init__(self, host: GuestHost, loop: asyncio.AbstractEventLoop, workers: WorkerThreads) -> None:
        self.clock = host.clock
        self.random_bytes = host.random_bytes
        self._host = host
        self._loop = loop
        self._workers = workers
        self._thread = threading.get_ident()
        self._context = contextvars.copy_context()

    @property
    def is_ending(self) -> bool:
        """Whether the process ends, and the guest is to end with it."""
        return self._workers.is_ending

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Serve an immediate call; never raises."""
        if method == STEP or threading.get_ident() == self._thread:
            return self._host.serve_now(method, payload)
        answer = _Answer()
        try:
            self._loop.call_soon_threadsafe(self._serve, answer, method, payload, context=self._context.copy())
        except RuntimeError:
            return self.refuse()
        while not answer.has_come():
            if self._loop.is_closed() or self._workers.is_ending:
                return self.refuse()
        return answer.value

    def _serve(self, answer: _Answer, method: bytes, payload: bytes) -> None:
        """In the loop's thread."""
        answer.give(self._host.serve_now(method, payload))

    def refuse(self) -> tuple[bool, bytes]:
        """Answer for a host that is gone."""
        return False, error_text(HostCallError("ModuleStateError", "the host has ended")).encode()
