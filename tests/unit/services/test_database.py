"""What the database service does for an honest module, and how it ends a greedy one."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import sqlite3
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk import codec
from plataforma_sdk.errors import HostCallError, QuotaExceededError
from plataforma_sdk.services import Database, DatabaseAccess, DatabaseLimits, SqliteDatabase, _session
from plataforma_sdk.types import FakeClock

Run = Callable[[Any], Any]
EVERYTHING = DatabaseAccess("vendas", lambda kind, table: True)


class TickingClock(FakeClock):
    """Moves on by a second whenever somebody looks at it."""

    def monotonic(self) -> float:
        self.advance(1.0)
        return super().monotonic()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "shop.sqlite"
    with contextlib.closing(sqlite3.connect(found)) as connection:
        connection.executescript("""
            CREATE TABLE Customer(id INTEGER PRIMARY KEY, name TEXT, balance NUMERIC, since TEXT, photo BLOB);
            CREATE TABLE Invoice(id INTEGER PRIMARY KEY, customer INTEGER REFERENCES Customer(id), total NUMERIC);
            INSERT INTO Customer(id, name) VALUES (1, 'Ana'), (2, 'Rui');
            INSERT INTO Invoice VALUES (1, 1, 10.5), (2, 1, 20), (3, 2, 5);
        """)
    return found


@pytest.fixture
def query(path: Path, run: Run) -> Callable[..., Any]:
    """Run one statement in a service of its own."""

    def call(sql: str, params: Any = (), *, limits: DatabaseLimits | None = None, **options: Any) -> Any:
        async def main() -> Any:
            async with SqliteDatabase(path, limits=limits, **options) as database:
                return await database.query(sql, params, access=EVERYTHING)

        return run(main())

    return call


@pytest.fixture
def execute(path: Path, run: Run) -> Callable[..., int]:
    def call(sql: str, params: Any = (), **options: Any) -> int:
        async def main() -> int:
            async with SqliteDatabase(path, **options) as database:
                return await database.execute(sql, params, access=EVERYTHING)

        return int(run(main()))

    return call


def test_the_service_keeps_to_its_protocol(path: Path) -> None:
    assert isinstance(SqliteDatabase(path), Database)


def test_rows_arrive_as_objects(query: Callable[..., Any]) -> None:
    assert query("SELECT id, name FROM Customer ORDER BY id") == [{"id": 1, "name": "Ana"}, {"id": 2, "name": "Rui"}]


def test_no_rows_are_an_empty_list(query: Callable[..., Any]) -> None:
    assert query("SELECT id FROM Customer WHERE id = 99") == []


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("SELECT name FROM Customer WHERE id = ?", [2]),
        ("SELECT name FROM Customer WHERE id = ?", (2,)),
        ("SELECT name FROM Customer WHERE id = :id", {"id": 2}),
        ("SELECT name FROM Customer WHERE id = @id", {"id": 2}),
        ("SELECT name FROM Customer WHERE id = $id", {"id": 2}),
        ("SELECT name FROM Customer WHERE id = ?1", {"1": 2}),
    ],
)
def test_placeholders_take_lists_and_objects(query: Callable[..., Any], sql: str, params: Any) -> None:
    assert query(sql, params) == [{"name": "Rui"}]


@pytest.mark.parametrize("sql", ["SELECT :id", "SELECT @id", "SELECT $id", "SELECT ?1"])
def test_named_placeholder_with_a_list_is_refused_in_every_python(query: Callable[..., Any], sql: str) -> None:
    with pytest.raises(HostCallError, match="take an object"):
        query(sql, [1])


@pytest.mark.parametrize(
    "sql", ["SELECT ':id'", "SELECT '@a' AS \"$b\" -- :c", "SELECT /* ?1 */ ? AS x", "SELECT ?, 1 AS ':x'"]
)
def test_quoted_placeholder_is_none(query: Callable[..., Any], sql: str) -> None:
    assert len(query(sql, [1] * sql.replace("?1", "").count("?"))) == 1


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, None),
        (True, 1),
        (7, 7),
        (2**53 + 1, 2**53 + 1),
        (1.5, 1.5),
        ("é", "é"),
        (b"\x00\x01", b"\x00\x01"),
        (Decimal("2328.60"), "2328.60"),
        (Decimal("1E+3"), "1000"),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (datetime.datetime(2024, 2, 29, 1, 2, tzinfo=datetime.UTC), "2024-02-29T01:02:00+00:00"),
    ],
)
def test_every_scalar_of_the_codec_is_a_parameter(query: Callable[..., Any], value: Any, stored: Any) -> None:
    assert query("SELECT ? AS x", [value]) == [{"x": stored}]


def test_numeric_column_turns_a_decimal_into_a_number(path: Path, run: Run) -> None:
    async def main() -> Any:
        async with SqliteDatabase(path) as database:
            sql = "UPDATE Customer SET balance = ?, since = ? WHERE id = 1"
            await database.execute(sql, [Decimal("10.50"), Decimal("10.50")], access=EVERYTHING)
            return await database.query("SELECT balance, since FROM Customer WHERE balance = 10.5", access=EVERYTHING)

    assert run(main()) == [{"balance": 10.5, "since": "10.50"}]


@pytest.mark.parametrize("params", [[[1]], [{"a": 1}], [2**70], "1", b"1", 7, None])
def test_parameter_that_is_no_scalar_is_refused(query: Callable[..., Any], params: Any) -> None:
    with pytest.raises(HostCallError):
        query("SELECT ?", params)


def test_second_column_of_a_name_gets_a_number(query: Callable[..., Any]) -> None:
    rows = query(
        "SELECT a.id, b.id, 5 AS id_2, a.id FROM Customer a JOIN Invoice b ON b.customer = a.id WHERE b.id = 3"
    )
    assert rows == [{"id": 2, "id_2": 3, "id_2_2": 5, "id_3": 2}]


def test_result_crosses_the_boundary(query: Callable[..., Any]) -> None:
    rows = query(
        "SELECT c.name, sum(i.total) AS total FROM Customer c JOIN Invoice i ON i.customer = c.id GROUP BY c.id"
    )
    assert codec.decode(codec.encode(rows)) == [{"name": "Ana", "total": 30.5}, {"name": "Rui", "total": 5}]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH t AS (SELECT total FROM Invoice) SELECT count(*) AS n FROM t",
        "SELECT count(*) AS n FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3) x",
        "SELECT count(*) AS n FROM Invoice",
        "SELECT CAST(3 AS INTEGER) AS n",
        "VALUES (3)",
        "-- all\n/* of them */ SELECT 3 AS n;",
        "SELECT row_number() OVER (ORDER BY id) AS n FROM Invoice ORDER BY n DESC LIMIT 1",
        "SELECT max(n) AS n FROM (SELECT id AS n FROM Invoice)",
        "SELECT n FROM (SELECT 3 AS n) WHERE n LIKE '%3%' AND lower('A') = 'a'",
        "SELECT json_extract('{\"n\": 3}', '$.n') AS n",
        "SELECT '{\"n\": 3}' ->> '$.n' AS n",
    ],
)
def test_what_modules_write_works(query: Callable[..., Any], sql: str) -> None:
    assert [list(row.values()) for row in query(sql)] == [[3]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("instr('abcabc', 'ca')", 3),
        ("instr('abc', 'x')", 0),
        ("instr('aéb', 'b')", 3),
        ("instr(x'616263', x'63')", 3),
        ("instr(12345, 34)", 3),
        ("instr(NULL, 'a')", None),
        ("replace('a-b-c', '-', '+')", "a+b+c"),
        ("replace('abc', '', 'x')", "abc"),
        ("replace('abc', NULL, 'x')", None),
        ("replace(1.5, '.', ',')", "1,5"),
        ("replace(2.0, '.', ',')", "2,0"),
        ("trim('xxaxx', 'x')", "a"),
        ("ltrim('xyaxy', 'xy')", "axy"),
        ("rtrim('xyaxy', 'xy')", "xya"),
        ("trim('  a ')", "a"),
        ("trim('a', '')", "a"),
        ("trim('a', NULL)", None),
    ],
)
def test_bounded_functions_agree_with_sqlite(query: Callable[..., Any], expression: str, value: Any) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as plain:
        assert plain.execute(f"SELECT {expression}").fetchone() == (value,)
    assert query(f"SELECT {expression} AS x") == [{"x": value}]


def test_execute_counts_the_rows(execute: Callable[..., int]) -> None:
    assert execute("UPDATE Invoice SET total = total + 1 WHERE customer = ?", [1]) == 2


def test_execute_counts_the_rows_of_returning(execute: Callable[..., int]) -> None:
    assert execute("INSERT INTO Customer(name) VALUES ('a'), ('b'), ('c') RETURNING id") == 3


def test_execute_is_durable_when_it_returns(path: Path, execute: Callable[..., int]) -> None:
    execute("INSERT INTO Customer(name) VALUES (?)", ["Eva"])
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM Customer WHERE id = 3").fetchall() == [("Eva",)]


def test_failed_execute_leaves_nothing(path: Path, execute: Callable[..., int]) -> None:
    with pytest.raises(HostCallError, match="UNIQUE"):
        execute("INSERT INTO Customer(id, name) VALUES (7, 'new'), (1, 'twice')")
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM Customer").fetchone() == (2,)


def test_foreign_keys_are_enforced(execute: Callable[..., int]) -> None:
    with pytest.raises(HostCallError, match="FOREIGN KEY"):
        execute("INSERT INTO Invoice VALUES (9, 99, 1)")


def test_execute_refuses_to_read(execute: Callable[..., int]) -> None:
    with pytest.raises(HostCallError, match=r"use query\(\)"):
        execute("WITH t AS (SELECT 1) SELECT * FROM t")


def test_read_only_file_refuses_to_write(execute: Callable[..., int]) -> None:
    with pytest.raises(HostCallError, match="readonly"):
        execute("INSERT INTO Customer(name) VALUES ('x')", read_only=True)


@pytest.mark.parametrize(
    ("sql", "text"), [("SELECT missing FROM Customer", "no such column"), ("SELECT FROM", "syntax error")]
)
def test_wrong_statement_says_why(query: Callable[..., Any], sql: str, text: str) -> None:
    with pytest.raises(HostCallError, match=text) as caught:
        query(sql)
    assert caught.value.module == "vendas"


def test_missing_file_is_the_hosts_fault_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SqliteDatabase(tmp_path / "none.sqlite")


def test_broken_file_does_not_tell_its_path(tmp_path: Path, run: Run) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database at all" * 100)

    async def main() -> None:
        async with SqliteDatabase(broken) as database:
            await database.query("SELECT 1", access=EVERYTHING)

    with pytest.raises(HostCallError, match="not a database") as caught:
        run(main())
    assert str(tmp_path) not in str(caught.value)


def test_too_many_rows_are_a_quota(query: Callable[..., Any]) -> None:
    with pytest.raises(QuotaExceededError) as caught:
        query("SELECT id FROM Invoice", limits=DatabaseLimits(max_rows=2))
    assert (caught.value.resource, caught.value.used, caught.value.limit) == ("database_rows", 3, 2)


def test_too_many_bytes_are_a_quota(query: Callable[..., Any]) -> None:
    with pytest.raises(QuotaExceededError) as caught:
        query("SELECT ? AS x", ["é" * 100], limits=DatabaseLimits(max_result_bytes=200))
    assert (caught.value.resource, caught.value.limit) == ("database_bytes", 200)


def test_long_statement_is_refused(query: Callable[..., Any]) -> None:
    with pytest.raises(HostCallError, match="longer than 100 bytes"):
        query("SELECT 1" + " " * 100, limits=DatabaseLimits(max_sql_bytes=100))


@pytest.mark.parametrize("sql", [None, 7, b"SELECT 1", ["SELECT 1"]], ids=repr)
def test_statement_is_a_text(query: Callable[..., Any], sql: Any) -> None:
    with pytest.raises(HostCallError, match="not a string"):
        query(sql)


def test_slow_statement_is_a_quota(query: Callable[..., Any]) -> None:
    sql = "SELECT count(*) FROM Invoice a, Invoice b, Invoice c, Invoice d, Invoice e, Invoice f, Invoice g, Invoice h"
    with pytest.raises(QuotaExceededError) as caught:
        query(sql, clock=TickingClock(), limits=DatabaseLimits(max_query_ms=500))
    assert (caught.value.resource, caught.value.limit) == ("database_time", 500)


def test_service_goes_on_after_a_slow_statement(path: Path, run: Run) -> None:
    slow = "SELECT count(*) FROM Invoice a, Invoice b, Invoice c, Invoice d, Invoice e, Invoice f, Invoice g, Invoice h"

    async def main() -> Any:
        async with SqliteDatabase(path, clock=TickingClock(), limits=DatabaseLimits(max_query_ms=500)) as database:
            with pytest.raises(QuotaExceededError):
                await database.query(slow, access=EVERYTHING)
            return await database.query("SELECT 1 AS x", access=EVERYTHING)

    assert run(main()) == [{"x": 1}]


def test_thread_that_does_not_come_back_does_not_hold_the_module(
    path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single step of SQLite cannot be interrupted: the caller gets its quota error all the same."""
    monkeypatch.setattr(_session, "GRACE_S", 0.01)
    clock, began, release = FakeClock(), threading.Event(), threading.Event()

    def stuck(_kind: str, _table: str) -> bool:
        clock.advance(10)
        began.set()
        return release.wait(10)

    async def main() -> str:
        async with SqliteDatabase(path, clock=clock) as database:
            with pytest.raises(QuotaExceededError) as caught:
                await database.query("SELECT name FROM Customer", access=DatabaseAccess("vendas", stuck))
            release.set()
            return caught.value.resource

    assert run(main()) == "database_time"
    assert began.is_set()


def test_cancelling_stops_the_statement(path: Path, run: Run) -> None:
    """The cross join would take minutes; the next statement of the module would wait for it."""
    began = asyncio.Event()

    async def main() -> Any:
        loop = asyncio.get_running_loop()

        def allows(_kind: str, _table: str) -> bool:
            loop.call_soon_threadsafe(began.set)
            return True

        tables = ", ".join(f"Invoice t{n}" for n in range(30))
        async with SqliteDatabase(path, limits=DatabaseLimits(max_query_ms=60_000)) as database:
            sql = f"SELECT count(*) FROM {tables}"
            task = asyncio.create_task(database.query(sql, access=DatabaseAccess("vendas", allows)))
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await database.query("SELECT 1 AS x", access=EVERYTHING)

    assert run(main()) == [{"x": 1}]


def test_release_stops_the_statement(path: Path, run: Run) -> None:
    began = asyncio.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def allows(_kind: str, _table: str) -> bool:
            loop.call_soon_threadsafe(began.set)
            return True

        tables = ", ".join(f"Invoice t{n}" for n in range(30))
        database = SqliteDatabase(path, limits=DatabaseLimits(max_query_ms=60_000))
        sql = f"SELECT count(*) FROM {tables}"
        task = asyncio.create_task(database.query(sql, access=DatabaseAccess("vendas", allows)))
        await began.wait()
        await database.release("vendas")
        with pytest.raises(HostCallError, match="interrupted"):
            await task
        await database.close()

    run(main())


def test_too_many_waiting_statements_are_a_quota(path: Path, run: Run) -> None:
    async def main() -> Any:
        async with SqliteDatabase(path, limits=DatabaseLimits(max_pending=3)) as database:
            calls = (database.query("SELECT 1", access=EVERYTHING) for _ in range(5))
            return await asyncio.gather(*calls, return_exceptions=True)

    results = run(main())
    assert [type(result) for result in results] == [list, list, list, QuotaExceededError, QuotaExceededError]


def test_gathered_statements_all_answer(path: Path, run: Run) -> None:
    async def main() -> Any:
        async with SqliteDatabase(path) as database:
            return await asyncio.gather(*(database.query("SELECT ? AS x", [n], access=EVERYTHING) for n in range(20)))

    assert run(main()) == [[{"x": n}] for n in range(20)]


def test_closed_service_refuses(path: Path, run: Run) -> None:
    async def main() -> None:
        database = SqliteDatabase(path)
        await database.close()
        await database.query("SELECT 1", access=EVERYTHING)

    with pytest.raises(HostCallError, match="closed"):
        run(main())


def test_release_leaves_no_thread(path: Path, run: Run) -> None:
    async def main() -> None:
        async with SqliteDatabase(path) as database:
            await database.query("SELECT 1", access=EVERYTHING)
            await database.release("vendas")
            await database.release("vendas")

    run(main())
    for thread in threading.enumerate():
        if thread.name.startswith("plataforma-db-vendas"):
            thread.join(5)
    assert not [one for one in threading.enumerate() if one.name.startswith("plataforma-db-vendas")]
