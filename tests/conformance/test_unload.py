"""Unload leaves nothing: no subscription, window, endpoint, timer, task, queue entry or object."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref

import pytest

from plataforma_sdk.errors import GuestError, PlataformaError

from ._suite import METERED, case, make_package, module

ALL = ("events.emit", "events.subscribe", "window.create", "api.internal", "system.storage", "system.notifications")

REGISTERS = module(
    """
    async def on_load(self):
        self.ticks = 0
        self.subscribe("data.one", self.on_event)
        self.subscribe("data.many.*", self.on_event)
        self.subscribe("data.slow", self.on_slow)
        self.register_endpoint("/probe/answer", self.answer, methods=("GET", "POST"))
        self.create_window(title="One")
        self.create_window(id="two", title="Two", view=self.render)
        self.timer = self.every(0.01, self.tick)
        self.every(60, self.tick)
        self.task = asyncio.create_task(self.forever())
        self.asking = asyncio.create_task(self.ask())
        await self.storage.set("kept", 1)

    async def forever(self):
        await asyncio.Event().wait()

    async def ask(self):
        await self.api_call("/shop/never")

    def tick(self):
        self.ticks += 1

    async def on_event(self, event):
        await asyncio.sleep(0)

    async def on_slow(self, event):
        await asyncio.Event().wait()

    async def answer(self, request):
        return 1

    def stop(self):
        self.timer.unsubscribe()
        return self.ticks

    def probe(self):
        return self.ticks
    """
)


def leftovers(host, module_id="probe"):
    """Describe whatever a host still holds of a module."""
    stats = host.events.stats(module_id)
    return {
        "subscriptions": stats.subscriptions,
        "queued": stats.queued,
        "windows": len(list(host.windows.of(module_id))),
        "endpoints": len(host._parts.endpoints.paths),
        "modules": len(host.modules),
    }


NOTHING = {"subscriptions": 0, "queued": 0, "windows": 0, "endpoints": 0, "modules": 0}


async def settled_tasks():
    """Wait until cancelled tasks are gone, and return those that are left."""
    for _ in range(20):
        await asyncio.sleep(0.005)
    return {task for task in asyncio.all_tasks() if not task.done()}


@case(REGISTERS, permissions=ALL, is_loaded=False)
async def test_nothing_registered_survives_an_unload(host, package):
    before = await settled_tasks()
    handle = await host.load(package)
    assert leftovers(host) == {"subscriptions": 3, "queued": 0, "windows": 2, "endpoints": 1, "modules": 1}
    await handle.unload()
    assert leftovers(host) == NOTHING
    assert await settled_tasks() == before


@case(REGISTERS, permissions=ALL)
async def test_what_waits_is_dropped(host, handle):
    running = host.events.emit("data.slow")
    queued = [host.events.emit("data.one", n) for n in range(10)]
    await asyncio.sleep(0.01)
    await handle.unload()
    async with asyncio.timeout(5):
        for delivery in [running, *queued]:
            await delivery
    assert leftovers(host) == NOTHING
    assert host.events.emit("data.one").pending == 0


@case(REGISTERS, permissions=ALL)
async def test_calls_that_wait_are_ended_with_an_error(host, handle):
    waiting = [asyncio.create_task(handle.call(name)) for name in ("forever", "ask")]
    await asyncio.sleep(0.02)
    await handle.unload()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(result, PlataformaError) for result in results] == [True, True]


@case(REGISTERS, permissions=ALL)
async def test_no_timer_ticks_after_its_end(host, handle):
    async with asyncio.timeout(5):
        while not await handle.call("probe"):
            await asyncio.sleep(0.01)
    stopped_at = await handle.call("stop")
    await asyncio.sleep(0.05)
    assert await handle.call("probe") == stopped_at


@case(REGISTERS, permissions=ALL)
async def test_an_endpoint_is_gone_with_its_module(host, handle):
    caller = module("async def probe(self):\n    return await self.api_call('/probe/answer')")
    other = await host.load(make_package(caller, id="other", permissions=("api.internal",)))
    assert await other.call("probe") == 1
    await handle.unload()
    answer = await other.call("probe")
    assert answer["path"] == "/probe/answer"  # the host's own API answers now


@case(REGISTERS, permissions=ALL, is_loaded=False)
async def test_no_object_of_the_module_survives(host, package):
    handle = await host.load(package)
    await handle.call("probe")
    instance = weakref.ref(handle._live._supervisor.instance)
    await handle.unload()
    del handle
    await settled_tasks()
    gc.collect()
    assert instance() is None


@case(REGISTERS, permissions=ALL, is_loaded=False)
async def test_twenty_loads_leave_as_much_as_one(host, package):
    before, modules = await settled_tasks(), set(sys.modules)
    for _ in range(20):
        await (await host.load(package)).unload()
    assert leftovers(host) == NOTHING
    assert await settled_tasks() == before
    assert {name for name in set(sys.modules) - modules if name.startswith("_plataforma_module")} == set()


@case(
    REGISTERS.replace('await self.storage.set("kept", 1)', "raise ValueError('too late')"),
    permissions=ALL,
    is_loaded=False,
)
async def test_a_load_that_fails_leaves_nothing(host, package):
    before = await settled_tasks()
    with pytest.raises(GuestError, match="too late"):
        await host.load(package)
    assert leftovers(host) == NOTHING
    assert await settled_tasks() == before


@case(REGISTERS, permissions=ALL)
async def test_a_reload_leaves_one_of_each(host, handle):
    before = leftovers(host)
    tasks = len(await settled_tasks())
    for _ in range(3):
        await handle.reload()
    assert leftovers(host) == before
    assert len(await settled_tasks()) == tasks


@case(REGISTERS, permissions=ALL)
async def test_a_reload_that_fails_leaves_one_of_each(host, handle):
    before = leftovers(host)
    tasks = len(await settled_tasks())
    broken = REGISTERS.replace('await self.storage.set("kept", 1)', "raise ValueError('too late')")
    with pytest.raises(GuestError):
        await handle.reload(make_package(broken, permissions=ALL))
    assert leftovers(host) == before
    assert len(await settled_tasks()) == tasks


@case(
    module(
        """
        async def on_load(self):
            self.count = 0
            self.subscribe("data.one", self.on_event)
            self.create_window(title="One")
            self.every(60, self.on_event)

        def on_event(self, event=None):
            pass

        def probe(self):
            while True:
                pass
        """
    ),
    permissions=ALL,
    tiers=METERED,
)
async def test_a_replacement_leaves_one_of_each(host, handle):
    before = leftovers(host)
    tasks = len(await settled_tasks())
    with pytest.raises(PlataformaError):
        await handle.call("probe")
    assert handle.was_replaced
    assert leftovers(host) == before
    assert len(await settled_tasks()) == tasks


@case(
    module(
        """
        async def on_unload(self):
            for attempt in (self.again, self.opens, self.ticks):
                try:
                    attempt()
                except Exception:
                    pass

        def again(self):
            self.subscribe("data.late", self.on_event)

        def opens(self):
            self.create_window(title="late")

        def ticks(self):
            self.every(0.01, self.on_event)

        def on_event(self, event=None):
            pass
        """
    ),
    permissions=ALL,
)
async def test_what_is_registered_while_saying_good_bye_is_gone_too(host, handle):
    await handle.unload()
    before = {task for task in await settled_tasks() if "timer" in task.get_name()}
    assert (leftovers(host), before) == (NOTHING, set())


@case(REGISTERS, permissions=ALL, settings={"api": None})
async def test_leaving_the_host_ends_every_module(host, handle):
    await host.aclose()
    assert (handle.state, leftovers(host)) == ("unloaded", NOTHING)
