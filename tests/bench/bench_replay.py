"""What a journal costs, how fast it runs again, how large and slow snapshots are: ``python -m tests.bench replay``."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from plataforma_sdk import ModuleHandle, ModuleHost, ModulePackage
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.wasm import replay

SOURCE = """
import random, time
from plataforma_sdk import ModuleFramework, ui

class Desk(ModuleFramework):
    async def on_load(self):
        self.orders = []

    async def on_reload(self, old_state):
        self.orders = old_state["orders"]

    def render(self):
        return ui.text(f"{len(self.orders)} orders")

    def count(self):
        return len(self.orders)

    def place(self, customer, items):
        total = sum(item["price"] * item["quantity"] for item in items)
        self.orders.append((customer, total, random.random(), time.time()))
        return {"number": len(self.orders), "total": total}

    async def keep(self):
        await self.storage.set("orders", len(self.orders))
"""
ITEMS = [{"sku": "sku-001", "quantity": 2, "price": 3.5}, {"sku": "sku-040", "quantity": 1, "price": 1.0}]
CALLS: dict[str, Callable[[ModuleHandle], Awaitable[Any]]] = {
    "count()": lambda handle: handle.call("count"),
    "place(name, two items)": lambda handle: handle.call("place", "bob", ITEMS),
    "keep(): one awaited host call": lambda handle: handle.call("keep"),
}
ROUNDS, EACH = 5, 1_000
GRANTS = ["system.storage"]
LIMITS = ResourceLimits(max_host_calls_per_s=10**9)


def desk(name: str) -> ModulePackage:
    """Make the package under an id."""
    return ModulePackage.from_source(SOURCE, id=name, permissions=GRANTS)


async def median_us(handle: ModuleHandle, call: Callable[[ModuleHandle], Awaitable[Any]]) -> float:
    """Time one call."""
    times = []
    for _ in range(EACH):
        began = time.perf_counter()
        await call(handle)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


async def recording(journal: Path) -> None:
    """Compare calls of a module that is recorded with those of one that is not, in turns."""
    async with ModuleHost(grants=GRANTS, limits=LIMITS) as host:
        plain, recorded = await host.load(desk("plain")), await host.load(desk("recorded"), record=journal)
        for name, call in CALLS.items():
            pairs = [(await median_us(plain, call), await median_us(recorded, call)) for _ in range(ROUNDS)]
            without, within = (min(column) for column in zip(*pairs, strict=True))
            print(f"{name:32} {without:8.1f} us   recorded {within:8.1f} us   + {within - without:5.1f} us")


def replaying(journal: Path) -> None:
    """Run the journal again."""
    report = replay(journal)
    size = journal.stat().st_size
    print(
        f"replay: {report.pumps:,} pumps, {report.pumps / report.seconds:,.0f} a second, "
        f"{'identical' if report.is_identical else report.difference}; {size / report.pumps:.0f} bytes a pump"
    )


async def snapshots(directory: Path) -> None:
    """Write a module with 1,000 orders down in each way, and restore it."""
    async with ModuleHost(grants=GRANTS, limits=LIMITS, state_dir=directory / "state") as host:
        for kind in ("memory", "state", "replay"):
            handle = await host.load(desk("desk"), record=directory / f"{kind}.journal")
            for _ in range(1_000):
                await handle.call("place", "bob", ITEMS)
            await handle.snapshot(kind=kind)  # the first one proves that it works here
            began = time.perf_counter()
            snapshot = await handle.snapshot(kind=kind)
            taken = time.perf_counter() - began
            await handle.unload()
            began = time.perf_counter()
            restored = await host.restore(snapshot)
            done = time.perf_counter() - began
            print(
                f"{kind:7} {snapshot.size_bytes / 1e6:6.2f} MB, taken in {taken * 1e3:6.1f} ms, "
                f"restored in {done * 1e3:6.1f} ms, {await restored.call('count')} orders"
            )
            await restored.unload()


def main() -> None:
    """Print all of it."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        asyncio.run(recording(directory / "bench.journal"))
        replaying(directory / "bench.journal")
        asyncio.run(snapshots(directory))


if __name__ == "__main__":
    main()
