"""Threads that run guests: started as they are needed, with stacks that a guest cannot overflow."""

from __future__ import annotations

import atexit
import functools
import logging
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, Queue
from typing import Final

__all__ = ["STACK_BYTES", "WorkerThreads"]

STACK_BYTES: Final = 16 * 1024 * 1024
"""Address space, not memory. With 512 KB a guest that recurses is a segmentation fault of the host, proven."""

_IDLE_S: Final = 30.0
_EXIT_S: Final = 2.0
_EXIT_STEP_S: Final = 0.002
_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.wasm")
_START: Final = threading.Lock()
"""Held while the process-wide stack size for new threads is ours."""


class WorkerThreads:
    """At most so many threads; each takes the next job, and ends when there has been none for half a minute.

    The threads are daemons: an idle one must not keep the process. One that runs a guest when the process ends is asked
    to come to an end first, by `is_ending`: a thread that is killed inside machine code takes the process with it.

    Args:
        max_threads: how many jobs may run at once.
        name: of the threads.

    Attributes:
        is_ending: whether the process ends, and jobs are to end at once.
    """

    def __init__(self, max_threads: int, name: str = "plataforma-wasm") -> None:
        self.is_ending = False
        self._max = max_threads
        self._name = name
        # not a SimpleQueue: where another thread takes the item as its time runs out, that of 3.11 waits for ever
        self._jobs: Queue[Callable[[], None] | None] = Queue()
        self._lock = threading.Lock()
        self._threads = 0
        self._pending = 0
        self._is_shrunk = False
        _LIVE.add(self)
        _watch_exit()

    @property
    def is_idle(self) -> bool:
        """Whether no job waits or runs."""
        return self._pending == 0

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job, which must not raise, in a thread; it waits where all threads are taken."""
        with self._lock:
            self._pending += 1
            self._is_shrunk = False
            must_start = self._pending > self._threads and self._threads < self._max
            if must_start:
                self._threads += 1
        self._jobs.put(job)
        if must_start:
            self._start()

    def shrink(self) -> None:
        """End the threads that have nothing to do, and the others after their jobs; a later job starts another."""
        with self._lock:
            self._is_shrunk = True
            idle = self._threads - self._pending
        for _ in range(idle):
            self._jobs.put(None)

    def _start(self) -> None:
        with _START:
            before = threading.stack_size(STACK_BYTES)
            try:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
            finally:
                threading.stack_size(before)

    def _work(self) -> None:
        while True:
            job = self._next()
            if job is not None:
                self._do(job)
                del job  # or an idle thread keeps the guest
                if not self._is_shrunk:
                    continue
            if self._may_end():
                return

    def _next(self) -> Callable[[], None] | None:
        try:
            return self._jobs.get(timeout=_IDLE_S)
        except Empty:
            return None

    def _do(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:  # noqa: BLE001 - the next job must not suffer for it
            _LOG.exception("A job of the wasm engine's threads failed")
        with self._lock:
            self._pending -= 1

    def _may_end(self) -> bool:
        """Whether the others suffice for the jobs there are; if so, this thread is no longer counted."""
        with self._lock:
            if self._pending >= self._threads:
                return False
            self._threads -= 1
            return True


_LIVE: Final[weakref.WeakSet[WorkerThreads]] = weakref.WeakSet()


@functools.cache
def _watch_exit() -> None:
    atexit.register(_end_guests)


def _end_guests() -> None:
    """Let no thread be inside a guest when the interpreter goes."""
    live = list(_LIVE)
    for workers in live:
        workers.is_ending = True
    deadline = time.monotonic() + _EXIT_S
    while time.monotonic() < deadline and not all(workers.is_idle for workers in live):
        time.sleep(_EXIT_STEP_S)
