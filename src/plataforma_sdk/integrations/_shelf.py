"""Which hosts there are, which are in use and which goes next: the bookkeeping of a pool, without any waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, Generic, TypeVar

import attrs
from cachetools import LRUCache

from plataforma_sdk.errors import ModuleStateError, PlataformaError

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
        is_leaving: whether it is closed when the last of them has done with it.
        closing: the task that closes it.
    """

    subject: str
    lock: Any
    after: Entry[H] | None = None
    host: H | None = None
    users: int = 0
    is_leaving: bool = False
    closing: asyncio.Task[None] | None = None


class Shelf(Generic[H]):
    """Hosts by subject: those in use, and the idle ones, of which the least recently used goes first."""

    def __init__(self, max_hosts: int, make_lock: Callable[[], Any]) -> None:
        if max_hosts < 1:
            raise ValueError(f"max_hosts is 1 or more, not {max_hosts}")
        self._max_hosts = max_hosts
        self._make_lock = make_lock
        self.lock = make_lock()
        self._idle: LRUCache[str, Entry[H]] = LRUCache(max_hosts)
        self._busy: dict[str, Entry[H]] = {}
        self._closing: dict[str, Entry[H]] = {}

    def anew(self) -> Shelf[H]:
        """Return an empty one of this size."""
        return Shelf(self._max_hosts, self._make_lock)

    def __len__(self) -> int:
        return len(self._idle) + len(self._busy)

    def take(self, subject: str, *, by_module: bool = False) -> tuple[Entry[H], Entry[H] | None]:
        """Return the entry of a subject, for use, and one that is to be closed for it, or None.

        Raises:
            HostPoolFullError: all are in use.
            ModuleStateError: the host opens or closes, and a module asks.
        """
        _check_subject(subject)
        busy = self._busy.get(subject)
        if by_module and (subject in self._closing or (busy is not None and busy.host is None)):
            raise ModuleStateError("The modules of this user load or unload: the host cannot be waited for by them")
        entry = busy or self._idle.pop(subject, None)
        evicted = None
        if entry is None:
            if len(self) >= self._max_hosts:
                evicted = self._evict()
            entry = Entry(subject, self._make_lock(), after=self._closing.get(subject))
        entry.users += 1
        self._busy[subject] = entry
        return entry, evicted

    def give_back(self, entry: Entry[H]) -> Entry[H] | None:
        """Take note that somebody has done with it, and return it where it is to be closed now.

        One that never opened is dropped.
        """
        entry.users -= 1
        if entry.users:
            return None
        del self._busy[entry.subject]
        if entry.host is None:
            return None
        if entry.is_leaving:
            self._closing[entry.subject] = entry
            return entry
        self._idle[entry.subject] = entry
        return None

    def empty(self) -> list[Entry[H]]:
        """Take all the idle ones off, to be closed, and see to it that none in use becomes idle again.

        Returns those that close already, too.
        """
        for entry in self._busy.values():
            entry.is_leaving = True
        self._closing |= self._idle
        self._idle.clear()
        return list(self._closing.values())

    def closed(self, entry: Entry[H]) -> None:
        """Take note that one is closed."""
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


def _check_subject(subject: object) -> None:
    """Refuse what stands for nobody, such as a session without a user: strangers would share a host."""
    if not isinstance(subject, str):
        raise TypeError(f"A subject is a str, such as str(user.id), not {type(subject).__name__}")
    if not subject:
        raise ValueError("A subject is not empty: refuse the request of whoever is not logged in")
