"""Compiled code on disk: one file for each source, which only the processes of this user that share a secret can write.

An entry is unmarshalled, and unmarshalling what an attacker wrote is running it. So the directory is private
(`sandbox/_private.py`: mode 0700, ours, no link), and every entry carries a keyed digest of its key and its content::

    entry = digest(secret, key + code) + code        key = digest(version, file, digest of the source)
    name  = key in hex + ".code"                     secret = 32 random bytes, 0600, made with the directory

What is cut short, damaged, copied from another directory, or renamed to another entry's name has another digest: it is
deleted, and the module is compiled anew. Nothing that a package holds is ever read as an entry.

The secret does not keep out a process of the same user that can read the directory: such a process can as well rewrite
the host. It keeps out what only writes files, or copies them.

The disk is a help, no more: whatever fails (no home, a read-only or full disk, a directory that is not private) is told
once to the log, and code is kept in memory.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import logging
import marshal
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Final

import attrs

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._private import chosen_directory, is_own, locked, private_directory, write_aside
from plataforma_sdk.sandbox.restricted._code_version import code_version

__all__ = ["VARIABLE", "CodeStore", "default_store"]

VARIABLE: Final = "PLATAFORMA_COMPILE_CACHE"
"""Names the directory of the default store, or is ``off``."""

_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.restricted")
_KEYED_BY: Final = ".secret"
_LOCK: Final = ".lock"
_SECRET_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
_SUFFIX: Final = ".code"
_READ: Final = os.O_RDONLY | sum(getattr(os, f"O_{name}", 0) for name in ("BINARY", "CLOEXEC", "NOFOLLOW", "NONBLOCK"))
_IS_LINK: Final = (errno.ELOOP, errno.EMLINK)
_ROOM: Final = 8
"""Evicting frees an eighth more than is needed, so that a full store is not listed at every write."""

_ABANDONED_S: Final = 3_600
"""Age after which a half-written file belongs to a process that was killed."""


def default_store() -> CodeStore | None:
    """Return the user's store: ``$XDG_CACHE_HOME/plataforma-sdk/restricted``, else under ``~/.cache``.

    Where `VARIABLE` is set it names the directory instead, or turns the disk ``off``.
    """
    chosen = os.environ.get(VARIABLE, "")
    return None if chosen == "off" else CodeStore(Path(chosen) if chosen else None)


@attrs.frozen
class _Opened:
    """A directory that has passed the checks."""

    directory: Path
    secret: bytes = attrs.field(repr=False)
    version: bytes

    def key(self, source_digest: bytes, file: str) -> bytes:
        name = file.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(self.version + source_digest + name, digest_size=_DIGEST_BYTES, person=b"key").digest()

    def path(self, key: bytes) -> str:
        return f"{self.directory}{os.sep}{key.hex()}{_SUFFIX}"

    def seal(self, key: bytes, payload: bytes | memoryview) -> bytes:
        digest = hashlib.blake2b(key, digest_size=_DIGEST_BYTES, key=self.secret, person=b"entry")
        digest.update(payload)
        return digest.digest()


class CodeStore:
    """Compiled code by source, file name, policy and Python version; safe to share between threads and processes.

    Nothing is touched before the first module is loaded.

    Args:
        directory: an absolute path, made with mode 0700 where it is missing; None for the user's cache.
        max_entries: files kept; the least recently loaded go first.
        max_bytes: bytes kept.
        version: digest of what compiled code depends on beside its source.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        max_entries: int = 2_048,
        max_bytes: int = 128 << 20,
        version: Callable[[], bytes] = code_version,
    ) -> None:
        self._directory = directory
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._version = version
        self._lock = threading.RLock()  # the garbage collector may bring the same thread here again
        self._opened: _Opened | None = None
        self._has_failed = self._is_read_only = False
        self._told: set[str] = set()
        self._room = (0, 0)

    # --- opening -------------------------------------------------------------------------------------------------

    def _open(self) -> _Opened | None:
        opened = self._opened
        if opened is not None or self._has_failed:
            return opened
        with self._lock:
            if self._opened is None and not self._has_failed:
                try:
                    version, directory = self._version(), self._own_directory()
                    self._opened = _Opened(directory, _secret(directory), version)
                except (SandboxError, OSError) as error:
                    self._has_failed = True
                    self._tell("Compiled code of modules is kept in memory only: %s", error)
            return self._opened

    def _own_directory(self) -> Path:
        return private_directory("restricted") if self._directory is None else chosen_directory(self._directory)

    def _tell(self, text: str, *args: object) -> None:
        """Warn once of each kind: a host that loads thousands of modules has one disk."""
        _LOG.log(logging.DEBUG if text in self._told else logging.WARNING, text, *args)
        self._told.add(text)

    # --- entries -------------------------------------------------------------------------------------------------

    def load(self, source_digest: bytes, file: str) -> tuple[CodeType, int] | None:
        """Return the code of a source and its size in the store; None where it is not there, or not to be trusted."""
        opened = self._open()
        if opened is None:
            return None
        key = opened.key(source_digest, file)
        path = opened.path(key)
        try:
            data = _read(path, self._max_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._tell("The compiled code of a module cannot be read, and is made anew: %s", error)
            return None
        payload = memoryview(data)[_DIGEST_BYTES:]
        code = None
        if hmac.compare_digest(opened.seal(key, payload), data[:_DIGEST_BYTES]):
            code = marshal.loads(payload)  # noqa: S302 - its digest shows that we wrote it
        if not isinstance(code, CodeType):
            self._tell("The compiled code %s is damaged, or was not written here: removed, and made anew", path)
            with contextlib.suppress(OSError):
                Path(path).unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return code, len(data)

    def save(self, source_digest: bytes, file: str, payload: bytes) -> None:
        """Keep marshalled code; whatever keeps it from being written is logged, no more."""
        opened = self._open()
        size = len(payload) + _DIGEST_BYTES
        if opened is None or self._is_read_only or size * _ROOM > self._max_bytes:
            return
        key = opened.key(source_digest, file)
        try:
            write_aside(Path(opened.path(key)), opened.seal(key, payload) + payload)
            self._evict(opened.directory, size)
        except OSError as error:
            self._is_read_only = True
            self._tell("Compiled code of modules is no longer written to %s: %s", opened.directory, error)

    # --- eviction --------------------------------------------------------------------------------------------------

    def _evict(self, directory: Path, size: int) -> None:
        """Keep to the bounds. Listing costs 2 µs an entry, so it waits until this store's own writes fill the room."""
        with self._lock:
            entries, room = self._room[0] - 1, self._room[1] - size
            self._room = self._make_room(directory) if entries < 0 or room < 0 else (entries, room)

    def _make_room(self, directory: Path) -> tuple[int, int]:
        """Remove the entries loaded longest ago; return how many, and how many bytes, may come before the next look.

        Other processes write too: each is granted an eighth at most, by which the bounds may be exceeded.
        """
        found = sorted(_entries(directory))
        count, total = len(found), sum(size for _, size, _ in found)
        spare_entries, spare_bytes = self._max_entries // _ROOM, self._max_bytes // _ROOM
        if count > self._max_entries or total > self._max_bytes:
            for _, size, path in found:
                if count <= self._max_entries - spare_entries and total <= self._max_bytes - spare_bytes:
                    break
                Path(path).unlink(missing_ok=True)  # another process evicts too
                count, total = count - 1, total - size
        return min(self._max_entries - count, spare_entries), min(self._max_bytes - total, spare_bytes)


def _entries(directory: Path) -> Iterator[tuple[int, int, str]]:
    """Yield time of the last load, size and path of each entry; half-written files of killed processes go."""
    with os.scandir(directory) as files:
        for file in files:
            is_entry = file.name.endswith(_SUFFIX)
            if (not is_entry and not file.name.startswith(".")) or file.name in (_KEYED_BY, _LOCK):
                continue
            with contextlib.suppress(FileNotFoundError):
                status = file.stat(follow_symlinks=False)
                if is_entry:
                    yield status.st_mtime_ns, status.st_size, file.path
                elif time.time() - status.st_mtime > _ABANDONED_S:
                    Path(file.path).unlink()


def _read(path: str | Path, max_bytes: int) -> bytes:
    """Read a file that is this user's alone; of a link, a pipe, or what others may write, nothing."""
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno in _IS_LINK:
            return b""
        raise
    try:
        status = os.fstat(descriptor)
        return os.read(descriptor, status.st_size) if is_own(status) and status.st_size <= max_bytes else b""
    finally:
        os.close(descriptor)


def _secret(directory: Path) -> bytes:
    """Return the directory's secret; one that is missing, cut short or open to others is replaced.

    Entries sealed with another are refused one by one as they are met.
    """
    path = directory / _KEYED_BY
    secret = _read_secret(path)
    if secret is None:
        with locked(directory):
            secret = _read_secret(path)
            if secret is None:
                write_aside(path, os.urandom(_SECRET_BYTES))
                secret = _read_secret(path)
    if secret is None:
        raise SandboxError(f"The secret {path} cannot be read back")
    return secret


def _read_secret(path: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        secret = _read(path, _SECRET_BYTES)
        if len(secret) == _SECRET_BYTES:
            return secret
    return None
