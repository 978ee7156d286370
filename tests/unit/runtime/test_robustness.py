"""What a hostile module or an impatient host may do at the wrong moment; found by attacking the runtime."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import HostCallError, ModuleLoadError, ModuleStateError, PermissionDeniedError, RenderError
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from tests.unit.runtime.conftest import COUNTER, HEAD

SLOW = (
    HEAD
    + """
import asyncio
class Counter(ModuleFramework):
    async def on_load(self):
        self.create_window(title="new")
        self.every(0.01, self.tick)
        await asyncio.sleep(0.2)
    def render(self):
        return ui.text("")
    def tick(self):
        pass
    async def steal(self):
        return await self.clipboard.read()
"""
)
PASTES = (
    COUNTER
    + """
    async def steal(self):
        return await self.clipboard.read()
"""
)
WINDOW = ("window.create",)


async def reload_later(handle, package):
    task = asyncio.create_task(handle.reload(package))
    await asyncio.sleep(0.05)
    return task


def test_an_unload_during_a_reload_ends_both(run, counter):
    async def main():
        async with ModuleHost(engine="trusted", grants=WINDOW) as host:
            handle = await host.load(counter())
            task = await reload_later(handle, counter(SLOW, permissions=WINDOW, version="2.0.0"))
            await handle.unload()
            with pytest.raises(ModuleStateError, match="unloaded while it reloaded"):
                await task
            return handle.state, len(host.windows), dict(host.modules)

    assert run(main()) == ("unloaded", 0, {})


def test_the_old_version_does_not_hold_what_the_new_one_declares(run, counter):
    async def main():
        async with ModuleHost(engine="trusted", grants=["*"]) as host:
            handle = await host.load(counter(PASTES))
            wider = counter(SLOW, permissions=["system.clipboard", "window.create"], version="2.0.0")
            task = await reload_later(handle, wider)
            with pytest.raises(PermissionDeniedError):
                await handle.call("steal")
            await task
            return await handle.call("steal")

    assert run(main()) == ""


def test_two_unloads_at_once_are_one(run, counter):
    async def main():
        told = []
        async with ModuleHost(engine="trusted") as host:
            host.events.subscribe("plataforma.module.unloaded", lambda event: told.append(event.data["module"]))
            handle = await host.load(counter())
            await asyncio.gather(handle.unload(), handle.unload())
        return told

    assert run(main()) == ["counter"]


def test_a_window_does_not_become_modal_without_the_permission(run, counter):
    source = (
        HEAD
        + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.create_window(title="x").update(modal=True)
    def render(self):
        return ui.text("")
"""
    )

    async def main():
        async with ModuleHost(engine="trusted", grants=WINDOW) as host:
            await host.load(counter(source, permissions=WINDOW))

    with pytest.raises(PermissionDeniedError, match=r"window\.modal"):
        run(main())


def test_a_reload_with_a_window_that_cannot_be_leaves_the_old_version(run, counter):
    bad = SLOW.replace('title="new"', 'title="new", width=-1')

    async def main():
        async with ModuleHost(engine="trusted", grants=WINDOW) as host:
            handle = await host.load(counter())
            with pytest.raises(RenderError):
                await handle.reload(counter(bad, permissions=WINDOW, version="2.0.0"))
            return handle.version, await handle.call("add", 1)

    assert run(main()) == ("1.0.0", 1)


def test_a_number_in_use_is_refused(run, counter):
    source = (
        HEAD
        + """
class Counter(ModuleFramework):
    async def on_load(self):
        for _ in range(2):
            self._runtime.call_now("timers.start", [7, 1.0])
    def render(self):
        return ui.text("")
"""
    )

    async def main():
        async with ModuleHost(engine="trusted") as host:
            await host.load(counter(source))

    with pytest.raises(HostCallError, match="no new number"):
        run(main())


def test_a_reload_respects_excluded_tiers_and_takes_new_limits(run, counter):
    from plataforma_sdk.package import ModulePackage

    async def main():
        async with ModuleHost(engine="trusted", limits=ResourceLimits(max_call_ms=900)) as host:
            handle = await host.load(counter())
            with pytest.raises(ModuleLoadError, match="excludes"):
                await handle.reload(ModulePackage.from_source(COUNTER, id="counter", exclude=["trusted"]))
            await handle.reload(ModulePackage.from_source(COUNTER, id="counter", limits={"max_call_ms": 50}))
            return handle.usage.limits.max_call_ms

    assert run(main()) == 50


def test_a_module_that_failed_for_good_leaves_no_timer(run, counter):
    source = (
        HEAD
        + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.every(0.01, self.tick)
    def render(self):
        return ui.text("")
    def tick(self):
        pass
    def spin(self):
        while True:
            pass
"""
    )
    from plataforma_sdk.package import ModulePackage

    async def main():
        async with ModuleHost(engine="restricted") as host:
            handle = await host.load(ModulePackage.from_source(source, id="counter", restart=False))
            with pytest.raises(Exception, match="limit"):
                await handle.call("spin")
            await asyncio.sleep(0)
            return handle.state, [task.get_name() for task in asyncio.all_tasks() if "timer" in task.get_name()]

    assert run(main()) == ("failed", [])


def test_a_load_that_waits_for_a_person_ends_with_the_host(run, counter):
    asked = asyncio.Event

    async def main():
        asking, answer = asked(), asked()

        async def prompt(_request):
            asking.set()
            await answer.wait()
            return True

        host = await ModuleHost(engine="trusted", prompt=prompt).__aenter__()
        load = asyncio.create_task(host.load(counter(permissions=["system.storage"])))
        await asking.wait()
        await host.aclose()
        answer.set()
        with pytest.raises(ModuleStateError):
            await load
        return dict(host.modules)

    assert run(main()) == {}


def test_a_translation_that_is_no_json_is_a_load_error(run):
    from plataforma_sdk.package import ModulePackage

    async def main():
        async with ModuleHost(engine="trusted") as host:
            await host.load(ModulePackage.from_source(COUNTER, id="counter", files={"locales/en.json": b"{bad"}))

    with pytest.raises(ModuleLoadError, match="no JSON"):
        run(main())
