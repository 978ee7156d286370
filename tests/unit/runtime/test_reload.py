"""Reload and upgrade: the new one takes over, or the old one stays."""

from __future__ import annotations

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
