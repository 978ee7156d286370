"""Looks for leaks of the wasm tier: ``python -m tests.soak.soak_wasm [mode ...]`` (2 to 5 minutes a mode).

Through the public host: 200,000 calls, 200,000 host callbacks and 2,000 cancellations, half of calls that wait and end
in order, half of calls that spin and take their instance with them. Each phase is run small first, so that what grows
once (pools of memory, code, caches) has grown; then its real length may add no more than 5 MB.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.wasm import WasmEngine

SOURCE: Final = """
import asyncio
from plataforma_sdk import ModuleFramework, ui

class Probe(ModuleFramework):
    async def on_load(self):
        self.cancelled = 0

    def render(self):
        return ui.text("probe")

    def add(self, a, b):
        return a + b

    async def add_later(self, a, b):
        return a + b

    async def sleep(self):
        await asyncio.sleep(0)
        return 1

    def callbacks(self, n):
        for _ in range(n):
            self.permissions.has("x.y")
        return n

    async def wait(self):
        try:
            await asyncio.sleep(3600)
        finally:
            self.cancelled += 1

    def count_cancelled(self):
        return self.cancelled

    def spin(self):
        while True:
            pass
"""
LIMITS: Final = ResourceLimits(max_step_ms=60_000, max_call_ms=60_000, max_host_calls_per_s=10_000_000)
MODES: Final[dict[str, dict[str, Any]]] = {
    "fibers": {},
    "fibers-and-threads": {"threads": 2},
    "threads": {"mode": "threads"},
}
CALLS: Final = 200_000
CALLBACKS: Final = 200_000
CANCELLATIONS: Final = 1_000
"""Of each of the two kinds."""

WARM_UP: Final = 5
"""How much shorter the first, small run of each phase is."""

AT_ONCE: Final = 10
GRACE_S: Final = 0.15
MAX_GROWTH_MB: Final = 5.0
Phase = Callable[[ModuleHost, Any, int], Awaitable[None]]


async def calls(_: ModuleHost, module: Any, count: int) -> None:
    """Call: plain, asynchronous, and one in ten that waits for the loop."""
    for number in range(count // 10):
        for _ in range(5):
            assert await module.call("add", number, 1) == number + 1
        for _ in range(4):
            assert await module.call("add_later", number, 2) == number + 2
        assert await module.call("sleep") == 1


async def callbacks(_: ModuleHost, module: Any, count: int) -> None:
    """Call the host back, a thousand times a call."""
    for _ in range(count // 1_000):
        assert await module.call("callbacks", 1_000) == 1_000


async def soft_cancellations(_: ModuleHost, module: Any, count: int) -> None:
    """Cancel calls that wait: the guest ends them in order and lives."""
    before = await module.call("count_cancelled")
    for _ in range(count):
        task = asyncio.create_task(module.call("wait"))
        await asyncio.sleep(0.001)
        await cancel(task)
    await module.call("sleep")  # the last cancellation may come in one inbox with the next call
    assert await module.call("count_cancelled") == before + count


async def hard_cancellations(host: ModuleHost, _: Any, count: int) -> None:
    """Cancel calls that spin: each takes its instance with it, a fiber or a thread inside."""
    for _ in range(count // AT_ONCE):
        await asyncio.gather(*(one_hard_cancellation(host, number) for number in range(AT_ONCE)))


async def one_hard_cancellation(host: ModuleHost, number: int) -> None:
    """Load a module, let it spin, cancel, unload: half of them at once, half when the grace has ended the guest."""
    handle = await host.load(package(f"spinner{number}"))
    task = asyncio.create_task(handle.call("spin"))
    await asyncio.sleep(0.005)
    await cancel(task)
    if number % 2:
        await asyncio.sleep(GRACE_S)
    await host.unload(handle.id)


async def cancel(task: asyncio.Task[Any]) -> None:
    """Cancel a call that has not ended."""
    assert task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError("a cancelled call returned")


PHASES: Final[dict[str, tuple[Phase, int]]] = {
    "calls": (calls, CALLS),
    "callbacks": (callbacks, CALLBACKS),
    "cancellations of calls that wait": (soft_cancellations, CANCELLATIONS),
    "cancellations of calls that spin": (hard_cancellations, CANCELLATIONS),
}


def package(name: str) -> ModulePackage:
    """Make the module."""
    return ModulePackage.from_source(SOURCE, id=name, version="1.0.0")


def rss_mb() -> float:
    """Return the resident memory, after what is free has been given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def settled_rss_mb(host: ModuleHost) -> float:
    """Return the resident memory once ended guests are gone."""
    for _ in range(5):
        await asyncio.sleep(0.05)
    return rss_mb()


async def soak(settings: dict[str, Any]) -> float:
    """Run every phase and return the megabytes that all of them added."""
    async with ModuleHost(engine=WasmEngine(**settings), limits=LIMITS) as host:
        module = await host.load(package("probe"))
        for phase, count in PHASES.values():
            await phase(host, module, max(1_000 if phase is callbacks else AT_ONCE, count // WARM_UP))
        before = first = await settled_rss_mb(host)
        print(f"  {'warm':<36}{first:>9.1f} MB", flush=True)
        for name, (phase, count) in PHASES.items():
            began = time.perf_counter()
            await phase(host, module, count)
            seconds, now = time.perf_counter() - began, await settled_rss_mb(host)
            print(f"  {count:>7,} {name:<28}{now:>9.1f} MB {now - before:>+6.1f} {seconds:>7.1f} s", flush=True)
            before = now
    return before - first


def main(names: list[str]) -> int:
    """Soak the modes named, or all; 1 where memory has grown."""
    logging.disable(logging.ERROR)  # each spinner's end is one
    has_grown = False
    for name in names or MODES:
        print(f"{name}:", flush=True)
        grown = asyncio.run(soak(MODES[name]))
        print(f"  {'in all':<36}{grown:>+9.1f} MB of {MAX_GROWTH_MB:.0f} allowed", flush=True)
        has_grown |= grown > MAX_GROWTH_MB
    return int(has_grown)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
