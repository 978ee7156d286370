"""A module that uses whatever a journal must repeat, and ways to doctor a journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.sandbox.wasm._journal import Frame, Journal, read_frames

HEAD = """
import asyncio
from plataforma_sdk import ModuleFramework, ui
"""

SOURCE = (
    HEAD
    + """
class Probe(ModuleFramework):
    async def on_load(self):
        self.count, self.seen, self.ticks = 0, [], 0
        self.subscribe("module.probe.said", self.on_said)
        self.create_window(id="main", title="Probe")

    def render(self):
        return ui.text(str(self.count))

    def add(self, n=1):
        self.count += n
        return self.count

    def on_said(self, event):
        self.seen.append(event.data)

    def say(self, word):
        self.emit("said", word)

    def heard(self):
        return self.seen

    def draw(self):
        import datetime, os, random, secrets, time, uuid
        return [random.random(), os.urandom(8).hex(), secrets.token_hex(4), str(uuid.uuid4()), time.time(),
                time.monotonic(), datetime.datetime.now().isoformat(), id(object()), list({"a", "b", "c"})]

    async def keep(self, key, value):
        await self.storage.set(key, value)
        return await asyncio.gather(*(self.storage.get(name) for name in (key, "none", key)))

    async def nap(self, seconds):
        await asyncio.sleep(seconds)
        return "slept"

    async def ask(self):
        try:
            await self.api_call("/nowhere")
        except Exception as error:
            return type(error).__name__

    def fail(self):
        raise ValueError(f"bad {self.count}")

    def spin(self):
        while True:
            pass

    def grow(self):
        kept = []
        while True:
            kept.append("x" * 100_000)

    def recurse(self):
        return self.recurse()

    def say_a_lot(self, n):
        return "x" * n
"""
)

PERMISSIONS = ("system.storage", "events.subscribe[module.probe.said]", "events.emit", "window.create")


def probe(source: str = SOURCE, *, version: str = "1.0.0", **settings: Any) -> ModulePackage:
    """Make the probe's package."""
    return ModulePackage.from_source(source, id="probe", version=version, permissions=PERMISSIONS, **settings)


def doctor(path: Path, change: Callable[[int, Frame], bytes | None]) -> Path:
    """Write the journal anew; `change` returns another body for frame n, or None to keep it."""
    frames = list(read_frames(path))
    changed = path.with_name("doctored.journal")
    journal = Journal(changed)
    journal.open()
    for number, frame in enumerate(frames):
        body = change(number, frame)
        journal.write(frame.kind, frame.instance, frame.body if body is None else body)
    journal.close()
    return changed
