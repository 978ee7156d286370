"""What a registry asks of the database that its index lies in: a few statements that SQLite and PostgreSQL both take.

The statements are written once, with ``?`` for parameters. What the two do not share (how a writer waits for another,
the schema, the search) is a method here, and no `if` where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["Database", "Rows"]


class Rows(Protocol):
    """What a statement found."""

    @property
    def rowcount(self) -> int:
        """How many rows a statement changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """A connection. Only one thread touches it; other connections see what is committed."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement; outside a transaction it is one by itself."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Do all of a block or nothing. Nobody else is in such a block meanwhile, in whatever process; many may read.

        So what the block reads is still so when it is written: that is what compare-and-set stands on.
        """
        ...

    def check_lock(self) -> None:
        """Make sure, within a transaction, that nobody else can be in one: before what no rollback takes back.

        Raises:
            RegistryError: the connection is lost, and the transaction with it.
        """
        ...

    def create(self, tables: Mapping[str, str]) -> None:
        """Make tables by the script of this kind of database, within a transaction; ``sqlite``, ``postgresql``."""
        ...

    def has_table(self, name: str) -> bool:
        """Tell whether there is such a table."""
        ...

    def keep_words(self, number: int, texts: Sequence[Sequence[str]] | None) -> None:
        """Let the search find a module by the words of its id, name and description, or with None not find it."""
        ...

    def find(self, words: Sequence[str], first: int, limit: int, offset: int) -> tuple[list[bytes], int]:
        """Return the hits of modules that have words which begin so, and how many there are; module `first` leads."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
