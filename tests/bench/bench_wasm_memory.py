"""What modules of the wasm tier hold, live and parked, and how fast they load.

``python -m tests.bench wasm-memory 1000``

The module is `workloads/order_desk.py`: 150 lines, dataclasses, patterns, state. Memory is the process's Private_Dirty
divided by the number of modules, so the host's own objects count too; RSS would count shared pages once for each.
Linux only. 100 modules take half a minute, 1,000 some minutes and 4 GB.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from pathlib import Path

from plataforma_sdk import ModuleHandle, ModuleHost, ModulePackage

COUNT = 100
LOADS = 40
SOURCE = Path(__file__).with_name("workloads").joinpath("order_desk.py").read_text(encoding="utf-8")
TINY = """
from plataforma_sdk import ModuleFramework, ui

class Tiny(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("tiny")

    def echo(self, value):
        return value
"""
LINES = [{"sku": "sku-001", "quantity": 2, "price": 3.5}, {"sku": "sku-040", "price": 1.0}]
SETTLED_S = 1.5
"""Pages that a load did not change are given back a moment later."""


def private_mb() -> float:
    """Private_Dirty of this process, in MB."""
    with Path("/proc/self/smaps_rollup").open(encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty")) / 1024


class Table:
    """Prints what each step costs a module."""

    def __init__(self, count: int) -> None:
        gc.collect()
        self._count = count
        self._before = private_mb()

    def show(self, step: str, times: list[float]) -> None:
        """Print a step's memory and times."""
        gc.collect()
        used = private_mb() - self._before
        best, median = min(times) * 1e3, statistics.median(times) * 1e3
        memory = f"{used:8.0f} MB, {used / self._count:6.2f} each"
        print(f"  {step:<36} {memory}   best {best:7.2f} ms   median {median:7.2f} ms", flush=True)


def customer(number: int) -> str:
    return f"customer-{number}"


def orders(number: int) -> int:
    return number % 7 + 1


async def load_all(host: ModuleHost, count: int) -> tuple[list[ModuleHandle], list[float]]:
    handles, times = [], []
    for number in range(count):
        package = ModulePackage.from_source(SOURCE, id=f"desk-{number}")
        began = time.perf_counter()
        handle = await host.load(package)
        times.append(time.perf_counter() - began)
        handles.append(handle)
        for _ in range(orders(number)):
            await handle.call("place", customer(number), LINES)
    return handles, times


async def park_all(handles: list[ModuleHandle]) -> list[float]:
    times = []
    for handle in handles:
        began = time.perf_counter()
        if not await handle.park():
            raise SystemExit("modules are not parked here; the log says why")
        times.append(time.perf_counter() - began)
    assert {handle.state for handle in handles} == {"parked"}
    return times


async def ask_all(handles: list[ModuleHandle]) -> list[float]:
    times = []
    for number, handle in enumerate(handles):
        began = time.perf_counter()
        report = await handle.call("report", customer(number))
        times.append(time.perf_counter() - began)
        expected = (customer(number), orders(number), round(8.0 * orders(number), 2))
        assert (report["customer"], report["orders"], report["total"]) == expected, report
    return times


async def bench_memory(count: int) -> None:
    async with ModuleHost(engine="wasm") as host:
        first = await host.load(ModulePackage.from_source(SOURCE, id="first"))  # the process's own part
        await first.park()
        await asyncio.sleep(SETTLED_S)
        table = Table(count)
        handles, times = await load_all(host, count)
        await asyncio.sleep(SETTLED_S)
        table.show("live, with state", times)
        table.show("asked", await ask_all(handles))
        table.show("parked", await park_all(handles))
        usage = statistics.mean(handle.usage.memory_bytes for handle in handles) / 2**20
        print(f"  {'of which usage.memory_bytes':<36} {usage:20.2f} each")
        table.show("woken, each with its own state", await ask_all(handles))
        table.show("asked again", await ask_all(handles))


async def bench_loads(name: str, source: str) -> None:
    """Load into warm instances: the pool has time to make one between two loads."""
    async with ModuleHost(engine="wasm") as host:
        times = []
        for number in range(LOADS):
            package = ModulePackage.from_source(source, id=f"load-{number}")
            await asyncio.sleep(0.15)
            began = time.perf_counter()
            await host.load(package)
            times.append(time.perf_counter() - began)
        best, median = min(times) * 1e3, statistics.median(times) * 1e3
        print(f"  {name:<36} {'':23} best {best:7.2f} ms   median {median:7.2f} ms")


async def run(count: int) -> None:
    await bench_loads("load a tiny module, on_load included", TINY)
    await bench_loads("load a module of 150 lines", SOURCE)
    await bench_memory(count)


def main(count: int = COUNT) -> None:
    """Print the table."""
    if not sys.platform.startswith("linux"):
        print("  Linux only")
        return
    asyncio.run(run(count))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
