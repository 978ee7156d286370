"""Tells which files of a module have changed: its own, inside its directory, once they are written.

What is true is decided by looking: name, time, size and inode of every file that a package would hold. A watcher of
the system (``watchfiles``, in the extra ``cli``) only says when to look; without one, somebody looks 50 times a second.
So a rename that replaces a file, which is how most editors save, is a change of that file, and nothing depends on the
events that some system sends for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import attrs

from plataforma_sdk.package import is_skipped

__all__ = ["Change", "Poller", "Waker", "best_waker", "scan", "watch"]

QUIET_S: Final = 0.008
"""How long nothing may change before it counts as saved: an editor writes several files, or one in pieces."""

MAX_UNQUIET_S: Final = 0.25
POLL_S: Final = 0.02
HEARTBEAT_S: Final = 1.0
"""How often it is looked beside the system's watcher, which sees nothing on some network and container mounts."""

MAX_FILES: Final = 10_000

Snapshot: TypeAlias = "dict[str, tuple[int, int, int]]"


@attrs.frozen
class Change:
    """What was saved.

    Attributes:
        files: POSIX paths below the directory, sorted.
        seen_at: `time.perf_counter` when the first of it was seen.
    """

    files: tuple[str, ...]
    seen_at: float


class Waker(Protocol):
    """Says when it is worth looking."""

    async def wait(self, directories: frozenset[str]) -> None:
        """Return when something may have changed in one of these directories, or sooner."""


class Poller:
    """Looks again and again, more seldom where a look takes long."""

    def __init__(self, interval_s: float = POLL_S) -> None:
        self._interval_s = interval_s

    async def wait(self, _: frozenset[str]) -> None:
        """Wait for the interval."""
        await asyncio.sleep(self._interval_s)


class SystemWatcher:
    """Waits for the system's events, directory by directory: a recursive watch would follow links out of the module."""

    def __init__(self) -> None:
        import watchfiles

        self._awatch = watchfiles.awatch
        self._watched: frozenset[str] = frozenset()
        self._events: AsyncIterator[object] | None = None

    async def wait(self, directories: frozenset[str]) -> None:
        """Wait for an event, or a second; in directories that are new, return at once to have them looked at."""
        if self._events is None or directories != self._watched:
            self._watched = directories
            self._events = self._awatch(
                *sorted(directories),
                watch_filter=None,
                debounce=50,
                step=1,
                rust_timeout=round(HEARTBEAT_S * 1_000),
                yield_on_timeout=True,
                recursive=False,
            )
        try:
            await anext(self._events)
        except (StopAsyncIteration, OSError):  # a directory went away in between
            self._events = None
            await asyncio.sleep(POLL_S)


def best_waker() -> Waker:
    """Return the system's watcher where it is installed, else one that polls."""
    try:
        return SystemWatcher()
    except ImportError:
        return Poller()


async def watch(root: Path, *, waker: Waker | None = None, known: Snapshot | None = None) -> AsyncIterator[Change]:
    """Yield what was saved in a directory, for ever.

    Args:
        root: the module's directory, resolved: no link is followed.
        waker: says when to look.
        known: the files as they were when the module was read, from `scan`; None takes those of now.
    """
    waker = waker or best_waker()
    known = scan(root) if known is None else known
    while True:
        now = scan(root)
        if now == known:
            await waker.wait(_directories(root, now))
            continue
        seen_at = time.perf_counter()
        now = await _settled(root, now, seen_at)
        changed = sorted(name for name in known.keys() | now.keys() if known.get(name) != now.get(name))
        known = now
        files = tuple(name for name in changed if not name.endswith("/") and not _is_temporary(name))
        if files:
            yield Change(files, seen_at)


async def _settled(root: Path, now: Snapshot, since: float) -> Snapshot:
    while time.perf_counter() - since < MAX_UNQUIET_S:
        await asyncio.sleep(QUIET_S)
        before, now = now, scan(root)
        if now == before:
            break
    return now


def scan(root: Path) -> Snapshot:
    """Look at every file that a package would hold: path -> time, size, inode; directories end in ``/``.

    Links are seen and not followed. A directory that is gone holds nothing.
    """
    found: Snapshot = {}
    pending = [""]
    while pending and len(found) < MAX_FILES:
        folder = pending.pop()
        with contextlib.suppress(OSError), os.scandir(root / folder) as entries:
            for entry in entries:
                name = folder + entry.name
                if not is_skipped(entry.name):
                    with contextlib.suppress(OSError):
                        _look(entry, name, found, pending.append)
    return found


def _look(entry: os.DirEntry[str], name: str, found: Snapshot, descend: Callable[[str], None]) -> None:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        found[name + "/"] = (0, 0, status.st_ino)
        descend(name + "/")
    else:
        found[name] = (status.st_mtime_ns, status.st_size, status.st_ino)


def _directories(root: Path, snapshot: Snapshot) -> frozenset[str]:
    return frozenset([str(root), *(str(root / name) for name in snapshot if name.endswith("/"))])


def _is_temporary(name: str) -> bool:
    """Whether it is what an editor keeps beside a file: backups, and probes such as vim's ``4913``."""
    base = name.rpartition("/")[2]
    return base.endswith(("~", ".swp", ".tmp", ".bak", ".orig")) or base == "4913" or base.startswith("#")
