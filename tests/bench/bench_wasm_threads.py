"""What threads give the wasm tier, and what they cost: ``python -m tests.bench wasm-threads`` (under 30 s).

Two modules that compute, one after the other and at once, on the event loop alone and with two threads; a light
module's call and the gap of the loop while both compute; a warm call and a host callback in each mode. Best of several
rounds, since a machine that does other things shows in every figure of two cores.
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import time
from typing import Any

import attrs
from wasm_work import best

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHandle, ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.wasm import WasmEngine

SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Probe(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("probe")

    def nothing(self):
        return None

    def calls(self, n):
        for _ in range(n):
            self.permissions.has("x.y")

    def compute(self, n):
        total = 0
        for i in range(n):
            total += i * i % 7
        return total
"""

LIMITS = ResourceLimits(max_step_ms=60_000, max_call_ms=60_000, max_host_calls_per_s=10_000_000)
MODES: dict[str, dict[str, Any]] = {
    "fibers": {},
    "fibers, threads=2": {"threads": 2},
    "mode='threads'": {"mode": "threads"},
}
WORK = 2_000_000
ROUNDS = 5
CALLS = 300


@attrs.frozen
class Figures:
    """Of one mode, best of several rounds.

    Attributes:
        alone_s: one module computes.
        both_s: two compute at once.
        gap_ms: 99th percentile of the gaps between turns of the loop meanwhile.
        call_us: a warm call.
        callback_us: a host callback.
    """

    alone_s: float
    both_s: float
    gap_ms: float
    call_us: float
    callback_us: float

    @property
    def speed_up(self) -> float:
        """How much sooner both are done than one after the other."""
        return 2 * self.alone_s / self.both_s


async def gaps(seconds: list[float]) -> None:
    """Append the time between turns of the loop, until cancelled."""
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        seconds.append(now - last - 0.001)
        last = now


async def many(handle: ModuleHandle) -> None:
    for _ in range(CALLS):
        await handle.call("nothing")


async def both(handles: list[ModuleHandle]) -> None:
    await asyncio.gather(*(handle.call("compute", WORK) for handle in handles))


async def measure(settings: dict[str, Any]) -> Figures:
    """Measure one mode through the public host."""
    async with ModuleHost(engine=WasmEngine(**settings), limits=LIMITS) as host:
        handles = [await host.load(ModulePackage.from_source(SOURCE, id=f"probe{n}", version="1.0.0")) for n in (1, 2)]
        first = handles[0]
        await both(handles)
        alone = await best(lambda: first.call("compute", WORK), ROUNDS)
        together = await best(lambda: both(handles), ROUNDS)
        seconds: list[float] = []
        watching = asyncio.create_task(gaps(seconds))
        await both(handles)
        watching.cancel()
        call = await best(lambda: many(first), ROUNDS) / CALLS
        callback = await best(lambda: first.call("calls", CALLS), ROUNDS) / CALLS
    return Figures(alone, together, statistics.quantiles(seconds, n=100)[98] * 1e3, call * 1e6, callback * 1e6)


def main() -> None:
    """Print one row a mode, and the load of the machine, without which the rows say little."""
    print(f"CPython {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    print(f"{'mode':<20}{'alone':>9}{'both':>9}{'speed-up':>10}{'loop gap p99':>14}{'call':>10}{'callback':>10}")
    for name, settings in MODES.items():
        row = asyncio.run(measure(settings))
        times = f"{row.alone_s * 1e3:>6.0f} ms{row.both_s * 1e3:>6.0f} ms{row.speed_up:>9.2f}x{row.gap_ms:>11.2f} ms"
        print(f"{name:<20}{times}{row.call_us:>7.1f} us{row.callback_us:>7.1f} us")


if __name__ == "__main__":
    main()
