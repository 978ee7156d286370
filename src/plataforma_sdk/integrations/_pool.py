"""A host for every user: opened at first use, kept while there is room, closed when the least recently used.

One host is one trust domain, so users never share one.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from plataforma_sdk import sync
from plataforma_sdk.integrations._shelf import Entry, HostPoolFullError, Shelf
from plataforma_sdk.runtime import ModuleHost

__all__ = ["BlockingHostPool", "HostPool", "HostPoolFullError"]


class HostPool:
    """Hosts of one event loop.

    Args:
        open_host: opens the host of a subject and loads its modules.
        max_hosts: how many there are at most, in use or idle.
    """

    def __init__(self, open_host: Callable[[str], Awaitable[ModuleHost]], *, max_hosts: int = 100) -> None:
        self._open_host = open_host
        self._shelf: Shelf[ModuleHost] = Shelf(max_hosts, asyncio.Lock)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._shelf)

    @asynccontextmanager
    async def use(self, subject: str) -> AsyncIterator[ModuleHost]:
        """Give the host of a subject; while the block runs it is not closed.

        Raises:
            HostPoolFullError: all hosts are in use.
        """
        self._enter_loop()
        entry, evicted = self._shelf.take(subject)
        try:
            if evicted is not None:
                await self._close(evicted)
            yield await self._opened(entry)
        finally:
            self._shelf.give_back(entry)

    async def aclose(self) -> None:
        """Close the hosts that are not in use; the pool may be used again."""
        for entry in self._shelf.empty():
            await self._close(entry)

    def _enter_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                self._shelf.forget()
            self._loop = loop

    async def _opened(self, entry: Entry[ModuleHost]) -> ModuleHost:
        async with entry.lock:  # the first opens, the others wait; where it is cancelled, the next one opens
            if entry.host is None:
                if entry.after is not None:
                    async with entry.after.lock:
                        entry.after = None
                entry.host = await self._open_host(entry.subject)
            return entry.host

    async def _close(self, entry: Entry[ModuleHost]) -> None:
        async with entry.lock:
            host, entry.host = entry.host, None
            try:
                if host is not None:
                    await host.aclose()
            finally:
                self._shelf.closed(entry)


class BlockingHostPool:
    """The same for threads: each host runs in a thread of its own, `sync.ModuleHost`."""

    def __init__(self, open_host: Callable[[str], sync.ModuleHost], *, max_hosts: int = 32) -> None:
        self._open_host = open_host
        self._shelf: Shelf[sync.ModuleHost] = Shelf(max_hosts, threading.Lock)

    def __len__(self) -> int:
        return len(self._shelf)

    @contextmanager
    def use(self, subject: str) -> Iterator[sync.ModuleHost]:
        """Give the host of a subject; while the block runs it is not closed.

        Raises:
            HostPoolFullError: all hosts are in use.
        """
        with self._shelf.lock:
            entry, evicted = self._shelf.take(subject)
        try:
            if evicted is not None:
                self._close(evicted)
            yield self._opened(entry)
        finally:
            with self._shelf.lock:
                self._shelf.give_back(entry)

    def close(self) -> None:
        """Close the hosts that are not in use; the pool may be used again."""
        with self._shelf.lock:
            entries = self._shelf.empty()
        for entry in entries:
            self._close(entry)

    def _opened(self, entry: Entry[sync.ModuleHost]) -> sync.ModuleHost:
        with entry.lock:
            if entry.host is None:
                with entry.after.lock if entry.after is not None else contextlib.nullcontext():
                    entry.after = None
                entry.host = self._open_host(entry.subject)
            return entry.host

    def _close(self, entry: Entry[sync.ModuleHost]) -> None:
        with entry.lock:
            host, entry.host = entry.host, None
            try:
                if host is not None:
                    host.close()
            finally:
                with self._shelf.lock:
                    self._shelf.closed(entry)
