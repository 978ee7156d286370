"""One thread with one connection to a database: the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

__all__ = ["DatabaseWorker", "SqliteWorker"]

T = TypeVar("T")


class _Connection(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Connection)


class DatabaseWorker(Generic[C]):
    """Runs jobs one after another on a thread of its own, with a connection that only this thread touches."""

    def __init__(self, connect: Callable[[], C], *, name: str) -> None:
        """Take how to open the connection; thread and connection come to be with the first job."""
        self._connect = connect
        self._connection: C | None = None
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def connection(self) -> C | None:
        """The connection, for `sqlite3.Connection.interrupt` alone: every other method belongs to the thread."""
        return self._connection

    def submit(self, job: Callable[[C], T]) -> Future[T]:
        """Queue a job from any thread.

        Raises:
            RuntimeError: the worker is closed.
        """
        with self._lock:
            return self._executor.submit(self._work, job)

    async def run(self, job: Callable[[C], T]) -> T:
        """Queue a job and wait for it; if the waiting task is cancelled, a job that has begun still ends."""
        return await asyncio.wrap_future(self.submit(job))

    async def close(self) -> None:
        """Let the jobs end that were queued before, then close the connection; a second call does nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            last = self._executor.submit(self._disconnect)
            self._executor.shutdown(wait=False)
        await asyncio.wrap_future(last)

    def _work(self, job: Callable[[C], T]) -> T:
        if self._connection is None:
            self._connection = self._connect()
        return job(self._connection)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


SqliteWorker = DatabaseWorker[sqlite3.Connection]
