"""Decisions that outlive a run: what a person allowed or denied a module for ever."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, Self

import attrs

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.permissions import Kind, PermissionChange, PermissionManager, is_swallowed, is_touched, is_within
from plataforma_sdk.types import Clock, Subscription, SystemClock

__all__ = ["Decision", "DecisionKey", "DecisionStore"]

_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS decisions (
    subject TEXT NOT NULL, module TEXT NOT NULL, source TEXT NOT NULL, permission TEXT NOT NULL,
    is_allowed INTEGER NOT NULL, declared TEXT NOT NULL, decided_at REAL NOT NULL,
    PRIMARY KEY (subject, module, source, permission)
) WITHOUT ROWID
"""


@attrs.frozen(kw_only=True)
class DecisionKey:
    """Whose decision about whom; nothing decided for one key holds for another.

    Attributes:
        subject: the person or tenant who decided.
        module: id of the module.
        source: the publisher's key, or where the module came from; the same id from elsewhere is another module.
    """

    subject: str
    module: str
    source: str


@attrs.frozen(kw_only=True)
class Decision:
    """One decision for ever.

    Attributes:
        permission: what was decided on, in canonical text.
        is_allowed: allowed, or denied.
        declared: what the module's manifest asked for at that time, sorted.
        decided_at: seconds since the epoch.
    """

    permission: str
    is_allowed: bool
    declared: tuple[str, ...]
    decided_at: float


class DecisionStore:
    """Keeps decisions in a SQLite file that only its owner may read, or in memory.

    A decision to *allow* applies while the manifest asks for no more than it did when the person decided: a module
    that now wants more is asked about again. A decision to *deny* applies however the manifest has grown, or asking
    for more would shake it off.

    Safe to call from any thread; a call takes about a millisecond of disk.

    >>> store = DecisionStore(None)
    >>> key = DecisionKey(subject="ana", module="vendas", source="ed25519:1f")
    >>> store.remember(key, "system.storage", is_allowed=True, declared=["system.storage"])
    >>> [decision.permission for decision in store.applicable(key, ["system.storage"])]
    ['system.storage']
    >>> store.applicable(key, ["system.storage", "system.clipboard"])
    ()
    >>> store.close()
    """

    def __init__(self, path: Path | None, *, clock: Clock | None = None) -> None:
        """Open, or create, the file.

        Args:
            path: the file; None keeps decisions in memory, until the store is closed.
            clock: dates the decisions.

        Raises:
            PlataformaError: the file is no store of decisions, or of a newer version.
        """
        self.path = path
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.chmod(0o600)
        self._database = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def remember(self, key: DecisionKey, permission: str, *, is_allowed: bool, declared: Iterable[str]) -> None:
        """Keep a decision, in place of an earlier one on the same permission."""
        values = (*attrs.astuple(key), permission, is_allowed, json.dumps(sorted(declared)), self._clock.now())
        with self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def decisions(self, key: DecisionKey) -> tuple[Decision, ...]:
        """List every decision under a key, by permission, whether it applies or not."""
        query = (
            "SELECT permission, is_allowed, declared, decided_at FROM decisions "
            "WHERE subject = ? AND module = ? AND source = ? ORDER BY permission"
        )
        with self._lock, closing(self._database.execute(query, attrs.astuple(key))) as rows:
            return tuple(
                Decision(permission=name, is_allowed=bool(allowed), declared=tuple(json.loads(text)), decided_at=at)
                for name, allowed, text, at in rows
            )

    def keys(self, subject: str) -> tuple[DecisionKey, ...]:
        """List the modules that a subject has decided about, each with its source."""
        query = "SELECT DISTINCT module, source FROM decisions WHERE subject = ? ORDER BY module, source"
        with self._lock, closing(self._database.execute(query, (subject,))) as rows:
            return tuple(DecisionKey(subject=subject, module=module, source=source) for module, source in rows)

    def applicable(self, key: DecisionKey, declared: Iterable[str]) -> tuple[Decision, ...]:
        """List the decisions that hold for a module whose manifest asks for `declared`."""
        wanted = tuple(declared)
        return tuple(
            decision
            for decision in self.decisions(key)
            if not decision.is_allowed or is_within(wanted, decision.declared)
        )

    def forget(self, key: DecisionKey, *permissions: str) -> int:
        """Forget decisions on these very permissions, or all under the key where none is named; return how many."""
        query = "DELETE FROM decisions WHERE subject = ? AND module = ? AND source = ?"
        values = attrs.astuple(key)
        with self._lock, self._database:
            if not permissions:
                return self._database.execute(query, values).rowcount
            marks = ", ".join("?" * len(permissions))
            return self._database.execute(f"{query} AND permission IN ({marks})", (*values, *permissions)).rowcount

    def attach(self, manager: PermissionManager, key: DecisionKey, declared: Iterable[str]) -> Subscription:
        """Apply the decisions that hold to a manager, and keep those it is given from now on; end it at unload.

        A revocation forgets every "allow for ever" that it touches, one of a wider permission too: what was taken back
        in part is asked about again. A lift forgets the denials that it takes back.
        """
        wanted = tuple(declared)
        for decision in self.applicable(key, wanted):
            if decision.is_allowed:
                manager.grant(decision.permission, forever=True, by="person")
        for decision in self.applicable(key, wanted):
            if not decision.is_allowed:
                manager.deny(decision.permission, by="person")
        return manager.on_change(lambda change: self._follow(change, key, wanted))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self, change: PermissionChange, key: DecisionKey, declared: tuple[str, ...]) -> None:
        if change.action in ("grant", "deny"):
            if change.kind is Kind.FOREVER:
                self.remember(key, change.permission, is_allowed=change.action == "grant", declared=declared)
            return
        is_revoked = change.action == "revoke"
        is_concerned = is_touched if is_revoked else is_swallowed
        gone = [
            decision.permission
            for decision in self.decisions(key)
            if decision.is_allowed is is_revoked and is_concerned(decision.permission, by=change.permission)
        ]
        if gone:
            self.forget(key, *gone)

    def _prepare(self) -> None:
        try:
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                raise PlataformaError(f"{self.path} was written by a newer version of this library; update it")
            with self._database:
                self._database.execute(_SCHEMA)
                self._database.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.DatabaseError as error:
            raise PlataformaError(
                f"{self.path} is not a store of decisions ({error}); move it away, and people will be asked again"
            ) from error
