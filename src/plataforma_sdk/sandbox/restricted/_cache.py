"""Compiled code, made once for each text: kept in memory, and beside it on disk for the next process.

::

    compile(source, file) -> in memory, by (digest of the source, file)              about 5 µs
                          -> on disk, by that and the versions; see `_code_store`    about 0.1 ms
                          -> `compile_source`                                        tens of ms

The same text gives the same code, which holds no state, so sandboxes share it. A text that several threads ask for at
once is compiled by one of them. What the policy refuses is not kept: the error names the module that asked.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import threading
from concurrent.futures import Future
from types import CodeType
from typing import Final, TypeAlias

import cachetools

from plataforma_sdk.sandbox.restricted._code_store import CodeStore
from plataforma_sdk.sandbox.restricted._compile import compile_source

__all__ = ["CompileCache"]

_Key: TypeAlias = tuple[bytes, str]
_Kept: TypeAlias = tuple[CodeType, int]

_UNFOLDED: Final = 3
"""Bytes in memory for one of marshalled code; measured, 1.6 to 2.4, and more for files of a few lines."""


class CompileCache:
    """Instrumented code by source and file name; safe to share between threads, hosts and engines.

    >>> cache = CompileCache()
    >>> cache.compile("x = 1", "m.py") is cache.compile("x = 1", "m.py")
    True

    Args:
        max_entries: files kept in memory; the least recently used go first.
        max_bytes: bytes kept in memory.
        store: where code is kept on disk; None for memory alone.
    """

    def __init__(self, max_entries: int = 512, *, max_bytes: int = 64 << 20, store: CodeStore | None = None) -> None:
        self._max_entries = max_entries
        self._kept: cachetools.LRUCache[_Key, _Kept] = cachetools.LRUCache(max_bytes, getsizeof=lambda kept: kept[1])
        self._store = store
        self._lock = threading.Lock()
        self._inside: set[int] = set()
        self._running: dict[tuple[int, _Key], Future[CodeType | None]] = {}

    def compile(self, source: str, file: str, *, module: str | None = None) -> CodeType:
        """Return the code of a file; `module` is for messages. See `compile_source` for what it raises."""
        thread = threading.get_ident()
        if thread in self._inside:
            # The garbage collector runs a module's ``finally`` anywhere, also below, where it would wait for itself.
            return compile_source(source, file, module=module)
        self._inside.add(thread)
        try:
            key = (hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest(), file)
            return self._kept_code(key) or self._shared_code(key, source, module)
        finally:
            self._inside.discard(thread)

    def _kept_code(self, key: _Key) -> CodeType | None:
        with self._lock:
            kept = self._kept.get(key)
        return None if kept is None else kept[0]

    def _shared_code(self, key: _Key, source: str, module: str | None) -> CodeType:
        """Wait for the thread that is at it, or do it; where the other was refused, be refused in one's own name."""
        place = (os.getpid(), key)  # what runs while the process forks never ends in the child
        while True:
            with self._lock:
                running = self._running.get(place)
                if running is None:
                    own = self._running[place] = Future()
                    break
            code = running.result()
            if code is not None:
                return code
        code = None
        try:
            code = self._kept_code(key) or self._found_or_made(key, source, module)
            return code
        finally:
            with self._lock:
                del self._running[place]
            own.set_result(code)

    def _found_or_made(self, key: _Key, source: str, module: str | None) -> CodeType:
        found = self._store.load(*key) if self._store is not None else None
        if found is None:
            code = compile_source(source, key[1], module=module)
            payload = marshal.dumps(code)
            if self._store is not None:
                self._store.save(*key, payload)
            found = code, len(payload)
        self._keep(key, *found)
        return found[0]

    def _keep(self, key: _Key, code: CodeType, size: int) -> None:
        weight = size * _UNFOLDED
        with self._lock:
            if weight <= self._kept.maxsize:
                self._kept[key] = (code, weight)
            while len(self._kept) > self._max_entries:
                self._kept.popitem()
