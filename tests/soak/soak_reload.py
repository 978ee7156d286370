"""Looks for what reloads leave behind: ``python -m tests.soak.soak_reload [tier ...] [--reloads N]``.

10,000 reloads in each tier of a module that registers one of everything, stores, and runs a task of its own: 15 s in
`trusted`, up to a minute in `restricted`, 2 to 3 in `wasm`. A fifth as many come first, so that what grows once has
grown.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import attrs

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHandle, ModuleHost
from plataforma_sdk.sandbox import TIERS
from tests.soak.soak_wasm import rss_mb

SOURCE: Final = """
import asyncio
from plataforma_sdk import ModuleFramework, ui

class Probe(ModuleFramework):
    async def on_load(self):
        self.reloads = 0
        self.create_window(title="Probe")
        self.subscribe("data.*", self.on_data)
        self.register_endpoint("/probe/reloads", self.answer)
        self.every(0.01, self.tick)
        self.background = asyncio.create_task(self.wait())
        await self.storage.set("loaded", True)

    async def on_reload(self, old_state):
        self.reloads = old_state["reloads"] + 1

    async def wait(self):
        await asyncio.sleep(3600)

    async def on_data(self, event):
        return event.data

    async def answer(self, request):
        return self.reloads

    def tick(self):
        pass

    def count(self):
        return self.reloads

    def render(self):
        return ui.text(str(self.reloads))
"""
NEEDS: Final = ("window.create", "events.subscribe", "system.storage")
RELOADS: Final = 10_000
WARM_UP: Final = 5
MAX_GROWTH_MB: Final = 5.0
_HAS_PROC: Final = Path("/proc/self/fd").exists()


@attrs.frozen(kw_only=True)
class Holdings:
    """What a module and its host hold.

    Attributes:
        subscriptions: of the module.
        windows: of the module.
        endpoints: of all modules.
        tasks: of the loop.
        threads: of the process.
        files: open file descriptors of the process, or 0 where that is not known.
    """

    subscriptions: int
    windows: int
    endpoints: int
    tasks: int
    threads: int
    files: int


async def holdings(host: ModuleHost, handle: ModuleHandle) -> Holdings:
    """Count them, once what was cancelled is gone."""
    await asyncio.sleep(0.05)
    return Holdings(
        subscriptions=host.events.stats(handle.id).subscriptions,
        windows=len(handle.windows),
        endpoints=sum(map(len, host._parts.endpoints.paths.values())),
        tasks=len(asyncio.all_tasks()),
        threads=threading.active_count(),
        files=len(list(Path("/proc/self/fd").iterdir())) if _HAS_PROC else 0,
    )


async def reload_often(host: ModuleHost, handle: ModuleHandle, package: ModulePackage, times: int) -> None:
    """Reload, and use what is registered now and then."""
    for number in range(times):
        await handle.reload(package)
        if number % 10 == 0:
            await host.events.emit("data.changed", number)
            await handle.render()


def package() -> ModulePackage:
    """Make the module."""
    return ModulePackage.from_source(SOURCE, id="probe", version="1.0.0", permissions=NEEDS)


async def soak(tier: str, reloads: int) -> bool:
    """Reload and print what has grown; tell whether something has."""
    async with ModuleHost(engine=tier, grants=NEEDS) as host:
        version = package()
        handle = await host.load(version)
        await reload_often(host, handle, version, max(10, reloads // WARM_UP))
        before, memory = await holdings(host, handle), rss_mb()
        began = time.perf_counter()
        await reload_often(host, handle, version, reloads)
        seconds = time.perf_counter() - began
        after, grown = await holdings(host, handle), rss_mb() - memory
        leaks = handle.leaks()
        print(f"{tier:<11}{reloads:>7,} reloads {seconds:>7.1f} s {seconds / reloads * 1e3:>6.2f} ms {grown:>+6.1f} MB")
        print(f"  {after}" + ("" if after == before else f"\n  was {before}"), flush=True)
        for leak in leaks:
            print(f"  {leak}")
        assert await handle.call("count") >= reloads
    return after != before or bool(leaks) or grown > MAX_GROWTH_MB


def main(arguments: list[str]) -> int:
    """Soak the tiers named, or all; 1 where something has grown."""
    reloads, names = RELOADS, list(arguments)
    if "--reloads" in names:
        at = names.index("--reloads")
        reloads = int(names[at + 1])
        del names[at : at + 2]
    results: list[Any] = [asyncio.run(soak(tier, reloads)) for tier in names or TIERS]
    return int(any(results))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
