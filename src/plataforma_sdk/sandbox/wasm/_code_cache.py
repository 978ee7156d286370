"""Compiled code of modules: made in a guest that is thrown away, loaded only inside of guests.

Compiling a module of 140 lines takes longer than running it. So its files are compiled once by the runner's own
interpreter, in a guest that holds nothing but their text, and kept by the runner's digest and that of the whole
package: what an entry holds can only have come from a guest that saw exactly this package, and no module's own guest
ever writes one. The host never unmarshals any of it.

On disk an entry is sealed with a keyed digest, in a private directory (`sandbox/_private.py`)::

    entry = digest(secret, key + text) + text        key = digest(runner, paths and sources)
    text  = {path: marshalled code in base64}        secret = 32 random bytes, 0600

An entry that is cut short, damaged, copied from elsewhere or renamed is deleted, and the package compiled anew. The
disk is a help, no more: where it fails, code is kept in memory. A module is always loaded from such code, also right
after it was compiled, so that a seeded run does not depend on what the cache holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import cachetools

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, PlataformaError
from plataforma_sdk.sandbox._private import is_own, locked, private_directory, prune, write_aside

__all__ = ["ROOM", "CodeCache"]

ROOM: Final = "guest"
"""The room of the private cache that this fills."""

Compile = Callable[[Mapping[str, str]], Awaitable[bytes]]
"""``{path: source}`` -> ``{path: code}`` as text, made in a guest that is thrown away."""

_MAX_MEMORY_BYTES: Final = 32 * 2**20
_MAX_ENTRY_BYTES: Final = 16 * 2**20
_KEPT_ENTRIES: Final = 1_024
_PRUNE_EVERY: Final = 64
_DIGEST_BYTES: Final = 32
_SECRET_BYTES: Final = 32
_SUFFIX: Final = ".code"
_READ: Final = os.O_RDONLY | sum(getattr(os, f"O_{name}", 0) for name in ("BINARY", "CLOEXEC", "NOFOLLOW", "NONBLOCK"))
_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.wasm")


class CodeCache:
    """Compiled code by package, in memory and on disk; safe to share between threads.

    Args:
        runner_sha256: digest of the runner whose interpreter compiles and loads.
    """

    def __init__(self, runner_sha256: str) -> None:
        self._runner = runner_sha256.encode()
        self._texts: cachetools.LRUCache[bytes, bytes] = cachetools.LRUCache(_MAX_MEMORY_BYTES, getsizeof=len)
        self._lock = threading.Lock()
        self._opened: tuple[Path, bytes] | None = None
        self._has_failed = False
        self._writes = 0

    async def codes(self, sources: Mapping[str, str], compile_them: Compile) -> dict[str, str]:
        """Return ``{path: code}`` for a package's sources; of a file that does not compile there is none.

        Whatever goes wrong, the module is loaded from its sources, which then say what.
        """
        key = self._key(sources)
        with self._lock:
            text = self._texts.get(key)
        if text is None:
            text = await asyncio.to_thread(self._load, key)
        if text is None:
            try:
                text = await compile_them(sources)
            except PlataformaError as error:
                _LOG.info("The code of a module is not kept: %s", error.message)
                return {}
            asyncio.get_running_loop().run_in_executor(None, self._save, key, text)
        codes = _read(text, sources)
        with self._lock, contextlib.suppress(ValueError):  # larger than the whole cache
            self._texts[key] = text
        return codes

    def _key(self, sources: Mapping[str, str]) -> bytes:
        digest = hashlib.sha256(self._runner)
        for path, source in sorted(sources.items()):
            for part in (path, source):
                data = part.encode("utf-8", "surrogatepass")
                digest.update(len(data).to_bytes(8, "little") + data)
        return digest.digest()

    # --- disk ------------------------------------------------------------------------------------------------------

    def _open(self) -> tuple[Path, bytes] | None:
        with self._lock:
            if self._opened is None and not self._has_failed:
                try:
                    directory = private_directory(ROOM)
                    self._opened = directory, _secret(directory)
                except (PlataformaError, OSError) as error:
                    self._fail("Compiled code of modules is kept in memory only: %s", error)
            return self._opened

    def _fail(self, text: str, error: Exception) -> None:
        self._has_failed = True
        _LOG.warning(text, error)

    def _load(self, key: bytes) -> bytes | None:
        opened = self._open()
        if opened is None:
            return None
        directory, secret = opened
        path = directory / f"{key.hex()}{_SUFFIX}"
        try:
            data = _contents(path, _MAX_ENTRY_BYTES)
        except OSError:
            return None
        text = data[_DIGEST_BYTES:]
        if not hmac.compare_digest(_seal(secret, key, text), data[:_DIGEST_BYTES]):
            _LOG.warning("The compiled code %s is damaged, or was not written here: removed, and made anew", path)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return text

    def _save(self, key: bytes, text: bytes) -> None:
        opened = self._open()
        if opened is None or self._has_failed or len(text) + _DIGEST_BYTES > _MAX_ENTRY_BYTES:
            return
        directory, secret = opened
        try:
            write_aside(directory / f"{key.hex()}{_SUFFIX}", _seal(secret, key, text) + text)
            self._writes += 1
            if self._writes % _PRUNE_EVERY == 1:
                for old in prune(directory, f"*{_SUFFIX}", _KEPT_ENTRIES):
                    old.unlink(missing_ok=True)
        except OSError as error:
            self._fail("Compiled code of modules is no longer written: %s", error)


def _read(text: bytes, sources: Mapping[str, str]) -> dict[str, str]:
    """Read what a guest wrote: of what is no code of these files, nothing."""
    try:
        found: Any = codec.decode(text)
    except CodecError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {path: code for path, code in found.items() if path in sources and isinstance(code, str)}


def _seal(secret: bytes, key: bytes, text: bytes) -> bytes:
    return hashlib.blake2b(key + text, digest_size=_DIGEST_BYTES, key=secret, person=b"guest code").digest()


def _contents(path: Path, max_bytes: int) -> bytes:
    """Read a file that is this user's alone; of a link, a pipe, or what others may write, nothing."""
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not is_own(status) or status.st_size > max_bytes:
            return b""
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(max_bytes)
    finally:
        os.close(descriptor)


def _secret(directory: Path) -> bytes:
    """Return the directory's secret; one that is missing, cut short or open to others is replaced."""
    path = directory / ".secret"
    with locked(directory):
        for _ in range(2):
            with contextlib.suppress(OSError):
                secret = _contents(path, _SECRET_BYTES)
                if len(secret) == _SECRET_BYTES:
                    return secret
            write_aside(path, os.urandom(_SECRET_BYTES))
    raise OSError(f"{path} cannot be read back")
