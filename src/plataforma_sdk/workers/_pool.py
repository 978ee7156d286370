"""Workers that have started before they are needed: an interpreter and its imports take about 0.1 s.

A worker that is taken never comes back: what becomes of it is up to who took it.

Considered and left: forks of one interpreter that has imported everything. They would start in milliseconds and share
its memory, but also its address layout and hash seed, and would be nobody's children but that interpreter's.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.workers._spawn import WorkerProcess

__all__ = ["WorkerPool"]


class WorkerPool:
    """Keeps `spares` workers ready.

    Used as a context manager it starts them ahead of the first use and keeps them between users. It can be opened more
    than once and ends with the last `close`. Safe to use from several threads and event loops.

    Args:
        start: starts one worker; called on a thread that lives as long as the pool is open.
        spares: workers kept ready; 0 starts each when it is asked for.

    >>> from plataforma_sdk.workers import spawn
    >>> with WorkerPool(lambda: spawn("import time; time.sleep(60)", ["plataforma_sdk"]), spares=0) as pool:
    ...     pool.spares
    0
    """

    def __init__(self, start: Callable[[], WorkerProcess], spares: int) -> None:
        if spares < 0:
            raise ValueError(f"spares is 0 or more, not {spares}")
        self.spares = spares
        self._start_worker = start
        self._reset()
        _watch_forks()
        _POOLS.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._ready: deque[WorkerProcess] = deque()
        self._taken: weakref.WeakSet[WorkerProcess] = weakref.WeakSet()
        self._starting = 0
        self._thread: ThreadPoolExecutor | None = None

    # --- opening -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Count one more user."""
        with self._lock:
            self._users += 1
            if self._thread is None:
                # One thread that lives as long as the workers: the kernel ends a worker with the thread that made it.
                self._thread = ThreadPoolExecutor(1, "plataforma-workers")

    def close(self) -> None:
        """Count one user less; the last one ends the spares. End the workers that were taken before."""
        with self._lock:
            self._users = max(0, self._users - 1)
            if self._users:
                return
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()
        with self._lock:
            ended, self._ready = self._ready, deque()
        for worker in ended:
            worker.discard()

    def __enter__(self) -> Self:
        self.open()
        self.replenish()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        self.close()

    # --- taking ------------------------------------------------------------------------------------------------------

    async def take(self) -> WorkerProcess:
        """Return a worker that nobody has used; `replenish` once it is at work.

        Raises:
            SandboxError: none could be started.
            ModuleStateError: the pool is not open.
        """
        while True:
            worker = self._pop()
            if worker is not None:
                return worker
            await asyncio.wrap_future(self._start())

    def _pop(self) -> WorkerProcess | None:
        with self._lock:
            while self._ready:
                worker = self._ready.popleft()
                if worker.is_running:
                    self._taken.add(worker)
                    return worker
                worker.socket.close()
        return None

    def replenish(self) -> None:
        """Start what is missing of the spares. Not part of `take`: a start would slow down the load that waits."""
        with self._lock:
            missing = self.spares - len(self._ready) - self._starting
        for _ in range(missing):
            with contextlib.suppress(ModuleStateError):
                self._start()

    def _start(self) -> Future[None]:
        with self._lock:
            if self._thread is None:
                raise ModuleStateError("The pool of workers is not open")
            self._starting += 1
            return self._thread.submit(self._spawn)

    def _spawn(self) -> None:
        """Add one worker; whoever waits for it takes the first that is ready, so a cancelled load loses none."""
        try:
            worker = self._start_worker()
        finally:
            with self._lock:
                self._starting -= 1
        with self._lock:
            self._ready.append(worker)

    def forget(self) -> None:
        """Drop everything without ending it: after a fork it is the parent's."""
        workers = [*self._ready, *self._taken]
        self._reset()
        for worker in workers:
            worker.discard()


_POOLS: Final[weakref.WeakSet[WorkerPool]] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in list(_POOLS):
        pool.forget()


@functools.cache
def _watch_forks() -> None:
    os.register_at_fork(after_in_child=_after_fork)
