"""A host for every user: opened at first use, kept while there is room, closed when the least recently used.

One host is one trust domain, so users never share one.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from plataforma_sdk import sync
from plataforma_sdk.errors import ModuleStateError
from plataforma_sdk.integrations._shelf import Entry, HostPoolFullError, Shelf
from plataforma_sdk.logs import logger_of
from plataforma_sdk.runtime import ModuleHost

__all__ = ["BlockingHostPool", "HostPool", "HostPoolFullError"]

_LOG: Final = logger_of("plataforma_sdk.integrations")


class HostPool:
    """Hosts of one event loop; they close with it at the latest. The next loop begins anew.

    Args:
        open_host: opens the host of a subject and loads its modules.
        max_hosts: how many there are at most, in use or idle.
    """

    def __init__(self, open_host: Callable[[str], Awaitable[ModuleHost]], *, max_hosts: int = 100) -> None:
        self._open_host = open_host
        self._shelf: Shelf[ModuleHost] = Shelf(max_hosts, asyncio.Lock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: AsyncGenerator[None] | None = None
        self._pid = os.getpid()
        self._inherited: list[object] = []

    def __len__(self) -> int:
        return len(self._shelf)

    @asynccontextmanager
    async def use(self, subject: str, *, by_module: bool = False) -> AsyncIterator[ModuleHost]:
        """Give the host of a subject; while the block runs it is not closed.

        Args:
            subject: the user or tenant.
            by_module: whether a module asks, by a call to the application. A host that opens or closes may be waiting
                for that very call, so it is refused.

        Raises:
            HostPoolFullError: all hosts are in use.
            ModuleStateError: the host opens or closes, and a module asks; or another loop, still open, uses this pool.
        """
        await self._enter_loop()
        shelf = self._shelf
        entry, evicted = shelf.take(subject, by_module=by_module)
        try:
            if evicted is not None:
                await self._close(evicted)
            yield await self._opened(entry)
        finally:
            left = shelf.give_back(entry)
            if left is not None:
                await self._close(left)

    async def aclose(self) -> None:
        """Close the hosts, all at once, those in use when they are given back; the pool may be used again."""
        await self._enter_loop()
        async with asyncio.TaskGroup() as group:
            for entry in self._shelf.empty():
                group.create_task(self._close(entry))

    async def _enter_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is loop and self._pid == os.getpid():
            return
        if self._pid != os.getpid():
            self._inherited += [self._shelf, self._end]  # kept, lest their end touches what the parent uses
        elif self._loop is not None and not self._loop.is_closed():
            raise ModuleStateError("This pool serves an event loop that has not ended: make a pool for each loop")
        elif len(self._shelf):
            _LOG.warning("%d hosts were not closed: their event loop ended without notice", len(self._shelf))
        self._shelf, self._loop, self._pid = self._shelf.anew(), loop, os.getpid()
        self._end = self._at_loop_end()
        await anext(self._end)

    async def _at_loop_end(self) -> AsyncGenerator[None]:
        """Close the hosts in their own loop, as `asyncio.run` and its like close the generators."""
        try:
            yield
        finally:
            await self.aclose()

    async def _opened(self, entry: Entry[ModuleHost]) -> ModuleHost:
        async with entry.lock:  # the first opens, the others wait; where it is cancelled, the next one opens
            if entry.host is None:
                if entry.after is not None:
                    await self._close(entry.after)
                    entry.after = None
                entry.host = await self._open_host(entry.subject)
            return entry.host

    async def _close(self, entry: Entry[ModuleHost]) -> None:
        """Close a host to its end, also where whoever waits for that is cancelled."""
        if entry.closing is None or entry.closing.cancelled():
            entry.closing = asyncio.create_task(self._close_now(entry), name="plataforma-close-host")
        await asyncio.shield(entry.closing)

    async def _close_now(self, entry: Entry[ModuleHost]) -> None:
        async with entry.lock:
            try:
                if entry.host is not None:
                    await entry.host.aclose()
            except Exception:  # noqa: BLE001 - nobody who waits for room, or closes the rest, can do anything about it
                _LOG.exception("A host did not close well")
            entry.host = None
            self._shelf.closed(entry)


class BlockingHostPool:
    """The same for threads: each host runs in a thread of its own, `sync.ModuleHost`."""

    def __init__(self, open_host: Callable[[str], sync.ModuleHost], *, max_hosts: int = 32) -> None:
        self._open_host = open_host
        # By process: hosts that were made before a fork are the parent's, and kept, lest their end touches them.
        self._shelves: dict[int, Shelf[sync.ModuleHost]] = {os.getpid(): Shelf(max_hosts, threading.Lock)}

    def __len__(self) -> int:
        return len(self._shelf)

    @property
    def _shelf(self) -> Shelf[sync.ModuleHost]:
        found = self._shelves.get(os.getpid())
        if found is None:
            found = self._shelves.setdefault(os.getpid(), next(iter(self._shelves.values())).anew())
        return found

    @contextmanager
    def use(self, subject: str, *, by_module: bool = False) -> Iterator[sync.ModuleHost]:
        """Give the host of a subject; while the block runs it is not closed; see `HostPool.use`.

        Raises:
            HostPoolFullError: all hosts are in use.
            ModuleStateError: the host opens or closes, and a module asks.
        """
        shelf = self._shelf
        with shelf.lock:
            entry, evicted = shelf.take(subject, by_module=by_module)
        try:
            if evicted is not None:
                self._close(evicted)
            yield self._opened(entry)
        finally:
            with shelf.lock:
                left = shelf.give_back(entry)
            if left is not None:
                self._close(left)

    def close(self) -> None:
        """Close the hosts, all at once, those in use when they are given back; the pool may be used again."""
        with self._shelf.lock:
            entries = self._shelf.empty()
        hosts = [entry.host for entry in entries]
        concurrent.futures.wait([begun for host in hosts if host is not None and (begun := _begin_close(host))])
        for entry in entries:
            self._close(entry)

    def _opened(self, entry: Entry[sync.ModuleHost]) -> sync.ModuleHost:
        with entry.lock:
            if entry.host is None:
                if entry.after is not None:
                    self._close(entry.after)
                    entry.after = None
                entry.host = self._open_host(entry.subject)
            return entry.host

    def _close(self, entry: Entry[sync.ModuleHost]) -> None:
        with entry.lock:
            try:
                if entry.host is not None:
                    entry.host.close()
            except Exception:  # noqa: BLE001 - nobody who waits for room, or closes the rest, can do anything about it
                _LOG.exception("A host did not close well")
            entry.host = None
            with self._shelf.lock:
                self._shelf.closed(entry)


def _begin_close(host: sync.ModuleHost) -> concurrent.futures.Future[None] | None:
    """Let a host close in its own thread; None where it closes already."""
    try:
        return host.host.submit(host.host.aclose())
    except ModuleStateError:
        return None
