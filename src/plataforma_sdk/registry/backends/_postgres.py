"""The index in PostgreSQL, in a schema of its own; imports psycopg, so `open_index` imports this late.

Writers wait for each other at one advisory lock, as they do at the lock of a SQLite file: a signature over all indexes
needs that anyway, and compare-and-set is then the same code. Locks of rows or `SERIALIZABLE` would let writers of
different modules pass each other, and fail where they meet; a registry writes some thousand times a day.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry.backends._database import Rows

__all__ = ["PostgresDatabase"]

_VERSION: Final = 1
_LOCK: Final = int.from_bytes(b"platafor", "big") >> 1
_MAX_LETTERS: Final = 100
_MAX_WORDS_BYTES: Final = 300_000
_MAX_POSITION: Final = 16_383
_PORTS: Final = re.compile(r"[0-9,]+", re.ASCII)
_SCHEMES: Final = ("postgresql://", "postgres://")
_DEFAULTS: Final = {
    "application_name": "plataforma-registry",
    "connect_timeout": "10",
    "tcp_user_timeout": "30000",  # a server that is gone without a word is given up
}
# Who stands still while holding the lock is cut off: others would wait for as long.
_SETTINGS: Final = (
    "SET search_path = plataforma; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'"
)
_BEGIN: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({_LOCK})"

# "C" sorts by code points, as SQLite does; other collations change with the system's libraries, and indexes break.
_SCHEMA: Final = """
CREATE TABLE registry (version INTEGER NOT NULL, identity TEXT NOT NULL);
CREATE TABLE modules (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT COLLATE "C" NOT NULL UNIQUE,
    data BYTEA NOT NULL, hit BYTEA
);
CREATE TABLE owners (namespace TEXT COLLATE "C" PRIMARY KEY, data BYTEA NOT NULL);
CREATE TABLE search (number BIGINT PRIMARY KEY REFERENCES modules, words TSVECTOR NOT NULL);
CREATE INDEX search_words ON search USING gin (words);
INSERT INTO registry VALUES (1, gen_random_uuid()::text);
"""

# Not `to_regclass`, which answers out of a cache: who waited for the lock would not see what was made meanwhile.
_TABLE: Final = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'plataforma' AND tablename = ?"

_SEARCH: Final = """
SELECT modules.hit FROM (
    SELECT number, ts_rank('{0.1, 0.1, 0.4, 1.0}', words, ?::tsquery) AS score FROM search WHERE words @@ ?::tsquery
    ORDER BY number = ? DESC, score DESC, number LIMIT ? OFFSET ?
) AS found JOIN modules USING (number) ORDER BY number = ? DESC, score DESC, number
"""


class PostgresDatabase:
    """A database of PostgreSQL; see `Database`. A connection that is lost is made anew with the next statement.

    Attributes:
        name: for people, without what must not be shown.
        identity: of what is kept there, for ever; a copy that is restored has it too.
    """

    def __init__(self, url: str) -> None:
        """Connect, and make the schema where there is none.

        Raises:
            RegistryError: the address is none, the database cannot be reached, or was written by a newer version.
        """
        self._options = _options(url)
        self.name = _name(self._options)
        self.identity = ""
        self._is_inside = False
        self._connection = self._connect()

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """See `Database.execute`. What only reads is asked once more where the connection was lost meanwhile.

        Raises:
            RegistryError: the database cannot be reached, or refuses the statement.
        """
        return self._ask(sql, parameters, may_repeat=sql.lstrip().startswith("SELECT"))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Database.transaction`; a transaction whose end was not heard of may be done, or not."""
        try:
            self._ask(_BEGIN, may_repeat=True, is_prepared=False)
            self._is_inside = True
            yield
            if self._ask("COMMIT").statusmessage != "COMMIT":  # so it answers where a statement failed before
                raise RegistryError(f"{self.name} took back what was to be written: try again")
        except BaseException:
            with contextlib.suppress(psycopg.Error):  # a lost connection takes all back by itself
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._is_inside = False

    def check_lock(self) -> None:
        """See `Database.check_lock`: the lock goes with the connection."""
        self._ask("SELECT 1")

    def create(self, tables: Mapping[str, str]) -> None:
        """See `Database.create`."""
        self._ask(tables["postgresql"], is_prepared=False)

    def has_table(self, name: str) -> bool:
        """See `Database.has_table`."""
        return self.execute(_TABLE, (name,)).fetchone() is not None

    def keep_words(self, number: int, texts: Sequence[Sequence[str]] | None) -> None:
        """See `Database.keep_words`."""
        if texts is None:
            self.execute("DELETE FROM search WHERE number = ?", (number,))
        else:
            self.execute(
                "INSERT INTO search VALUES (?, ?::tsvector) ON CONFLICT (number) DO UPDATE SET words = excluded.words",
                (number, _vector(texts)),
            )

    def find(self, words: Sequence[str], first: int, limit: int, offset: int) -> tuple[list[bytes], int]:
        """See `Database.find`."""
        match = " & ".join(f"'{word[:_MAX_LETTERS]}':*" for word in words)
        hits = self.execute(_SEARCH, (match, match, first, limit, offset, first)).fetchall()
        (total,) = self.execute("SELECT count(*) FROM search WHERE words @@ ?::tsquery", (match,)).fetchone()
        return [hit for (hit,) in hits], total

    def close(self) -> None:
        """See `Database.close`."""
        self._connection.close()

    def _ask(
        self, sql: str, parameters: Sequence[Any] = (), *, may_repeat: bool = False, is_prepared: bool | None = None
    ) -> psycopg.Cursor[Any]:
        statement = sql.replace("?", "%s").encode()
        for is_last in (not may_repeat or self._is_inside, True):
            if self._connection.closed and not self._is_inside:
                self._connection = self._connect()
            try:
                return self._connection.execute(statement, parameters or None, prepare=is_prepared)
            except psycopg.Error as error:
                if is_last or not self._connection.closed:
                    raise self._fault(error) from None
        raise AssertionError("the second try returns or raises")

    def _connect(self) -> psycopg.Connection[Any]:
        try:
            connection = psycopg.connect("", autocommit=True, client_encoding="utf8", **self._options)
        except psycopg.Error as error:
            raise self._fault(error) from None
        try:
            connection.execute(_SETTINGS)
            self._prepare(connection)
        except psycopg.Error as error:
            connection.close()
            raise self._fault(error) from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        """Make the schema, once where many connect at once, and look whether it is one that is understood."""
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise RegistryError(f"{self.name} does not keep every letter: make a database with ENCODING 'UTF8'")
        if not _has_tables(connection):
            connection.execute(_BEGIN)
            if not _has_tables(connection):
                _make_tables(connection)
            connection.execute("COMMIT")
        ((version, self.identity),) = connection.execute("SELECT version, identity FROM registry").fetchall()
        if version != _VERSION:
            raise RegistryError(f"{self.name} was written by a newer version of this library: update it")

    def _fault(self, error: psycopg.Error) -> RegistryError:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        return RegistryError(f"{self.name} cannot be used now ({reason[:300]}): try again, or see to the database")


def _make_tables(connection: psycopg.Connection[Any]) -> None:
    """Make the tables, and the schema where no administrator did: `IF NOT EXISTS` would need that right anyway."""
    found = connection.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'plataforma'")
    if found.fetchone() is None:
        connection.execute("CREATE SCHEMA plataforma")
    connection.execute(_SCHEMA.encode())


def _has_tables(connection: psycopg.Connection[Any]) -> bool:
    return connection.execute(_TABLE.replace("?", "%s").encode(), ("registry",)).fetchone() is not None


def _options(url: str) -> dict[str, Any]:
    """Read an address. What is wrong with it is not repeated: it may be a part of the password."""
    try:
        read = conninfo_to_dict(url) if url.startswith(_SCHEMES) else {}
    except psycopg.Error:
        read = {}
    is_misread = "@" in f"{read.get('host')}{read.get('dbname')}" or not _PORTS.fullmatch(str(read.get("port", "1")))
    if not read or is_misread:
        raise RegistryError(
            "The database has no address that can be read: write postgresql://USER:PASSWORD@HOST:PORT/NAME, and in it "
            "'@', '/', ':' and '%' of a password as %40, %2F, %3A and %25"
        ) from None
    return {**_DEFAULTS, **read}


def _name(options: Mapping[str, Any]) -> str:
    place = options.get("host") or options.get("hostaddr")
    where = f" at {place}:{options.get('port', 5432)}" if place else ""
    return f"PostgreSQL database {str(options.get('dbname') or 'of the user')[:100]}{where}"


def _vector(texts: Sequence[Sequence[str]]) -> str:
    """Write words as a `tsvector`: they are folded and split before, by the rules that every backend has.

    They are letters and digits alone, so there is nothing to escape. What would be too long for one is cut.
    """
    marks: list[str] = []
    left = _MAX_WORDS_BYTES
    for weight, words in zip("ABC", texts, strict=True):
        for word in words:
            part = word[:_MAX_LETTERS]
            left -= len(part.encode())
            if left < 0:
                return " ".join(marks)
            marks.append(f"'{part}':{min(len(marks) + 1, _MAX_POSITION)}{weight}")
    return " ".join(marks)
