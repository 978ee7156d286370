"""The host: entering, leaving, permissions at load, plugins, threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from plataforma_sdk.errors import GuestError, ModuleError, ModuleStateError, PermissionDeniedError
from plataforma_sdk.plugins import hookimpl
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.windows import UiEvent
from tests.unit.runtime.conftest import HEAD


def test_a_host_that_is_not_entered_says_so(run, counter):
    with pytest.raises(ModuleStateError, match="async with"):
        run(ModuleHost(engine="trusted").load(counter()))


def test_closing_unloads_every_module(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
        return handle.state

    assert run(main()) == "unloaded"


def test_a_call_reaches_a_public_method(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            return await (await host.load(counter())).call("add", 2)

    assert run(main()) == 2


@pytest.mark.parametrize("name", ["_secret", "on_load", "render", "emit", "__init__", "nope"])
def test_a_call_reaches_nothing_else(run, counter, name):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            await (await host.load(counter())).call(name)

    with pytest.raises(ModuleError, match="no public method"):
        run(main())


def test_a_function_of_the_host_is_not_callable_from_outside(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            await (await host.load(counter())).call("@unload")

    with pytest.raises(ModuleStateError, match="function of the host"):
        run(main())


def test_a_fault_of_the_module_shows_its_lines(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            await (await host.load(counter())).call("fail")

    with pytest.raises(GuestError) as caught:
        run(main())
    assert caught.value.type_name == "ZeroDivisionError"
    assert "1 // 0" in "".join(caught.value.traceback)


def test_a_required_permission_without_a_prompt_stops_the_load(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            await host.load(counter(permissions=["system.storage"]))

    with pytest.raises(PermissionDeniedError, match=r"system\.storage"):
        run(main())


def test_a_required_permission_is_asked_for_once_at_load(run, counter):
    asked = []

    async def prompt(request):
        asked.append(request.permission)
        return True

    async def main():
        async with ModuleHost(engine="trusted", prompt=prompt) as host:
            handle = await host.load(counter(permissions=["system.storage"]))
            return handle.permissions.has("system.storage")

    assert run(main())
    assert asked == ["system.storage"]


def test_a_grant_of_the_load_suffices(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter(permissions=["system.storage"]), grants=["system.storage"])
            return handle.permissions.has("system.storage")

    assert run(main())


def test_an_undeclared_grant_grants_nothing(run, counter):
    async def main():
        async with ModuleHost(engine="trusted", grants=["*"]) as host:
            return (await host.load(counter())).permissions.has("system.storage")

    assert run(main()) is False


def test_a_plugin_serves_in_place_of_a_service(run, counter):
    source = (
        HEAD
        + """
class Pasted(ModuleFramework):
    async def on_load(self):
        self.text = await self.clipboard.read()
    def render(self):
        return ui.text(self.text)
"""
    )

    class Plugin:
        @hookimpl
        def plataforma_services(self):
            async def read():
                return "from the plugin"

            return {"clipboard.read": read}

    async def main():
        async with ModuleHost(engine="trusted", plugins=[Plugin()], grants=["system.clipboard"]) as host:
            handle = await host.load(counter(source, permissions=["system.clipboard"]))
            return (await handle.render())["props"]["value"]

    assert run(main()) == "from the plugin"


def test_submit_is_the_door_for_other_threads(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            got = []
            thread = threading.Thread(target=lambda: got.append(host.submit(handle.call("add", 5)).result(timeout=5)))
            thread.start()
            await asyncio.to_thread(thread.join)
            return got

    assert run(main()) == [5]


def test_a_host_is_refused_after_a_fork(run, counter, monkeypatch):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            monkeypatch.setattr("os.getpid", lambda: -1)
            try:
                await host.load(counter())
            finally:
                monkeypatch.undo()

    with pytest.raises(ModuleStateError, match="fork"):
        run(main())


def test_a_ui_event_that_was_sent_reaches_its_handler(run, counter):
    source = (
        HEAD
        + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.count = 0
        self.create_window(title="Counter")
    def render(self):
        return ui.button(str(self.count), on_press=ui.action(self.add, 3), key="plus")
    def add(self, n):
        self.count += n
"""
    )

    async def main():
        async with ModuleHost(engine="trusted", grants=["window.create"]) as host:
            handle = await host.load(counter(source, permissions=["window.create"]))
            await handle.render()
            revision = handle.windows["main"].revision
            await handle.dispatch(UiEvent("main", revision, "plus", "add", (3,), None))
            return (await handle.render())["props"]["label"]

    assert run(main()) == "3"


def test_watching_shows_a_window_after_a_call(run, counter):
    source = (
        HEAD
        + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.count = 0
        self.create_window(title="Counter")
    def render(self):
        return ui.text(str(self.count))
    def add(self, n):
        self.count += n
"""
    )

    async def main():
        shown = asyncio.Queue()
        async with ModuleHost(engine="trusted", grants=["window.create"]) as host:
            handle = await host.load(counter(source, permissions=["window.create"]))
            with handle.watch(lambda window: shown.put_nowait(window.tree["props"]["value"])):
                first = await shown.get()
                await handle.call("add", 1)
                return [first, await shown.get()]

    assert run(main()) == ["0", "1"]


def test_long_call_shows_what_it_has_so_far(run, counter):
    """`invalidate` is seen before the call ends: so long work shows its progress."""
    source = (
        HEAD
        + """
import asyncio

class Counter(ModuleFramework):
    async def on_load(self):
        self.done = ""
        self.go_on = asyncio.Event()
        self.create_window(title="Counter")
    def render(self):
        return ui.text(self.done)
    async def work(self):
        self.done = "half"
        self.invalidate()
        await self.go_on.wait()
        self.done = "all"
    def end(self):
        self.go_on.set()
"""
    )

    async def main():
        shown = asyncio.Queue()
        async with ModuleHost(engine="trusted", grants=["window.create"]) as host:
            handle = await host.load(counter(source, permissions=["window.create"]))
            with handle.watch(lambda window: shown.put_nowait(window.tree["props"]["value"])):
                first = await shown.get()
                async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
                    tasks.create_task(handle.call("work"))
                    half = await shown.get()
                    await handle.call("end")
                return [first, half]

    assert run(main()) == ["", "half"]


def test_watching_shows_what_a_reload_opened(run, counter):
    source = (
        HEAD
        + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.create_window(title="Counter")
    def render(self):
        return ui.text("here")
"""
    )

    async def main():
        shown = asyncio.Queue()
        async with ModuleHost(engine="trusted", grants=["window.create"]) as host:
            handle = await host.load(counter(source, permissions=["window.create"]))
            with handle.watch(shown.put_nowait):
                before = await shown.get()
                await handle.reload()
                return await shown.get() is not before

    assert run(main())
