"""The one choke point: every host function is refused without its permission, served by name, and never bypassed."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import HostCallError, PermissionDeniedError
from plataforma_sdk.module import OPERATIONS
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.sandbox import ApiProxy, ResourceMonitor

from ._suite import Case, case, manifest_of, module, open_host, returns

ARGUMENTS = {
    "log": ["info", "text", {}],
    "clock.now": [],
    "events.emit": ["saved", None],
    "events.subscribe": [1, "data.saved"],
    "events.unsubscribe": [1],
    "events.request": ["module.other.sum", None, 1.0],
    "api.register": [1, "/probe/x", ["GET"]],
    "api.call": ["/shop/customers", {"method": "GET"}],
    "windows.create": [{"id": "main", "title": "T", "width": 1, "height": 1, "modal": False}],
    "windows.update": ["main", {"title": "T"}],
    "windows.close": ["main"],
    "windows.invalidate": [None],
    "timers.start": [1, 1.0],
    "timers.stop": [1],
    "permissions.has": ["system.storage"],
    "permissions.require": ["system.storage"],
    "permissions.request": ["system.storage", "why"],
    "database.query": ["SELECT 1", []],
    "database.execute": ["DELETE FROM Customer", []],
    "storage.get": ["k"],
    "storage.set": ["k", 1],
    "storage.delete": ["k"],
    "storage.keys": [""],
    "system.notify": ["title", "body"],
    "clipboard.read": [],
    "clipboard.write": ["text"],
    "asset.read": ["a.txt"],
}
NEEDS = {
    "events.emit": "events.emit[module.probe.saved]",
    "events.subscribe": "events.subscribe[data.saved]",
    "events.request": "events.emit[module.other.sum]",
    "api.call": "api.shop[GET]",
    "windows.create": "window.create",
    "windows.update": "window.create",
    "database.query": "database.read",
    "database.execute": "database.write",
    "storage.get": "system.storage",
    "storage.set": "system.storage",
    "storage.delete": "system.storage",
    "storage.keys": "system.storage",
    "system.notify": "system.notifications",
    "clipboard.read": "system.clipboard",
    "clipboard.write": "system.clipboard",
}
"""Function -> the permission that it is refused without; what is not here needs none, on purpose."""


class Reached(Exception):
    """Raised by a service that a call got through to."""


def proxy_of(*grants, services=OPERATIONS):
    def reach(*_):
        raise Reached

    async def reach_later(*_):
        raise Reached

    served = {name: reach if OPERATIONS[name].immediate else reach_later for name in services}
    return ApiProxy("probe", PermissionManager(grants, module="probe"), ResourceMonitor(), served)


def ask(proxy, method, args):
    if OPERATIONS[method].immediate:
        return proxy.call_now(method, args)
    return asyncio.run(proxy.call(method, args))


def test_the_table_of_arguments_is_complete():
    assert set(ARGUMENTS) == set(OPERATIONS)
    assert all(len(args) == OPERATIONS[name].arity for name, args in ARGUMENTS.items())


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_a_function_is_refused_without_its_permission(method):
    if method in NEEDS:
        with pytest.raises(PermissionDeniedError) as caught:
            ask(proxy_of(), method, ARGUMENTS[method])
        assert caught.value.permission == NEEDS[method]
    else:
        with pytest.raises(HostCallError, match="Reached"):
            ask(proxy_of(), method, ARGUMENTS[method])


@pytest.mark.parametrize("method", sorted(NEEDS))
def test_a_function_is_served_with_exactly_its_permission(method):
    with pytest.raises(HostCallError, match="Reached"):
        ask(proxy_of(NEEDS[method]), method, ARGUMENTS[method])


@pytest.mark.parametrize("method", sorted(NEEDS))
def test_no_other_permission_stands_in(method):
    others = [name for name in set(NEEDS.values()) if name != NEEDS[method]]
    with pytest.raises(PermissionDeniedError):
        ask(proxy_of(*others), method, ARGUMENTS[method])


@pytest.mark.parametrize("method", sorted(OPERATIONS))
def test_a_function_that_nobody_serves_does_not_exist(method):
    proxy = proxy_of(*NEEDS.values(), services=set(OPERATIONS) - {method})
    with pytest.raises(HostCallError, match="UnknownMethod"):
        ask(proxy, method, ARGUMENTS[method])


@pytest.mark.parametrize("method", ["", "eval", "storage", "storage.get ", "STORAGE.GET", "@load", "__class__"])
def test_a_name_outside_the_table_does_not_exist(method):
    with pytest.raises(HostCallError, match="UnknownMethod"):
        proxy_of("system.storage").call_now(method, [])


@case(module(""))
async def test_a_session_serves_every_function_and_no_other(host, handle):
    assert set(handle._live._current.session.services()) == set(OPERATIONS)


EVERYTHING = module(
    """
    async def on_load(self):
        self.log("info", "here")
        subscription = self.subscribe("data.saved", self.render)
        subscription.unsubscribe()
        timer = self.every(60, self.render)
        timer.unsubscribe()
        self.emit("saved")
        self.register_endpoint("/probe/x", self.answer)
        window = self.create_window(title="One")
        window.update(title="Two")
        self.invalidate()
        window.close()
        self.permissions.has("system.storage")
        self.permissions.require("system.storage")

    async def probe(self):
        await self.permissions.request("system.storage", "again")
        await self.api_call("/shop/text")
        await self.query("SELECT 1")
        await self.execute("DELETE FROM Customer")
        await self.storage.set("k", 1)
        await self.storage.get("k")
        await self.storage.keys()
        await self.storage.delete("k")
        await self.notify("title", "body")
        await self.clipboard.write("x")
        await self.clipboard.read()
        await self.asset("words.txt")
        self.subscribe("module.probe.own", self.answer)
        await self.request("module.probe.own", 1, timeout_s=5)

    async def answer(self, request):
        return 1
    """
)


def test_nothing_of_the_framework_bypasses_the_proxy(engine, monkeypatch, tmp_path):
    """Each function that a module can ask for is seen by the proxy, in each tier; the clock is read there too."""

    seen = set()
    admit = ApiProxy._admit

    def watch(self, method, args, *, immediate):
        seen.add(method)
        return admit(self, method, args, immediate=immediate)

    monkeypatch.setattr(ApiProxy, "_admit", watch)
    permissions = sorted({name.partition("[")[0] for name in NEEDS.values()} - {"api.shop"} | {"api.internal"})

    everything = Case(
        name="everything",
        source=EVERYTHING,
        check=returns(None),
        permissions=tuple(permissions),
        manifest=manifest_of(permissions) + '[endpoints]\n"/probe/x" = ["GET"]\n',
        files={"words.txt": "words"},
        has_database=True,
    )
    everything.run(engine, tmp_path / "probe")
    assert seen | {"clock.now"} == set(OPERATIONS)  # a tier may give the time without asking the host


def test_without_services_nothing_of_the_framework_works(engine, run, monkeypatch):
    """What a module can do is what the proxy was handed: with empty hands every call is refused."""
    from plataforma_sdk.runtime._session import ModuleSession

    monkeypatch.setattr(ModuleSession, "services", lambda self: {})
    source = module(
        """
        async def probe(self):
            refused = []
            for attempt in (self.log_it, self.emit_it, self.open_it, self.has_it):
                try:
                    attempt()
                except HostCallError as error:
                    refused.append(error.type_name)
            for wait in (self.store_it, self.call_it):
                try:
                    await wait()
                except HostCallError as error:
                    refused.append(error.type_name)
            return refused

        def log_it(self):
            self.log("info", "x")

        def emit_it(self):
            self.emit("x")

        def open_it(self):
            self.create_window(title="x")

        def has_it(self):
            self.permissions.has("x")

        async def store_it(self):
            await self.storage.get("x")

        async def call_it(self):
            await self.api_call("/shop/text")
        """,
        head="from plataforma_sdk import HostCallError",
    )

    async def main():
        async with open_host(engine, source) as (_, handle):
            return await handle.call("probe")

    assert run(main()) == ["UnknownMethod"] * 6
