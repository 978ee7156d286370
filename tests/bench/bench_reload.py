"""From a save to the new version: detection, reload, and what it would cost otherwise.

Each line is the median of several real edits of a small module with a window and a subscription. ``detected`` is from
the end of the write to the moment it is seen, ``reloaded`` from there until the new window is rendered, the wait for a
quiet file included. ``unload + load`` and ``process`` are what one would do without a reload.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from plataforma_sdk.cli._dev_session import DevSession
from plataforma_sdk.cli._hosting import HostOptions
from plataforma_sdk.cli._watch import Poller, Waker, best_waker
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import TIERS

MANIFEST: Final = """
id = "contador"
version = "1.0.0"
name = "Contador"
description = "Counts."
licence = "MIT"
authors = ["You"]
entry = "contador:Contador"

[permissions.required]
"window.create" = "Shows the count"
"events.subscribe[user.login]" = "Counts who comes in"

[events]
consumed = ["user.login"]
"""
SOURCE: Final = """
from plataforma_sdk import ModuleFramework, ui

class Contador(ModuleFramework):
    async def on_load(self):
        self.logins = 0
        self.create_window(title="Contador")
        self.subscribe("user.login", self.on_login)

    def on_login(self, event):
        self.logins += 1

    def render(self):
        return ui.column(ui.metric("Logins", self.logins), ui.text("edit 0"))
"""
GRANTS: Final = ("window.create", "events.subscribe")
EDITS: Final = 20
START: Final = """
import asyncio, sys
from plataforma_sdk import ModuleHost
async def main():
    async with ModuleHost(engine=sys.argv[1], grants=["window.create", "events.subscribe"]) as host:
        await (await host.load(sys.argv[2] + "/")).render()
asyncio.run(main())
"""


async def edits(root: Path, tier: str, waker: Waker) -> tuple[float, float]:
    """Save again and again; return the medians of detection and reload in ms."""
    shown: asyncio.Queue[tuple[str, dict[str, Any], float]] = asyncio.Queue()

    def show(what: str, /, **fields: Any) -> None:
        shown.put_nowait((what, fields, time.perf_counter()))

    async def refuse(_: Any) -> bool:
        return False

    async def wait_for(wanted: str) -> tuple[dict[str, Any], float]:
        while True:
            what, fields, at = await shown.get()
            if what == "failed":
                raise RuntimeError(fields["error"])
            if what == wanted:
                return fields, at

    session = asyncio.create_task(
        DevSession(root, HostOptions(engine=tier, grants=GRANTS), show, refuse, waker=waker).run()
    )
    detected, reloaded = [], []
    await wait_for("loaded")
    for number in range(1, EDITS + 1):
        await asyncio.sleep(0.05 + number % 7 / 100)  # a person's saves do not come in step with a poll
        (root / "contador.py").write_text(SOURCE.replace("edit 0", f"edit {number}"))
        saved = time.perf_counter()
        fields, at = await wait_for("reloaded")
        reloaded.append(fields["since_seen_ms"])
        detected.append((at - saved) * 1_000 - fields["since_seen_ms"])
    session.cancel()
    await asyncio.wait([session])
    return statistics.median(detected), statistics.median(reloaded)


async def fresh_loads(root: Path, tier: str) -> tuple[float, float]:
    """Return the medians of a bare `reload` and of an unload and load, each with a render, in ms."""
    reloads, loads = [], []
    async with ModuleHost(engine=tier, grants=GRANTS) as host:
        handle = await host.load(root)
        for _ in range(EDITS):
            began = time.perf_counter()
            await handle.reload()
            await handle.render()
            reloads.append((time.perf_counter() - began) * 1_000)
        for _ in range(EDITS):
            began = time.perf_counter()
            await handle.unload()
            handle = await host.load(root)
            await handle.render()
            loads.append((time.perf_counter() - began) * 1_000)
    return statistics.median(reloads), statistics.median(loads)


def process_ms(root: Path, tier: str) -> float:
    """Return the median of a new process that loads and renders, in ms."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", START, tier, str(root)], check=True)
        took.append((time.perf_counter() - began) * 1_000)
    return statistics.median(took)


def main() -> None:
    """Print a line for each tier and way of watching."""
    ways = [("polling", Poller())]
    system = best_waker()
    if not isinstance(system, Poller):
        ways.append(("system", system))
    print("                     a save is             in place of that")
    print("tier       watcher   detected   reloaded   reload()  unload+load  process   ratios")
    for tier in TIERS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "module.toml").write_text(MANIFEST)
            (root / "contador.py").write_text(SOURCE)
            reload_ms, load_ms = asyncio.run(fresh_loads(root, tier))
            restart_ms = process_ms(root, tier)
            for name, waker in ways:
                detected, reloaded = asyncio.run(edits(root, tier, waker))
                ratios = f"process {restart_ms / (detected + reloaded):.0f}x, load {load_ms / reload_ms:.1f}x"
                shown = f"{detected:>6.1f} ms {reloaded:>7.1f} ms {reload_ms:>7.1f} ms {load_ms:>9.1f} ms"
                print(f"{tier:<11}{name:<8}{shown} {restart_ms:>6.0f} ms   {ratios}", flush=True)


if __name__ == "__main__":
    main()
