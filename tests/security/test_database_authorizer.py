"""Hostile SQL against the database service. Each statement carries the source of the attack; none leaves a trace."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk.errors import HostCallError, PermissionDeniedError, PlataformaError, QuotaExceededError
from plataforma_sdk.services import DatabaseAccess, DatabaseLimits, SqliteDatabase

Run = Callable[[Any], Any]

SCHEMA = """
CREATE TABLE Customer(id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE);
CREATE TABLE Secret(k TEXT PRIMARY KEY);
CREATE TABLE Tag(k TEXT REFERENCES Secret(k));
CREATE TABLE Audit(m TEXT);
CREATE TABLE Note(id INTEGER PRIMARY KEY, customer INTEGER REFERENCES Customer(id));
CREATE VIEW Leak AS SELECT k FROM Secret;
CREATE VIEW Safe AS SELECT name FROM Customer;
CREATE VIRTUAL TABLE Search USING fts5(body);
CREATE TRIGGER watch AFTER DELETE ON Customer BEGIN INSERT INTO Audit VALUES ((SELECT k FROM Secret)); END;
INSERT INTO Customer VALUES (1, 'Ana', 'ana@example.com'), (2, 'Rui', 'rui@example.com');
INSERT INTO Secret VALUES ('s3cret');
INSERT INTO Search VALUES ('hello');
"""

DOCS = "sqlite.org/security.html"

FORBIDDEN: list[tuple[str, str]] = [
    ("ATTACH DATABASE '{dir}/evil.sqlite' AS evil", "CWE-73: ATTACH creates files, even under mode=ro"),
    ("ATTACH DATABASE '/etc/passwd' AS p", "OWASP SQL injection, SQLite: file read by ATTACH"),
    ("ATTACH ':memory:' AS m", DOCS),
    ("DETACH DATABASE main", DOCS),
    ("PRAGMA writable_schema = ON", "sqlite.org/security.html: writable schema"),
    ("PRAGMA journal_mode = OFF", DOCS),
    ("PRAGMA query_only = OFF", DOCS),
    ("PRAGMA database_list", "path disclosure: the file name of the database"),
    ("PRAGMA table_info(Secret)", "schema disclosure"),
    ("PRAGMA hard_heap_limit = 0", "lifts the memory limit"),
    ("PRAGMA temp_store_directory = '/tmp'", DOCS),
    ("BEGIN", "holds a lock over calls"),
    ("BEGIN EXCLUSIVE", "holds a lock over calls"),
    ("COMMIT", "ends the service's transaction"),
    ("END", "ends the service's transaction"),
    ("ROLLBACK", "ends the service's transaction"),
    ("SAVEPOINT s", "holds a lock over calls"),
    ("RELEASE s", "ends the service's transaction"),
    ("VACUUM", DOCS),
    ("VACUUM INTO '{dir}/copy.sqlite'", "CWE-73: writes a copy of everything"),
    ("ANALYZE", "writes sqlite_stat1"),
    ("REINDEX", DOCS),
    ("CREATE TABLE t(a)", "DDL"),
    ("CREATE TABLE t AS SELECT k FROM Secret", "DDL with a read"),
    ("CREATE TEMP TABLE t(a)", "DDL in temp"),
    ("CREATE INDEX i ON Customer(name)", "DDL"),
    ("CREATE VIEW v AS SELECT k FROM Secret", "DDL: a view to launder a read"),
    ("CREATE TEMP VIEW v AS SELECT 1", "DDL in temp"),
    ("CREATE TRIGGER t AFTER INSERT ON Customer BEGIN DELETE FROM Secret; END", "DDL: code in the host's writes"),
    ("CREATE TEMP TRIGGER t AFTER INSERT ON main.Customer BEGIN SELECT 1; END", "DDL in temp"),
    ("CREATE VIRTUAL TABLE v USING fts5(x)", "CVE-2018-20346 Magellan: FTS tables"),
    ("CREATE VIRTUAL TABLE v USING rtree(id, a, b)", "CVE-2019-8457 SQLite: rtree"),
    ("CREATE VIRTUAL TABLE v USING csv(filename='/etc/passwd')", "file read by a virtual table"),
    ("ALTER TABLE Customer RENAME TO c", "DDL"),
    ("ALTER TABLE Customer ADD COLUMN x", "DDL"),
    ("DROP TABLE Customer", "DDL"),
    ("DROP VIEW Safe", "DDL"),
    ("DROP TRIGGER watch", "DDL: silences the host's audit"),
    ("SELECT load_extension('/tmp/evil.so')", "OWASP SQL injection, SQLite: load_extension"),
    ("SELECT fts3_tokenizer('simple', x'4141414141414141')", "CVE-2015-7036 SQLite: function pointer"),
    ("SELECT fts3_tokenizer('simple')", "CVE-2015-7036 SQLite: address disclosure"),
    ("SELECT readfile('/etc/passwd')", "CLI function: file read"),
    ("SELECT writefile('/tmp/x', 'y')", "CLI function: file write"),
    ("SELECT edit('x')", "CLI function: starts a program"),
    ("SELECT zeroblob(1000000)", "memory: zeroblob"),
    ("SELECT randomblob(1000000)", "memory: randomblob"),
    ("SELECT sqlite_version()", "version disclosure"),
    ("SELECT sqlite_compileoption_get(0)", "version disclosure"),
    ("SELECT sqlite_offset(name) FROM Customer", "layout disclosure"),
    ("SELECT fts5(1)", "fts5 API pointer"),
    ("SELECT * FROM sqlite_master", "schema disclosure"),
    ("SELECT count(*) FROM sqlite_master", "schema disclosure without a column"),
    ("SELECT * FROM sqlite_schema", "schema disclosure by the new name"),
    ("SELECT * FROM main.sqlite_master", "schema disclosure, qualified"),
    ("SELECT * FROM SQLITE_MASTER", "schema disclosure, other case"),
    ('SELECT * FROM "sqlite_master"', "schema disclosure, quoted"),
    ("SELECT * FROM sqlite_temp_master", "schema disclosure in temp"),
    ("SELECT name FROM Customer WHERE id = (SELECT count(*) FROM sqlite_master)", "schema disclosure in a subquery"),
    ("SELECT 1 WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'Secret')", "blind schema disclosure"),
    ("UPDATE sqlite_master SET sql = 'x'", "sqlite.org/security.html: writable schema"),
    ("DELETE FROM sqlite_sequence", "sqlite_* table"),
    ("SELECT * FROM pragma_table_info('Secret')", "PRAGMA as a table-valued function"),
    ("SELECT * FROM pragma_database_list", "path disclosure by a table-valued function"),
    ("SELECT count(*) FROM pragma_database_list", "path disclosure without a column"),
    ("SELECT * FROM pragma_function_list", "PRAGMA as a table-valued function"),
    ("SELECT * FROM json_each('[1]')", "table-valued function"),
    ("SELECT count(*) FROM json_tree('[1]')", "table-valued function without a column"),
    ("SELECT * FROM dbstat", "page disclosure"),
    ("SELECT data FROM sqlite_dbpage", "raw pages: reads and writes everything"),
    ("SELECT * FROM sqlite_stmt", "statements of the connection"),
    ("SELECT body FROM Search", "CVE-2018-20346 Magellan: FTS query"),
    ("SELECT * FROM Search_data", "CVE-2018-20346 Magellan: shadow table"),
    ("UPDATE Search_data SET block = x'00'", "CVE-2018-20346 Magellan: corrupt shadow table"),
    ("INSERT INTO Search_config VALUES ('k', 'v')", "CVE-2018-20346 Magellan: shadow table"),
    ("INSERT INTO Search(Search) VALUES ('rebuild')", "FTS command"),
    ("DELETE FROM Search", "virtual table"),
    ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c", "endless recursion"),
    ("WITH c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c", "recursion without the word"),
    ("EXPLAIN SELECT k FROM Secret", "bytecode disclosure"),
    ("EXPLAIN QUERY PLAN SELECT 1", "plan disclosure"),
    ("SELECT 1; DROP TABLE Customer", "CWE-89: stacked statements"),
    ("SELECT 1; SELECT 2", "CWE-89: stacked statements"),
    (";DROP TABLE Customer", "CWE-89: empty first statement"),
    ("SELECT 1\x00; DROP TABLE Customer", "CWE-158: NUL hides the rest"),
    ("/* SELECT */ DROP TABLE Customer", "keyword in a comment"),
    ("-- SELECT\nDROP TABLE Customer", "keyword in a comment"),
    ("/*/ SELECT */ DROP TABLE Customer", "comment that does not end at once"),
    ("\ufeffSELECT 1", "byte order mark"),
    ("", "empty statement"),
    ("-- only a comment", "empty statement"),
    ("SELECT name FROM temp.Customer", "other schema"),
    ("SELECT name FROM nowhere.Customer", "other schema"),
    ("SELECT RAISE(ABORT, 'x')", "RAISE outside a trigger"),
]

# allowed: see restricted()
SECRET: list[tuple[str, str, str]] = [
    ("SELECT k FROM Secret", "database.read[Secret]", "direct"),
    ("SELECT count(*) FROM Secret", "database.read[Secret]", "no column"),
    ("SELECT 1 FROM Secret", "database.read[Secret]", "no column"),
    ("SELECT rowid FROM Secret", "database.read[Secret]", "rowid"),
    ("SELECT * FROM sEcReT", "database.read[Secret]", "letter case"),
    ("SELECT * FROM main.Secret", "database.read[Secret]", "qualified"),
    ("SELECT * FROM [Secret] AS Customer", "database.read[Secret]", "alias of an allowed table"),
    ("SELECT name FROM Customer WHERE name = (SELECT k FROM Secret)", "database.read[Secret]", "scalar subquery"),
    ("SELECT name FROM Customer WHERE name IN Secret", "database.read[Secret]", "IN table"),
    ("SELECT name FROM Customer WHERE EXISTS (SELECT 1 FROM Secret)", "database.read[Secret]", "blind"),
    ("SELECT name FROM Customer ORDER BY (SELECT k FROM Secret)", "database.read[Secret]", "ORDER BY"),
    ("SELECT name FROM Customer LIMIT (SELECT length(k) FROM Secret)", "database.read[Secret]", "LIMIT"),
    ("SELECT name FROM Customer UNION SELECT k FROM Secret", "database.read[Secret]", "CWE-89: UNION"),
    ("SELECT name FROM Customer, Secret", "database.read[Secret]", "join"),
    ("SELECT name FROM Customer NATURAL JOIN Secret", "database.read[Secret]", "natural join"),
    ("SELECT k FROM Leak", "database.read[Secret]", "view"),
    ("SELECT 1 FROM Leak", "database.read[Secret]", "view without a column"),
    ("WITH Safe AS (SELECT k FROM Secret) SELECT * FROM Safe", "database.read[Secret]", "CTE named like a view"),
    (
        "WITH Customer AS (SELECT k FROM Secret) SELECT * FROM Customer",
        "database.read[Secret]",
        "CTE named like a table",
    ),
    ("WITH watch AS (SELECT k FROM Secret) SELECT * FROM watch", "database.read[Secret]", "CTE named like a trigger"),
    ("SELECT * FROM (SELECT k AS name FROM Secret) Customer", "database.read[Secret]", "subquery alias"),
    ("SELECT max(name) OVER (ORDER BY (SELECT k FROM Secret)) FROM Customer", "database.read[Secret]", "window"),
    ("INSERT INTO Customer(name) SELECT k FROM Secret", "database.read[Secret]", "INSERT SELECT"),
    ("INSERT INTO Customer(name) VALUES ('x') RETURNING (SELECT k FROM Secret)", "database.read[Secret]", "RETURNING"),
    ("UPDATE Customer SET name = (SELECT k FROM Secret)", "database.read[Secret]", "SET"),
    ("UPDATE Customer SET name = k FROM Secret", "database.read[Secret]", "UPDATE FROM"),
    ("UPDATE Customer SET name = 'x' WHERE name IN (SELECT k FROM Secret)", "database.read[Secret]", "blind write"),
    (
        "INSERT INTO Customer VALUES (1, 'x', 'y') ON CONFLICT(id) DO UPDATE SET name = (SELECT k FROM Secret)",
        "database.read[Secret]",
        "upsert",
    ),
    ("DELETE FROM Customer WHERE id = 1", "database.write[Audit]", "trigger of the host"),
    ("INSERT INTO Tag VALUES ('s3cret')", "database.read[Secret]", "foreign key as an oracle"),
    ("INSERT INTO Secret VALUES ('x')", "database.write[Secret]", "direct"),
    ("REPLACE INTO Secret VALUES ('x')", "database.write[Secret]", "REPLACE"),
    ("INSERT OR REPLACE INTO main.Secret VALUES ('x')", "database.write[Secret]", "qualified"),
    ("UPDATE Secret SET k = 'x'", "database.write[Secret]", "direct"),
    ("DELETE FROM Secret", "database.write[Secret]", "direct"),
    ("WITH c AS (SELECT 1) INSERT INTO Secret SELECT * FROM c", "database.write[Secret]", "behind a CTE"),
]

BOMBS: list[tuple[str, Any, str]] = [
    ("SELECT count(*) FROM Big a, Big b, Big c, Big d", (), "cross join"),
    ("SELECT a.v || b.v AS k FROM Big a, Big b, Big c ORDER BY k", (), "sort"),
    ("SELECT a.v FROM Big a, Big b", (), "rows"),
    ("SELECT v || v || v || v FROM Big", (), "bytes"),
    ("SELECT length(hex(hex(hex(?))))", ("x" * 40_000,), "doubling"),
    ("SELECT length(replace(?, 'x', ?))", ("x" * 60_000, "x" * 60_000), "replace makes 3.6 GB"),
    ("SELECT length(group_concat(a.v || b.v)) FROM Big a, Big b", (), "group_concat"),
    ("SELECT length(trim(?, ?))", ("x" * 60_000, "y" * 200), "trim in quadratic time"),
    ("SELECT " + ", ".join(["upper(:x) AS c"] * 1_900), {"x": "x" * 60_000}, "one long value in every register"),
]


def named(table: list[Any]) -> list[Any]:
    return [pytest.param(*row[:-1], id=f"{n:02}: {row[-1]}") for n, row in enumerate(table)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "host.sqlite"
    with contextlib.closing(sqlite3.connect(found)) as connection:
        connection.executescript(SCHEMA)
        connection.execute("CREATE TABLE Big(v)")
        connection.executemany("INSERT INTO Big VALUES (?)", [("x" * 50 + str(n),) for n in range(2_000)])
        connection.commit()
    return found


@pytest.fixture
def unchanged(path: Path) -> Iterator[None]:
    """Assert that no file changed and none came to be."""

    def digest() -> dict[str, str]:
        return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in path.parent.iterdir()}

    before = digest()
    yield
    assert digest() == before


async def attempt(path: Path, call: str, sql: str, params: Any = (), **options: Any) -> Any:
    access = options.pop("access", DatabaseAccess("vendas", lambda kind, table: True))
    async with SqliteDatabase(path, **options) as database:
        return await getattr(database, call)(sql, params, access=access)


def restricted(kind: str, table: str) -> bool:
    return table in ({"Customer", "Safe", "Leak", "Note"} if kind == "read" else {"Customer", "Tag"})


def test_the_tables_are_as_long_as_promised() -> None:
    assert len({sql for sql, _ in FORBIDDEN} | {sql for sql, *_ in SECRET}) >= 110


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("call", ["query", "execute"])
@pytest.mark.parametrize("sql", named(FORBIDDEN))
def test_forbidden_statement_is_refused_whatever_is_granted(path: Path, call: str, sql: str, run: Run) -> None:
    with pytest.raises(HostCallError) as caught:
        run(attempt(path, call, sql.replace("{dir}", str(path.parent))))
    assert str(path.parent) not in str(caught.value).replace(sql, "")
    assert len(str(caught.value)) < 500


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "sql", ["ATTACH ':memory:' AS m", "ATTACH '{dir}/evil.sqlite' AS e", "VACUUM INTO '{dir}/c.sqlite'"]
)
def test_read_only_file_is_no_reason_to_attach(path: Path, sql: str, run: Run) -> None:
    with pytest.raises(HostCallError):
        run(attempt(path, "query", sql.replace("{dir}", str(path.parent)), read_only=True))


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("sql", "permission"), named(SECRET))
def test_ungranted_table_is_refused_by_name(path: Path, sql: str, permission: str, run: Run) -> None:
    call = "query" if sql.startswith(("SELECT", "WITH")) and "INSERT" not in sql else "execute"
    with pytest.raises(PermissionDeniedError) as caught:
        run(attempt(path, call, sql, access=DatabaseAccess("vendas", restricted)))
    assert (caught.value.permission, caught.value.module) == (permission, "vendas")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO Customer(name) VALUES ('x')",
        "UPDATE Customer SET name = 'x'",
        "DELETE FROM Customer",
        "REPLACE INTO Customer(id) VALUES (1)",
        "WITH c AS (SELECT 1) INSERT INTO Customer(id) SELECT * FROM c",
        "INSERT INTO Customer(name) VALUES ('x') RETURNING id",
    ],
)
def test_query_never_writes(path: Path, sql: str, run: Run) -> None:
    with pytest.raises(HostCallError, match=r"query\(\)"):
        run(attempt(path, "query", sql))


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("sql", "params"), named(BOMBS))
def test_bomb_is_a_quota_that_the_module_can_catch(path: Path, sql: str, params: Any, run: Run) -> None:
    limits = DatabaseLimits(max_rows=5_000, max_result_bytes=200_000, max_query_ms=200, max_value_bytes=65_536)
    with pytest.raises(QuotaExceededError) as caught:
        run(attempt(path, "query", sql, params, limits=limits))
    assert caught.value.resource.startswith("database_")


@pytest.mark.parametrize("levels", [16, 22, 40])
def test_exponential_common_table_expressions_never_reach_the_compiler(path: Path, levels: int, run: Run) -> None:
    """Compiling twenty levels takes minutes and nothing interrupts it before SQLite 3.41."""
    ctes = ["a0 AS (SELECT 1 AS v)", *(f"a{n} AS (SELECT x.v FROM a{n - 1} x, a{n - 1} y)" for n in range(1, levels))]
    with pytest.raises(HostCallError, match="too often"):
        run(attempt(path, "query", f"WITH {', '.join(ctes)} SELECT count(*) FROM a{levels - 1}"))


@pytest.mark.parametrize("quoted", ['"{}"', "[{}]", "`{}`", "'{}'"])
def test_quoting_does_not_hide_a_common_table_expression(path: Path, quoted: str, run: Run) -> None:
    names = [quoted.format(f"a{n}") for n in range(22)]
    ctes = [f"{names[0]} AS (SELECT 1 AS v)"]
    ctes += [f"{names[n]} AS NOT MATERIALIZED (SELECT x.v FROM A{n - 1} x, {names[n - 1]} y)" for n in range(1, 22)]
    with pytest.raises(HostCallError, match="too often"):
        run(attempt(path, "query", f"WITH {', '.join(ctes)} SELECT count(*) FROM a21"))


def test_nested_redefinition_does_not_hide_the_expansion(path: Path, run: Run) -> None:
    sql = "SELECT 1 AS v"
    for _ in range(14):
        sql = f"WITH a AS ({sql}) SELECT x.v FROM a x, a y"
    with pytest.raises(PlataformaError):
        run(attempt(path, "query", sql))


def test_memory_of_a_statement_is_bounded(path: Path) -> None:
    """Two thousand registers of one megabyte took 4 GB; in a process of its own, since the breaker stays."""
    code = f"""
import asyncio
from plataforma_sdk.errors import QuotaExceededError
from plataforma_sdk.services import DatabaseAccess, DatabaseLimits, SqliteDatabase

async def main():
    access = DatabaseAccess("vendas", lambda kind, table: True)
    async with SqliteDatabase({str(path)!r}, limits=DatabaseLimits(max_heap_bytes=32 * 1024 * 1024)) as database:
        try:
            sql = "SELECT " + ", ".join(["upper(:x) AS c"] * 1_900)
            await database.query(sql, {{"x": "x" * 1_000_000}}, access=access)
        except QuotaExceededError as error:
            print(error.resource, await database.query("SELECT 1 AS x", access=access))

asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "database_memory [{'x': 1}]"


def test_revocation_counts_for_the_next_statement(path: Path, run: Run) -> None:
    granted = {"Customer"}

    async def main() -> list[Any]:
        access = DatabaseAccess("vendas", lambda kind, table: table in granted)
        async with SqliteDatabase(path) as database:
            rows = await database.query("SELECT name FROM Customer", access=access)
            granted.clear()
            with pytest.raises(PermissionDeniedError):
                await database.query("SELECT name FROM Customer", access=access)
            return rows

    assert run(main()) == [{"name": "Ana"}, {"name": "Rui"}]


def test_table_made_by_the_host_meanwhile_is_judged_too(path: Path, run: Run) -> None:
    async def main() -> None:
        access = DatabaseAccess("vendas", restricted)
        async with SqliteDatabase(path) as database:
            await database.query("SELECT name FROM Customer", access=access)
            with contextlib.closing(sqlite3.connect(path)) as host:
                host.execute("CREATE TABLE Fresh(a)")
            with pytest.raises(PermissionDeniedError, match="Fresh"):
                await database.query("SELECT count(*) FROM Fresh", access=access)

    run(main())


def test_error_of_the_permission_check_reaches_the_module(path: Path, run: Run) -> None:
    def allows(_kind: str, _table: str) -> bool:
        raise PermissionDeniedError("database.read[Customer]", module="vendas", reason="undeclared")

    with pytest.raises(PermissionDeniedError, match="undeclared"):
        run(attempt(path, "query", "SELECT name FROM Customer", access=DatabaseAccess("vendas", allows)))


def test_modules_do_not_share_a_connection(path: Path, run: Run) -> None:
    async def main() -> list[Any]:
        allowed = DatabaseAccess("vendas", lambda kind, table: True)
        other = DatabaseAccess("painel", lambda kind, table: True)
        async with SqliteDatabase(path) as database:
            await database.execute("INSERT INTO Customer(name) VALUES ('x')", access=allowed)
            return await database.query("SELECT last_insert_rowid() AS id, changes() AS n", access=other)

    assert run(main()) == [{"id": 0, "n": 0}]


def test_values_are_never_part_of_the_statement(path: Path, run: Run) -> None:
    """CWE-89: a placeholder takes whatever text there is."""
    sql = "SELECT name FROM Customer WHERE name = ?"
    assert run(attempt(path, "query", sql, ["x' OR 1 = 1; DROP TABLE Customer --"])) == []
