"""Which hosts there are, which are in use and which goes next: the bookkeeping of a pool, without any waiting."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, Generic, TypeVar

import attrs
from cachetools import LRUCache

from plataforma_sdk.errors import PlataformaError

__all__ = ["Entry", "HostPoolFullError", "Shelf"]

H = TypeVar("H")


class HostPoolFullError(PlataformaError):
    """Every host of a pool is in use: ask again in a moment, or give the pool more ``max_hosts``."""

    http_status: ClassVar[int] = int(HTTPStatus.SERVICE_UNAVAILABLE)


@attrs.define(eq=False)
class Entry(Generic[H]):
    """The host of one subject.

    Attributes:
        subject: the user or tenant.
        lock: held while it opens or closes.
        after: the entry of the same subject that may still be closing.
        host: None until it is open.
        users: how many use it now.
    """

    subject: str
    lock: Any
    after: Entry[H] | None = None
    host: H | None = None
    users: int = 0


class Shelf(Generic[H]):
    """Hosts by subject: those in use, and the idle ones, of which the least recently used goes first."""

    def __init__(self, max_hosts: int, make_lock: Callable[[], Any]) -> None:
        if max_hosts < 1:
            raise ValueError(f"max_hosts is 1 or more, not {max_hosts}")
        self._max_hosts = max_hosts
        self._make_lock = make_lock
        self._inherited: list[object] = []
        self.forget()
        if hasattr(os, "register_at_fork"):
            forget = weakref.WeakMethod(self.forget)
            os.register_at_fork(after_in_child=lambda: (found := forget()) and found())

    def forget(self) -> None:
        """Begin anew: hosts that were made before a fork, or in a loop that has ended, are nobody's to close."""
        self._inherited.append(getattr(self, "_idle", None))  # kept, lest their end touches what the parent uses
        self._inherited.append(getattr(self, "_busy", None))
        self.lock = self._make_lock()
        self._idle: LRUCache[str, Entry[H]] = LRUCache(self._max_hosts)
        self._busy: dict[str, Entry[H]] = {}
        self._closing: dict[str, Entry[H]] = {}

    def __len__(self) -> int:
        return len(self._idle) + len(self._busy)

    def take(self, subject: str) -> tuple[Entry[H], Entry[H] | None]:
        """Return the entry of a subject, for use, and one that is to be closed for it, or None.

        Raises:
            HostPoolFullError: all are in use.
        """
        entry = self._busy.get(subject) or self._idle.pop(subject, None)
        evicted = None
        if entry is None:
            if len(self) >= self._max_hosts:
                evicted = self._evict()
            entry = Entry(subject, self._make_lock(), after=self._closing.get(subject))
        entry.users += 1
        self._busy[subject] = entry
        return entry, evicted

    def give_back(self, entry: Entry[H]) -> None:
        """Take note that somebody has done with it; one that never opened is dropped."""
        entry.users -= 1
        if entry.users == 0 and self._busy.get(entry.subject) is entry:
            del self._busy[entry.subject]
            if entry.host is not None:
                self._idle[entry.subject] = entry

    def empty(self) -> list[Entry[H]]:
        """Take all the idle ones off, to be closed."""
        found = list(self._idle.values())
        self._idle.clear()
        return found

    def closed(self, entry: Entry[H]) -> None:
        """Take note that an evicted one is closed."""
        if self._closing.get(entry.subject) is entry:
            del self._closing[entry.subject]

    def _evict(self) -> Entry[H]:
        if not self._idle:
            raise HostPoolFullError(
                f"All {self._max_hosts} hosts are in use: try again in a moment, or raise max_hosts"
            )
        subject, entry = self._idle.popitem()
        self._closing[subject] = entry
        return entry
