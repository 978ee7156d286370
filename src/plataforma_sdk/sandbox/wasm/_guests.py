"""Makes the guests of one load: the module's own, warm where that can be had, and one that compiles and is gone."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from collections.abc import Mapping
from typing import Final

from plataforma_sdk import codec
from plataforma_sdk.errors import SandboxCrashedError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._code_cache import CodeCache
from plataforma_sdk.sandbox.wasm._compiled import CompiledRunner
from plataforma_sdk.sandbox.wasm._errands import WARM_UP, ErrandHost, run_errand
from plataforma_sdk.sandbox.wasm._pages import give_back_unchanged
from plataforma_sdk.sandbox.wasm._pool import WarmPool
from plataforma_sdk.sandbox.wasm._store import GuestStore
from plataforma_sdk.sandbox.wasm._traps import DEFAULT_FUEL
from plataforma_sdk.sandbox.wasm._wasi import GuestHost

__all__ = ["GuestMaker", "code_cache"]

_TIDY_AFTER_S: Final = 0.25
"""`on_load` has run by then, mostly."""

_TIDY_AGAIN_S: Final = 1.0


class GuestMaker:
    """What one load needs of the runner.

    Args:
        compiled: the runner.
        pool: the loop's warm instances.
        context: the module's limits, seed and name.

    Attributes:
        compiled: the runner.
    """

    def __init__(self, compiled: CompiledRunner, pool: WarmPool, context: EngineContext) -> None:
        self.compiled = compiled
        self._pool = pool
        self._context = context
        self._warm: GuestStore | None = None
        self._made: GuestStore | None = None

    async def warm(self) -> None:
        """Take an instance of the pool; where it has none, and the run is seeded, warm one up here: see `_pool`.

        Raises:
            ResourceLimitError: the memory limit is below what the interpreter itself needs.
        """
        context = self._context
        self._warm = self._pool.take(context.limits.max_memory_bytes)
        if self._warm is None and context.seed is not None:
            self._warm = GuestStore(self.compiled, ErrandHost(), context.limits, module=context.module_id)
            await run_errand(self._warm, WARM_UP)

    async def compile(self, sources: Mapping[str, str]) -> bytes:
        """Compile sources in a guest that holds nothing else, within the module's limits; see `CodeCache`.

        Raises:
            SandboxError: it took too much.
        """
        limits = self._context.limits
        store = self._pool.take(limits.max_memory_bytes)
        if store is None:
            store = GuestStore(self.compiled, ErrandHost(), limits, module=self._context.module_id)
        else:
            store.claim(ErrandHost(), limits, module=self._context.module_id)
        try:
            async with asyncio.timeout(limits.max_call_ms / 1_000):
                request = codec.encode(dict(sources)).encode()
                return await run_errand(store, request, fuel=limits.max_fuel or DEFAULT_FUEL)
        except TimeoutError:
            raise SandboxCrashedError(f"Compiling took more than {limits.max_call_ms} ms") from None
        finally:
            store.drop()

    def make(self, host: GuestHost) -> GuestStore:
        """Return the module's instance, bound to its host."""
        context = self._context
        store, self._warm = self._warm, None
        if store is None:
            store = GuestStore(self.compiled, host, context.limits, module=context.module_id)
        else:
            store.claim(host, context.limits, module=context.module_id)
        self._made = store
        return store

    def drop(self) -> None:
        """The load has failed before there was a module: free its instance."""
        store, self._warm = self._warm, None
        if store is not None:
            store.drop()

    def tidy_later(self) -> None:
        """When the module has settled, free the pages that its load has written and not changed."""
        store, loop = self._made, asyncio.get_running_loop()
        if store is not None and store.memory.image is not None:
            loop.call_later(_TIDY_AFTER_S, _tidy, loop, weakref.ref(store))


def _tidy(loop: asyncio.AbstractEventLoop, reference: weakref.ref[GuestStore], again: bool = True) -> None:
    store = reference()
    if store is None:
        return
    if not store.is_busy:
        with contextlib.suppress(OSError):  # a kernel that does not tell: the pages stay
            give_back_unchanged(store.memory)
    elif again:
        loop.call_later(_TIDY_AGAIN_S, _tidy, loop, reference, False)


@functools.cache
def code_cache(compiled: CompiledRunner) -> CodeCache:
    """Return the process's cache of compiled code."""
    return CodeCache(compiled.runner.sha256)
