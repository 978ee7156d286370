"""Reload and upgrade: the new one takes over, or the old one stays."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import ApiStatusError, GuestError, ModuleStateError, PermissionDeniedError
from plataforma_sdk.runtime import ModuleHost
from tests.unit.runtime.conftest import COUNTER, HEAD

TAKES_OVER = (
    COUNTER
    + """
    async def on_reload(self, old_state):
        self.count = old_state["count"] * 10
"""
)
BROKEN = COUNTER.replace("self.count = 0", "raise RuntimeError('broken')")
REGISTERS = (
    HEAD
    + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.seen = 0
        self.create_window(title="one")
        self.subscribe("data.changed", self.on_change)
        self.register_endpoint("/counter/seen", self.on_request)
    def render(self):
        return ui.text(str(self.seen))
    def on_change(self, event):
        self.seen += 1
    async def on_request(self, request):
        return self.seen
    def total(self):
        return self.seen
"""
)
GRANTS = ("window.create", "events.subscribe")


def test_a_reload_hands_over_public_state(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            await handle.call("add", 4)
            await handle.reload(counter(TAKES_OVER))
            return await handle.call("add", 0)

    assert run(main()) == 40


def test_a_reload_that_fails_leaves_the_old_one(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            await handle.call("add", 4)
            with pytest.raises(GuestError, match="broken"):
                await handle.reload(counter(BROKEN, version="2.0.0"))
            return handle.state, handle.version, await handle.call("add", 0)

    assert run(main()) == ("active", "1.0.0", 4)


def test_a_reload_registers_once(run, counter):
    async def main():
        async with ModuleHost(engine="trusted", grants=GRANTS) as host:
            handle = await host.load(counter(REGISTERS, permissions=GRANTS))
            for _ in range(3):
                await handle.reload(counter(REGISTERS, permissions=GRANTS))
            await host.events.emit("data.changed", None)
            return await handle.call("total"), list(handle.windows)

    assert run(main()) == (1, ["main"])


def test_a_reload_that_fails_keeps_the_old_registrations(run, counter):
    async def main():
        async with ModuleHost(engine="trusted", grants=GRANTS) as host:
            handle = await host.load(counter(REGISTERS, permissions=GRANTS))
            with pytest.raises(GuestError):
                await handle.reload(counter(REGISTERS.replace("self.seen = 0", "1 / 0"), permissions=GRANTS))
            await host.events.emit("data.changed", None)
            return await handle.call("total"), list(handle.windows)

    assert run(main()) == (1, ["main"])


def test_wider_permissions_are_asked_for_at_a_reload(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            with pytest.raises(PermissionDeniedError):
                await handle.reload(counter(permissions=["system.storage"]))
            return handle.state

    assert run(main()) == "active"


def test_another_module_cannot_take_the_place(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            await (await host.load(counter())).reload(counter(id="other"))

    with pytest.raises(ModuleStateError, match="other"):
        run(main())


def test_a_newer_version_is_told_what_it_replaces(run, counter, tmp_path):
    upgrading = (
        COUNTER
        + """
    async def on_upgrade(self, from_version):
        self.upgraded_from = from_version
    def came_from(self):
        return self.upgraded_from
"""
    )

    async def main():
        async with ModuleHost(engine="trusted", state_dir=tmp_path) as host:
            await host.load(counter())
        async with ModuleHost(engine="trusted", state_dir=tmp_path) as host:
            return await (await host.load(counter(upgrading, version="1.1.0"))).call("came_from")

    assert run(main()) == "1.0.0"


def test_an_upgrade_that_fails_leaves_stored_data_alone(run, counter):
    stores = (
        COUNTER.replace("self.count = 0", "self.count = await self.storage.get('count') or 0")
        + """
    async def keep(self, n):
        await self.storage.set('count', n)
    async def kept(self):
        return await self.storage.get('count')
"""
    )
    spoils = (
        stores
        + """
    async def on_upgrade(self, from_version):
        await self.storage.set('count', -1)
        raise ValueError('cannot upgrade')
"""
    )
    needs = ["system.storage"]

    async def main():
        async with ModuleHost(engine="trusted", grants=needs) as host:
            handle = await host.load(counter(stores, permissions=needs))
            await handle.call("keep", 7)
            with pytest.raises(GuestError, match="cannot upgrade"):
                await handle.reload(counter(spoils, version="2.0.0", permissions=needs))
            return handle.version, await handle.call("kept")

    assert run(main()) == ("1.0.0", 7)


def test_an_endpoint_that_fails_is_told_as_the_modules_fault(run, counter):
    source = (
        HEAD
        + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.register_endpoint("/counter/broken", self.broken)
    def render(self):
        return ui.text("")
    async def broken(self, request):
        return 1 // 0
    async def ask(self):
        return await self.api_call("/counter/broken")
"""
    )
    needs = ["api.counter"]

    async def main():
        faults = []
        async with ModuleHost(engine="trusted", grants=needs) as host:
            host.events.subscribe("plataforma.module.error", lambda event: faults.append(event.data["module"]))
            handle = await host.load(counter(source, permissions=needs))
            with pytest.raises(ApiStatusError):
                await handle.call("ask")
        return faults

    assert run(main()) == ["counter"]


STORES = (
    COUNTER.replace("self.count = 0", "self.count = await self.storage.get('count') or 0")
    + """
    async def keep(self, n):
        await self.storage.set('count', n)
    async def kept(self):
        return await self.storage.get('count')
"""
)
STORAGE = ["system.storage"]


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_a_reload_that_fails_after_storing_has_stored_nothing(run, counter, version):
    spoils = STORES.replace("self.count = ", "await self.storage.set('count', -1); self.count = 1 // 0 or ")

    async def main():
        async with ModuleHost(engine="trusted", grants=STORAGE) as host:
            handle = await host.load(counter(STORES, permissions=STORAGE))
            await handle.call("keep", 7)
            with pytest.raises(GuestError, match="ZeroDivisionError"):
                await handle.reload(counter(spoils, version=version, permissions=STORAGE))
            return await handle.call("kept")

    assert run(main()) == 7


def test_what_the_old_one_stores_during_a_failing_upgrade_is_kept(run, counter):
    waits = (
        STORES
        + """
    async def on_upgrade(self, from_version):
        await self.storage.set('count', -1)
        self.emit('upgrading')
        await self.request('go.on', None, timeout_s=5)
        raise ValueError('cannot upgrade')
"""
    )
    needs = [*STORAGE, "events.emit"]

    async def main():
        async with ModuleHost(engine="trusted", grants=needs) as host:
            handle = await host.load(counter(STORES, permissions=needs))

            async def go_on(_):
                await handle.call("keep", 8)

            host.events.subscribe("go.on", go_on)
            with pytest.raises(GuestError, match="cannot upgrade"):
                await handle.reload(counter(waits, version="2.0.0", permissions=needs))
            return await handle.call("kept")

    assert run(main()) == 8


def test_an_upgrade_that_fails_at_load_leaves_stored_data_alone(run, counter, tmp_path):
    spoils = (
        STORES
        + """
    async def on_upgrade(self, from_version):
        await self.storage.set('count', -1)
        raise ValueError('cannot upgrade')
"""
    )

    async def main():
        async with ModuleHost(engine="trusted", grants=STORAGE, state_dir=tmp_path) as host:
            await (await host.load(counter(STORES, permissions=STORAGE))).call("keep", 7)
        async with ModuleHost(engine="trusted", grants=STORAGE, state_dir=tmp_path) as host:
            with pytest.raises(GuestError, match="cannot upgrade"):
                await host.load(counter(spoils, version="2.0.0", permissions=STORAGE))
            return await (await host.load(counter(STORES, permissions=STORAGE))).call("kept")

    assert run(main()) == 7


def test_an_upgrade_that_succeeds_is_stored(run, counter):
    upgrades = (
        STORES
        + """
    async def on_upgrade(self, from_version):
        await self.storage.set('count', 10 * await self.storage.get('count'))
"""
    )

    async def main():
        async with ModuleHost(engine="trusted", grants=STORAGE) as host:
            handle = await host.load(counter(STORES, permissions=STORAGE))
            await handle.call("keep", 7)
            await handle.reload(counter(upgrades, version="2.0.0", permissions=STORAGE))
            await handle.call("add", 1)
            return await handle.call("kept"), await handle.call("add", 0)

    assert run(main()) == (70, 71)


EMITS = ["events.emit"]
WAITS = (
    COUNTER
    + """
    async def wait(self):
        await self.request('go.on', None, timeout_s=5)
"""
)


@pytest.mark.parametrize("engine", ["trusted", "restricted", "wasm"])
def test_a_call_that_runs_during_a_reload_is_told_to_call_again(run, counter, engine):
    async def main():
        begun, never = asyncio.Event(), asyncio.Event()

        async def hold(_):
            begun.set()
            await never.wait()

        async with ModuleHost(engine=engine, grants=EMITS) as host:
            handle = await host.load(counter(WAITS, permissions=EMITS))
            host.events.subscribe("go.on", hold)
            call = asyncio.create_task(handle.call("wait"))
            await begun.wait()
            await handle.reload()
            with pytest.raises(ModuleStateError, match="reloaded while this call ran: call again") as caught:
                await call
            return caught.value.state, await handle.call("add", 1)

    assert run(main()) == ("reloading", 1)


@pytest.mark.parametrize("engine", ["trusted", "restricted", "wasm"])
def test_calls_during_reloads_reach_one_version_or_the_other(run, counter, engine):
    async def main():
        async with ModuleHost(engine=engine) as host:
            handle = await host.load(counter(TAKES_OVER))
            ended = asyncio.Event()

            async def call_on():
                answers = 0
                while not ended.is_set():
                    await handle.call("add", 0)
                    answers += 1
                    await asyncio.sleep(0)
                return answers

            async with asyncio.TaskGroup() as group:
                caller = group.create_task(call_on())
                for _ in range(5):
                    await handle.reload()
                ended.set()
            return caller.result() > 0, handle.state

    assert run(main()) == (True, "active")


def test_a_reload_that_is_cancelled_leaves_the_old_one(run, counter):
    slow = COUNTER.replace("self.count = 0", "await self.request('go.on', None, timeout_s=5)")

    async def main():
        begun, never = asyncio.Event(), asyncio.Event()

        async def hold(_):
            begun.set()
            await never.wait()

        async with ModuleHost(engine="trusted", grants=EMITS) as host:
            handle = await host.load(counter())
            await handle.call("add", 4)
            host.events.subscribe("go.on", hold)
            reload = asyncio.create_task(handle.reload(counter(slow, version="2.0.0", permissions=EMITS)))
            await begun.wait()
            reload.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reload
            return handle.state, handle.version, await handle.call("add", 0)

    assert run(main()) == ("active", "1.0.0", 4)


def test_the_old_one_cannot_touch_what_the_new_one_registered(run, counter):
    meddles = (
        REGISTERS
        + """
    async def on_unload(self):
        self.windows["main"].update(title="meddled")
        self.create_window(id="other", title="late")
        self.subscribe("data.changed", self.on_change)
"""
    )

    async def main():
        async with ModuleHost(engine="trusted", grants=GRANTS) as host:
            handle = await host.load(counter(meddles, permissions=GRANTS))
            await handle.reload(counter(REGISTERS, permissions=GRANTS))
            await host.events.emit("data.changed", None)
            return [(window.id, window.title) for window in host.windows], await handle.call("total")

    assert run(main()) == ([("main", "one")], 1)


def test_permissions_that_a_reload_made_are_let_go_of_where_it_fails(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            for _ in range(3):
                with pytest.raises(PermissionDeniedError):
                    await handle.reload(counter(permissions=STORAGE))
            before = len(host._state._attached["counter"])
            handle.permissions.grant("system.storage")
            return before

    assert run(main()) == 1


def test_permissions_that_were_replaced_are_let_go_of(run, counter):
    async def main():
        async with ModuleHost(engine="trusted", grants=STORAGE) as host:
            handle = await host.load(counter())
            for _ in range(3):
                await handle.reload(counter(permissions=STORAGE))
                await handle.reload(counter())
            return len(host._state._attached["counter"])

    assert run(main()) == 1
