"""What a module leaves behind names its owner; what it registered goes with it."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from tests.unit.runtime.conftest import HEAD

STUBBORN = (
    "import asyncio\n"
    + HEAD
    + """
class Stubborn(ModuleFramework):
    async def on_load(self):
        self.cancels = 0
        asyncio.create_task(self.stay())
        await asyncio.sleep(0)
    async def stay(self):
        while self.cancels < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancels += 1
    def render(self):
        return ui.text("")
"""
)
"""Its task swallows the cancellation of the unload; the second one, of the loop's end, ends it."""

POLITE = STUBBORN.replace("self.cancels += 1", "self.cancels = 2")
PILES_UP = (
    HEAD
    + """
class Piles(ModuleFramework):
    async def on_load(self):
        self.timers = []
    def render(self):
        return ui.text("")
    def listen(self, times):
        for _ in range(times):
            self.last = self.subscribe("data.changed", self.on_change)
    def listen_and_end(self, times):
        for _ in range(times):
            self.subscribe("data.changed", self.on_change).unsubscribe()
    def on_change(self, event):
        pass
"""
)
LISTENS = ["events.subscribe"]


def leaks_after_unload(run, source, engine="trusted"):
    async def main():
        async with ModuleHost(engine=engine) as host:
            handle = await host.load(ModulePackage.from_source(source, id="m"))
            await handle.unload()
            return handle.leaks()

    return run(main())


def test_a_task_that_stays_is_named_with_its_line(run):
    (leak,) = leaks_after_unload(run, STUBBORN)
    assert (leak.module, leak.kind, leak.name, leak.where) == ("m", "task", "Stubborn.stay", "module.py:12")
    assert "left a task behind" in str(leak)


def test_a_task_that_ends_when_told_is_no_leak(run):
    assert leaks_after_unload(run, POLITE) == []


def test_a_leak_is_logged_and_told_with_the_modules_id(run, caplog):
    async def main():
        told = []
        async with ModuleHost(engine="trusted") as host:
            host.events.subscribe("plataforma.module.leak", lambda event: told.append(event.data))
            await (await host.load(ModulePackage.from_source(STUBBORN, id="m"))).unload()
        return told

    with caplog.at_level(logging.WARNING, "plataforma_sdk.runtime"):
        (told,) = run(main())
    (record,) = caplog.records
    assert (record.module_id, told["module"], told["kind"]) == ("m", "m", "task")
    assert record.getMessage() == told["message"]


def test_a_thread_that_stays_is_named(run):
    source = (
        "import threading\n"
        + HEAD
        + """
class Threads(ModuleFramework):
    async def on_load(self):
        self.started = threading.Event()
        threading.Thread(target=self.stay, name="stays-behind", daemon=True).start()
        self.started.wait()
    def stay(self):
        self.started.set()
        threading.main_thread().plataforma_test_end.wait()
    def render(self):
        return ui.text("")
"""
    )
    end = threading.main_thread().plataforma_test_end = threading.Event()  # type: ignore[attr-defined]
    try:
        (leak,) = leaks_after_unload(run, source)
    finally:
        end.set()
    assert (leak.kind, leak.name, leak.where) == ("thread", "stays-behind", "module.py:11")


def test_a_leak_that_has_ended_is_no_longer_reported(run):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(ModulePackage.from_source(STUBBORN, id="m"))
            await handle.unload()
            before = len(handle.leaks())
            (task,) = [task for task in asyncio.all_tasks() if "stay" in str(task.get_coro())]
            task.cancel()
            await task
            return before, len(handle.leaks())

    assert run(main()) == (1, 0)


@pytest.mark.parametrize("engine", ["trusted", "restricted"])
def test_what_is_registered_again_and_again_is_reported_with_its_line(run, engine):
    async def main():
        async with ModuleHost(engine=engine, grants=LISTENS) as host:
            handle = await host.load(ModulePackage.from_source(PILES_UP, id="m", permissions=LISTENS))
            await handle.call("listen", 12)
            return handle.leaks()

    (leak,) = run(main())
    assert (leak.kind, leak.name, leak.count, leak.where) == ("subscription", "data.changed", 12, "module.py:10")


def test_what_is_ended_before_the_next_is_no_leak(run):
    async def main():
        async with ModuleHost(engine="trusted", grants=LISTENS) as host:
            handle = await host.load(ModulePackage.from_source(PILES_UP, id="m", permissions=LISTENS))
            await handle.call("listen_and_end", 200)
            return handle.leaks()

    assert run(main()) == []


def test_a_pile_is_logged_once(run, caplog):
    async def main():
        async with ModuleHost(engine="trusted", grants=LISTENS) as host:
            handle = await host.load(ModulePackage.from_source(PILES_UP, id="m", permissions=LISTENS))
            await handle.call("listen", 30)

    with caplog.at_level(logging.WARNING, "plataforma_sdk.runtime"):
        run(main())
    assert len(caplog.records) == 1
