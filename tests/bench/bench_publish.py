"""What a publish and an install cost: ``python -m tests.bench publish`` (under a minute).

Medians in milliseconds, for a module of 100 kB in a directory: a publish with its scan taken out, the core scan beside
it, an install whose package is in memory, one whose archive is in the cache of an earlier process, and one that has
to fetch.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import ModuleRegistry, PublishProgress, PublishStep, _packages
from plataforma_sdk.security import SecurityService

ROUNDS = 40
SOURCE = """
from plataforma_sdk import ModuleFramework, ui


class Vendas(ModuleFramework):
    async def on_load(self):
        self.total = {number}

    def render(self):
        return ui.text("Vendas")
"""


class StepClock:
    """Notes when each step of a publish ends."""

    def __init__(self) -> None:
        self.begun: dict[PublishStep, float] = {}
        self.ms: dict[PublishStep, float] = {}

    def __call__(self, item: PublishProgress) -> None:
        now = time.perf_counter()
        if item.is_done:
            self.ms[item.step] = (now - self.begun[item.step]) * 1e3
        else:
            self.begun[item.step] = now


def package(number: int) -> ModulePackage:
    """Make a module of 100 kB that nobody has compiled before."""
    noise = random.Random(number).randbytes(100_000)
    return ModulePackage.from_source(
        SOURCE.format(number=number), id="vendas", version=f"1.{number}.0", files={"a": noise}
    )


def show(what: str, ms: float, asked: str = "") -> None:
    """Print a line."""
    print(f"{what:<58}{ms:>9.3f} ms{asked and '   asked: ' + asked}", flush=True)


async def median_ms(job: Callable[[], Awaitable[Any]]) -> float:
    """Return the median time of a job."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await job()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


async def measure(root: Path) -> None:
    """Publish versions of one module, then install the newest in every way."""
    security = SecurityService(trial=False, tools=False)
    async with ModuleRegistry(root / "registry", security=security, cache_dir=root / "cache") as registry:
        wholes, clocks = [], []
        for number in range(ROUNDS):
            clock, made = StepClock(), package(number)
            start = time.perf_counter()
            await registry.publish(made, progress=clock)
            wholes.append((time.perf_counter() - start) * 1e3)
            clocks.append(clock.ms)
        scans = [ms[PublishStep.SCAN] for ms in clocks]
        apart = [whole - scan for whole, scan in zip(wholes, scans, strict=True)]
        show("publish, without its scan", statistics.median(apart), "under 5")
        show("the core scan of it", statistics.median(scans))
        for step in (PublishStep.BUILD, PublishStep.STORE):
            show(f"  of which {step}", statistics.median(ms[step] for ms in clocks))
        show("install: resolve, package in memory", await median_ms(lambda: install(registry)), "under 1")
        show("install: resolve, archive in the cache", await median_ms(lambda: from_cache(registry)), "under 1")
        show("install: resolve, fetch and verify", await median_ms(lambda: from_registry(registry, root / "cache")))


async def install(registry: ModuleRegistry) -> None:
    """Install as `host.load` does."""
    await registry.fetch_package("vendas", "^1")


async def from_cache(registry: ModuleRegistry) -> None:
    """Install as a new process does: nothing in memory."""
    _packages._SHARED.clear()
    await install(registry)


async def from_registry(registry: ModuleRegistry, cache: Path) -> None:
    """Install for the first time on this machine."""
    for file in (cache / "packages").glob("*.zip"):
        file.unlink()
    await from_cache(registry)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(Path(directory)))
