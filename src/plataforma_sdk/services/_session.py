"""One module's way into a SQLite file: its own connection and thread, one statement at a time."""

from __future__ import annotations

import asyncio
import datetime
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from decimal import Decimal
from functools import partial
from typing import Any, Final

import attrs

from plataforma_sdk.errors import HostCallError, PlataformaError, QuotaExceededError
from plataforma_sdk.services._authorizer import Authorizer, DatabaseAccess, Tables, read_tables
from plataforma_sdk.services._connection import DatabaseLimits
from plataforma_sdk.services._sql import expanded_size, has_named_placeholder, statement_kind
from plataforma_sdk.services._worker import SqliteWorker
from plataforma_sdk.types import Clock

__all__ = ["DatabaseSession", "Job"]

READS: Final = frozenset({"SELECT", "VALUES", "WITH"})
WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"})
MAX_EXPANDED_CHARS: Final = 64_000_000
PROGRESS_OPS: Final = 2_000
GRACE_S: Final = 1.0
MAX_MESSAGE_CHARS: Final = 300


@attrs.define(eq=False, kw_only=True)
class Job:
    """One statement on its way.

    Attributes:
        is_write: whether `execute` sent it.
        started_at: when the thread took it up, by the clock's monotonic time; None before.
        is_cancelled: set when nobody waits for it any more.
        is_late: set when it was stopped for its time.
    """

    sql: str
    params: Sequence[Any] | Mapping[str, Any]
    access: DatabaseAccess
    is_write: bool
    started_at: float | None = None
    is_cancelled: bool = False
    is_late: bool = False
    authorizer: Authorizer | None = None


class DatabaseSession:
    """Runs statements of one module; every one is a transaction of its own."""

    def __init__(
        self, module: str, connect: Callable[[], sqlite3.Connection], limits: DatabaseLimits, clock: Clock
    ) -> None:
        self._module = module
        self._limits = limits
        self._clock = clock
        self._worker = SqliteWorker(lambda: self._prepare(connect()), name=f"plataforma-db-{module}")
        self._jobs: set[Job] = set()
        self._current: Job | None = None
        self._current_lock = threading.Lock()
        self._tables = Tables()
        self._schema_version = -1

    async def run(self, job: Job) -> Any:
        """Queue a statement and wait; cancelling stops it.

        Raises:
            PlataformaError: as `Database.query` and `Database.execute`.
        """
        self._admit(job)
        self._jobs.add(job)
        try:
            return await self._wait(self._worker.submit(partial(self._work, job)), job)
        except asyncio.CancelledError:
            self._stop(job)
            raise
        except sqlite3.Error as error:  # the file could not be opened
            raise self._translate(error, job) from None
        finally:
            self._jobs.discard(job)

    async def close(self) -> None:
        """Stop the statements that run or wait, and close the connection."""
        for job in self._jobs:
            self._stop(job)
        await self._worker.close()

    # on the event loop

    def _admit(self, job: Job) -> None:
        if len(self._jobs) >= self._limits.max_pending:
            raise self._quota(
                "database_queue", len(self._jobs) + 1, self._limits.max_pending, "statements", "wait for one"
            )
        if not isinstance(job.sql, str):
            raise self._fault("ProgrammingError", "the statement is not a string")
        if len(job.sql.encode("utf-8", "replace")) > self._limits.max_sql_bytes:
            raise self._fault("DataError", f"the statement is longer than {self._limits.max_sql_bytes:,} bytes")

    async def _wait(self, future: Future[Any], job: Job) -> Any:
        waiter = asyncio.wrap_future(future)
        try:
            while True:
                await asyncio.wait({waiter}, timeout=GRACE_S)
                if waiter.done():
                    return waiter.result()
                if self._is_stuck():
                    # one step of SQLite takes longer than its whole time: leave it the thread, not the module's task
                    self._stop(job)
                    raise self._late()
        finally:
            waiter.cancel()
            if waiter.done() and not waiter.cancelled():
                waiter.exception()  # read it: asyncio would report it as never retrieved

    def _is_stuck(self) -> bool:
        current = self._current
        if current is None or current.started_at is None:
            return False
        return self._clock.monotonic() - current.started_at > self._limits.max_query_ms / 1000 + GRACE_S

    def _stop(self, job: Job) -> None:
        job.is_cancelled = True
        with self._current_lock:
            if self._current is job and self._worker.connection is not None:
                self._worker.connection.interrupt()

    # on the thread

    def _prepare(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        connection.set_progress_handler(self._must_stop, PROGRESS_OPS)
        return connection

    def _must_stop(self) -> bool:
        job = self._current
        if job is None or job.started_at is None:
            return False
        if self._clock.monotonic() - job.started_at > self._limits.max_query_ms / 1000:
            job.is_late = True
        return job.is_late or job.is_cancelled

    def _work(self, job: Job, connection: sqlite3.Connection) -> Any:
        if job.is_cancelled:
            raise self._fault("OperationalError", "interrupted")
        self._judge(job)
        try:
            connection.execute("BEGIN IMMEDIATE" if job.is_write else "BEGIN")
            try:
                self._refresh(connection)
                result = self._guarded(job, connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except Exception as error:  # noqa: BLE001 - every fault is worded for the module
            raise self._translate(error, job) from None
        return result

    def _judge(self, job: Job) -> None:
        """Read the statement; on the thread, since a long one takes some milliseconds."""
        kind, allowed = statement_kind(job.sql), WRITES if job.is_write else READS
        if kind not in allowed:
            call = "execute()" if job.is_write else "query()"
            raise self._fault("NotSupportedError", f"{call} takes one {', '.join(sorted(allowed))} statement")
        if not isinstance(job.params, Mapping) and has_named_placeholder(job.sql):
            # Python 3.11 takes a list here, 3.12 warns, 3.14 refuses
            raise self._fault("ProgrammingError", "named and numbered placeholders take an object; or write '?'")
        if expanded_size(job.sql) > MAX_EXPANDED_CHARS:
            raise self._fault("NotSupportedError", "its common table expressions name each other too often; split it")

    def _refresh(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA schema_version").fetchone()
        if version != self._schema_version:
            self._tables, self._schema_version = read_tables(connection), version

    def _guarded(self, job: Job, connection: sqlite3.Connection) -> Any:
        """Run the stranger's statement: only between these lines do authorizer, deadline and interrupt apply."""
        job.authorizer = Authorizer(job.access, self._tables, is_write=job.is_write)
        job.started_at = self._clock.monotonic()
        connection.set_authorizer(job.authorizer)
        with self._current_lock:
            self._current = job
        try:
            cursor = connection.execute(job.sql, _bind(job.params))
            return self._count(cursor, job.authorizer) if job.is_write else self._fetch(cursor)
        finally:
            with self._current_lock:
                self._current = None
            connection.set_authorizer(None)

    def _count(self, cursor: sqlite3.Cursor, authorizer: Authorizer) -> int:
        if not authorizer.has_written:
            raise self._fault("NotSupportedError", "execute() takes INSERT, UPDATE, DELETE or REPLACE; use query()")
        for _ in cursor:  # rows of RETURNING: the count is complete after the last
            pass
        cursor.close()
        return cursor.rowcount

    def _fetch(self, cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
        names = _unique([column[0] for column in cursor.description or ()])
        overhead, size = sum(len(name) + 6 for name in names), 0
        rows: list[dict[str, Any]] = []
        try:
            for row in cursor:
                size += overhead + sum(map(_size, row))
                rows.append(dict(zip(names, row, strict=True)))
                self._check_result(len(rows), size)
        finally:
            cursor.close()  # an open cursor would keep the transaction
        return rows

    def _check_result(self, rows: int, size: int) -> None:
        limits, advice = self._limits, "add LIMIT, name fewer columns, or read in pages"
        if rows > limits.max_rows:
            raise self._quota("database_rows", rows, limits.max_rows, "rows", advice)
        if size > limits.max_result_bytes:
            raise self._quota("database_bytes", size, limits.max_result_bytes, "bytes", advice)

    def _translate(self, error: Exception, job: Job) -> Exception:
        if job.authorizer is not None and job.authorizer.refusal is not None:
            return job.authorizer.refusal
        if job.is_late:
            return self._late()
        if isinstance(error, PlataformaError):
            return error
        if isinstance(error, MemoryError):
            limit = self._limits.max_heap_bytes
            return self._quota("database_memory", None, limit, "bytes", "sort, group and join less at a time")
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG:
            limit = self._limits.max_value_bytes
            return self._quota("database_value", None, limit, "bytes", "read and write shorter texts and blobs")
        return self._fault(type(error).__name__, str(error)[:MAX_MESSAGE_CHARS])

    def _late(self) -> QuotaExceededError:
        limit = self._limits.max_query_ms
        return self._quota("database_time", None, limit, "ms", "ask for less, or for what an index finds")

    def _quota(
        self, resource: str, used: float | None, limit: float | None, unit: str, advice: str
    ) -> QuotaExceededError:
        return QuotaExceededError(resource, used=used, limit=limit, unit=unit, module=self._module, advice=advice)

    def _fault(self, type_name: str, text: str) -> HostCallError:
        return HostCallError(type_name, text, module=self._module)


def _bind(params: Sequence[Any] | Mapping[str, Any]) -> Any:
    if isinstance(params, Mapping):
        return {str(name): _scalar(value) for name, value in params.items()}
    if isinstance(params, (str, bytes)) or not isinstance(params, Sequence):
        raise TypeError("params is neither a list nor an object; send one value for each placeholder")
    return tuple(map(_scalar, params))


def _scalar(value: Any) -> Any:
    """Write what SQLite has no type for as text: NUMERIC columns turn a Decimal's digits back into a number."""
    if value is None or isinstance(value, (int, float, str, bytes)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    raise TypeError(f"a parameter is a {type(value).__name__}; send text, numbers, bytes, dates or None")


def _unique(names: list[str]) -> list[str]:
    """Give the second ``id`` of a join the name ``id_2``, so that no column is lost."""
    found: dict[str, None] = {}
    for name in names:
        candidate, number = name, 1
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found[candidate] = None
    return list(found)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    return len(value) if isinstance(value, bytes) else 8
