"""Instances made ahead: warmed up in idle time of the loop, claimed once by one module, never used by a second.

Making an instance costs a millisecond, and the first module in it pays for each page that it is the first to write: 5-8
ms. An instance of the pool has paid already. A pool belongs to one event loop, since a store belongs to one thread. It
fills only after a load, one instance at a time and a slice at a time, while the loop has nothing else to do; in a busy
loop it stays empty, and modules get instances made for them. What nobody claims for ten seconds is freed.

A seeded run must not depend on any of that. So an instance that is made for a seeded module is warmed up too, with the
same inputs; what the warm-up leaves behind is then the same in each.
"""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections import deque
from typing import Final

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._compiled import CompiledRunner
from plataforma_sdk.sandbox.wasm._errands import WARM_UP, ErrandHost, begin_errand, end_errand
from plataforma_sdk.sandbox.wasm._store import GuestStore

__all__ = ["KEPT_S", "SIZE", "WarmPool", "leave_pools", "pool_of"]

SIZE: Final = 4
"""Instances kept; each holds 3-5 MB."""

KEPT_S: Final = 10.0
"""Nobody has loaded a module for so long: free them."""

_AFTER_CLAIM_S: Final = 0.03
"""A load goes on for a while after its claim, and others may follow; each begins the pause anew."""

_PAUSE_S: Final = 0.001
_BUSY_PAUSE_S: Final = 0.005
_BUSY_S: Final = 0.002
"""A loop whose thread has computed for so long during a pause has something to do. That the pause was longer does not
tell: on a busy machine an idle loop is late too."""

_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.wasm")


class WarmPool:
    """The warm instances of one loop.

    Args:
        compiled: what instances are made from.
        size: how many are kept.
    """

    def __init__(self, compiled: CompiledRunner, *, size: int = SIZE) -> None:
        self._compiled = compiled
        self._size = size
        self._ready: deque[GuestStore] = deque()
        self._warming: GuestStore | None = None
        self._turn: asyncio.TimerHandle | None = None
        self._claimed_at = 0.0
        self._users: weakref.WeakSet[object] = weakref.WeakSet()

    def __len__(self) -> int:
        return len(self._ready)

    def join(self, user: object) -> None:
        """Keep the pool for an engine, until it leaves."""
        self._users.add(user)

    def leave(self, user: object) -> None:
        """An engine is closed; with the last one the pool is emptied."""
        self._users.discard(user)
        if not self._users:
            self.close()

    def take(self, max_memory_bytes: int) -> GuestStore | None:
        """Take an instance out for good, if there is one that fits; have another made when the loop is idle."""
        loop = asyncio.get_running_loop()
        self._claimed_at = loop.time()
        self._arm(loop, _AFTER_CLAIM_S)
        if self._ready and self._ready[0].memory.size_bytes <= max_memory_bytes:
            return self._ready.popleft()
        return None

    def close(self) -> None:
        """Free every instance; the next `take` begins anew."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.cancel()
        warming, self._warming = self._warming, None
        for store in (*self._ready, *(() if warming is None else (warming,))):
            store.drop()
        self._ready.clear()

    # --- idle time -------------------------------------------------------------------------------------------------

    def _arm(self, loop: asyncio.AbstractEventLoop, pause_s: float) -> None:
        if self._turn is not None:
            self._turn.cancel()
        self._turn = loop.call_later(pause_s, self._go_on, loop, time.thread_time() + _BUSY_S)

    def _go_on(self, loop: asyncio.AbstractEventLoop, busy_from: float) -> None:
        self._turn = None
        if loop.time() - self._claimed_at > KEPT_S:
            self.close()
        elif self._warming is None and len(self._ready) >= self._size:
            self._arm(loop, KEPT_S / 4)
        elif time.thread_time() > busy_from:
            self._arm(loop, _BUSY_PAUSE_S)
        else:
            try:
                self._work()
            except SandboxError as error:
                _LOG.warning("No instances are made ahead any more: %s", error.message)
                self.close()
            else:
                self._arm(loop, _PAUSE_S)

    def _work(self) -> None:
        """Make an instance, or run a slice of its warm-up."""
        store = self._warming
        if store is None:
            self._warming = GuestStore(self._compiled, ErrandHost(), ResourceLimits(), module="(none yet)")
            begin_errand(self._warming, WARM_UP)
        elif store.poll():
            end_errand(store)
            store.memory.measure()
            self._warming = None
            self._ready.append(store)


_POOLS: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[CompiledRunner, WarmPool]]] = (
    weakref.WeakKeyDictionary()
)
"""The pools of each loop; a host whose engines are compiled in two ways has two."""


def pool_of(compiled: CompiledRunner) -> WarmPool:
    """Return the running loop's pool of a runner; those of loops that were closed without their engines are emptied."""
    loop = asyncio.get_running_loop()
    pools = _POOLS.get(loop)
    if pools is None:
        for other in [other for other in _POOLS if other.is_closed()]:
            for pool in _POOLS.pop(other).values():
                pool.close()
        pools = _POOLS[loop] = {}
    if compiled not in pools:
        pools[compiled] = WarmPool(compiled)
    return pools[compiled]


def leave_pools(user: object) -> None:
    """An engine is closed: empty each pool that it was the last to use, in whatever loop it did."""
    for pool in [pool for pools in _POOLS.values() for pool in pools.values()]:
        pool.leave(user)
