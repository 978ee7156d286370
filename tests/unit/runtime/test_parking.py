"""Parked modules: what a host sees of them, and what wakes them."""

from __future__ import annotations

import asyncio
import sys

import pytest

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.runtime._parking import IdleParking
from plataforma_sdk.sandbox.wasm import compiled_runner
from plataforma_sdk.windows import UiEvent

ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memories are put away on Linux only")
pytestmark = pytest.mark.timeout(180)

DESK = """
from plataforma_sdk import ModuleFramework, ui

class Desk(ModuleFramework):
    async def on_load(self):
        self.seen, self.kept = [], {n: str(n) * 50 for n in range(500)}
        self.subscribe("data.changed", self.on_change)
        self.register_endpoint("/desk/seen", self.on_request)
        self.create_window(title="desk")
    async def on_unload(self):
        await self.storage.set("last", self.seen)
    async def on_reload(self, old_state):
        self.seen = old_state["seen"]
    def render(self):
        return ui.column(ui.text(str(len(self.seen))), ui.button("+", on_press=self.press, key="plus"))
    def on_change(self, event):
        self.seen.append(event.data)
    async def on_request(self, request):
        return self.seen
    def press(self):
        self.seen.append("pressed")
    def tell(self):
        return [self.seen, len(self.kept)]
    def tick_soon(self, seconds):
        self.every(seconds, lambda: self.seen.append("tick"))
"""


GRANTS = ("events.subscribe", "window.create", "system.storage")


def desk(module_id: str = "desk") -> ModulePackage:
    return ModulePackage.from_source(
        DESK.replace("/desk/", f"/{module_id}/"),
        id=module_id,
        permissions=GRANTS,
    )


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


@ON_LINUX
def test_a_parked_module_shows_it_and_tells_what_it_holds(run):
    async def main():
        async with ModuleHost(grants=GRANTS) as host:
            handle = await host.load(desk())
            live = handle.usage.memory_bytes
            assert await handle.park()
            assert handle.state == "parked"
            assert 0 < handle.usage.memory_bytes < live / 10
            assert await handle.call("tell") == [[], 500]
            assert (handle.state, handle.restarts) == ("active", 0)
            assert handle.usage.memory_bytes >= live

    run(main())


async def _by_event(host, handle):
    await host.events.emit("data.changed", 7)


async def _by_render(_host, handle):
    assert (await handle.render())["type"]


async def _by_click(_host, handle):
    await handle.render()
    assert await handle.park()
    await handle.dispatch(UiEvent("main", handle.windows["main"].revision, "plus", "press"))


@ON_LINUX
@pytest.mark.parametrize(
    ("wake", "seen"),
    [(_by_event, [7]), (_by_render, []), (_by_click, ["pressed"])],
    ids=["event", "render", "click"],
)
def test_a_parked_module_is_woken_by(run, wake, seen):
    async def main():
        async with ModuleHost(grants=GRANTS) as host:
            handle = await host.load(desk())
            assert await handle.park()
            await wake(host, handle)
            assert handle.state == "active"
            assert await handle.call("tell") == [seen, 500]

    run(main())


@ON_LINUX
def test_a_timer_wakes_a_parked_module(run):
    async def main():
        async with ModuleHost(grants=GRANTS) as host:
            handle = await host.load(desk())
            await handle.call("tick_soon", 0.3)
            assert await handle.park()
            await until(lambda: handle.state == "active")
            assert (await handle.call("tell"))[0][:1] == ["tick"]

    run(main())


@ON_LINUX
def test_a_parked_module_reloads_and_hands_over_its_state(run):
    async def main():
        async with ModuleHost(grants=GRANTS) as host:
            handle = await host.load(desk())
            await host.events.emit("data.changed", 1)
            assert await handle.park()
            await handle.reload()
            assert (handle.state, await handle.call("tell")) == ("active", [[1], 500])

    run(main())


@ON_LINUX
def test_a_parked_module_that_is_unloaded_says_goodbye_and_leaves_nothing(run):
    async def main():
        before = set(compiled_runner().hosts)
        async with ModuleHost(grants=GRANTS) as host:
            handle = await host.load(desk())
            await host.events.emit("data.changed", 3)
            assert await handle.park()
            await handle.unload()
            assert handle.state == "unloaded"
            assert not await handle.park()
            again = await host.load(desk())
            assert await again.call("tell") == [[], 500]
            assert await again.park()
        assert set(compiled_runner().hosts) <= before

    run(main())


@ON_LINUX
def test_idle_modules_are_parked_after_the_host_s_time_and_busy_ones_are_not(run):
    async def main():
        async with ModuleHost(grants=GRANTS, park_after_s=0.2) as host:
            idle, busy = await host.load(desk("idle")), await host.load(desk("busy"))
            await busy.call("tick_soon", 0.05)
            await until(lambda: idle.state == "parked")
            assert busy.state == "active"
            assert await idle.call("tell") == [[], 500]
            await until(lambda: idle.state == "parked")

    run(main())


@pytest.mark.parametrize("tier", ["trusted", "restricted"])
def test_other_tiers_stay_live(run, counter, tier):
    async def main():
        async with ModuleHost(engine=tier, park_after_s=0.05) as host:
            handle = await host.load(counter())
            assert not await handle.park()
            await asyncio.sleep(0.2)
            return handle.state, await handle.call("add", 1)

    assert run(main()) == ("active", 1)


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(ValueError, match="park_after_s"):
        ModuleHost(engine="trusted", park_after_s=seconds)


def test_a_module_that_works_between_two_looks_is_left_alone(run):
    async def main():
        work, parked = [0.0], []

        async def park(after_s):
            parked.append(after_s)

        idle = IdleParking(0.02, lambda: work[0], park)
        idle.start()
        for _ in range(30):
            work[0] += 1
            await asyncio.sleep(0.005)
        assert parked == []
        await until(lambda: parked)
        idle.stop()
        count = len(parked)
        await asyncio.sleep(0.06)
        assert len(parked) == count

    run(main())
