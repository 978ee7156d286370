"""Hard limits: the call ends, the module cannot catch it, and the host and the other modules go on."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import ModuleStateError, PlataformaError, QuotaExceededError, ResourceLimitError
from plataforma_sdk.sandbox import ResourceLimits

from ._suite import MANIFEST, METERED, Case, case, each, make_package, module

MIB = 2**20
TIGHT = ResourceLimits(max_call_ms=3_000, max_step_ms=200, max_memory_bytes=64 * MIB)

RUNS_WILD = module(
    """
    async def on_load(self):
        self.count = 0

    def add(self):
        self.count += 1
        return self.count

    def spin(self):
        while True:
            pass

    async def spin_later(self):
        await asyncio.sleep(0)
        while True:
            pass

    def spin_caught(self):
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    def spin_finally(self):
        try:
            while True:
                pass
        finally:
            while True:
                pass

    def comprehend(self):
        return sum(1 for _ in iter(int, 1))

    def allocate(self):
        rows = []
        while True:
            rows.append("x" * 100_000 + str(len(rows)))

    def allocate_at_once(self):
        return len("x" * 10_000_000_000)

    def double(self):
        data = b"x"
        while True:
            data += data

    def recurse(self):
        return self.recurse()

    def recurse_apart(self, n=0):
        return [self.recurse_together(n + 1)]

    def recurse_together(self, n):
        return {"n": self.recurse_apart(n + 1)}

    def power(self):
        return len(str(9 ** 9 ** 9))
    """
)

WILD = {
    "spin": {"fuel", "step_time", "call_time"},
    "spin_later": {"fuel", "step_time", "call_time"},
    "spin_caught": {"fuel", "step_time", "call_time"},
    "spin_finally": {"fuel", "step_time", "call_time"},
    "comprehend": {"fuel", "step_time", "call_time"},
    "allocate": {"memory"},
    "allocate_at_once": {"memory"},
    "double": {"memory"},
    "recurse": {"stack"},
    "recurse_apart": {"stack"},
    "power": {"fuel", "step_time", "call_time", "memory"},
}
"""Method -> the limits that may end it: which one trips first is the engine's affair, that one does is not."""


def ends(method, resources):
    """Check that a hard limit ends the call, that the handle says what became of the instance, and that all goes on."""

    async def check(host, handle):
        other = await host.load(make_package(RUNS_WILD, id="other"))
        assert [await handle.call("add"), await other.call("add")] == [1, 1]
        wild = asyncio.create_task(handle.call(method))
        for _ in range(3):
            await other.call("add")
        with pytest.raises(ResourceLimitError) as caught:
            await wild
        error = caught.value
        assert not isinstance(error, QuotaExceededError)
        assert (error.resource in resources, error.module) == (True, "probe")
        assert (handle.was_replaced, handle.restarts) == (error.replaced, int(error.replaced))
        assert await handle.call("add") == (1 if error.replaced else 2)
        assert [await other.call("add"), other.restarts, handle.state] == [5, 0, "active"]

    return check


test_a_module_that_runs_wild_is_stopped = each(
    Case(name=f"wild_{method}", source=RUNS_WILD, check=ends(method, found), limits=TIGHT, tiers=METERED)
    for method, found in WILD.items()
)

test_endless_recursion_ends_in_every_tier = each(
    Case(name=f"trusted_{method}", source=RUNS_WILD, check=ends(method, found), tiers=("trusted",))
    for method, found in WILD.items()
    if found == {"stack"}
)


@case(module("", head="ready = [x for x in iter(int, 1)]"), limits=TIGHT, tiers=METERED, is_loaded=False)
async def test_top_level_code_that_does_not_end_is_stopped(host, package):
    with pytest.raises(ResourceLimitError):
        await host.load(package)
    assert not host.modules


@case(module("async def on_load(self):\n    while True:\n        pass"), limits=TIGHT, tiers=METERED, is_loaded=False)
async def test_an_on_load_that_does_not_end_is_stopped(host, package):
    with pytest.raises(ResourceLimitError):
        await host.load(package)
    assert not host.modules


@case(
    module(
        """
        async def on_load(self):
            self.subscribe("data.go", self.on_go)
            self.create_window(title="One")

        def on_go(self, event):
            self.emit("heard")

        def probe(self):
            while True:
                pass
        """
    ),
    permissions=("events.emit", "events.subscribe", "window.create"),
    limits=TIGHT,
    tiers=METERED,
)
async def test_a_replaced_instance_registers_once(host, handle):
    heard = []
    host.events.subscribe("module.probe.heard", lambda event: heard.append(event.topic))
    with pytest.raises(ResourceLimitError) as caught:
        await handle.call("probe")
    assert caught.value.replaced
    await host.events.emit("data.go")
    assert (heard, list(handle.windows)) == (["module.probe.heard"], ["main"])


@case(RUNS_WILD, manifest=f"restart = false\n{MANIFEST}", limits=TIGHT, tiers=METERED)
async def test_a_module_that_may_not_restart_fails(host, handle):
    with pytest.raises(ResourceLimitError) as caught:
        await handle.call("spin")
    assert not caught.value.replaced
    assert (handle.state, handle.was_replaced) == ("failed", False)
    with pytest.raises(ModuleStateError, match="failed"):
        await handle.call("add")
    await handle.reload()
    assert await handle.call("add") == 1


@case(
    module(
        """
        async def on_load(self):
            self.subscribe("data.go", self.on_go)

        def on_go(self, event):
            while True:
                pass
        """
    ),
    permissions=("events.subscribe",),
    limits=TIGHT,
    tiers=METERED,
)
async def test_a_handler_that_runs_wild_is_stopped_and_reported(host, handle):
    delivery = await host.events.emit("data.go")
    assert [type(fault.error) for fault in delivery.errors] == [ResourceLimitError]
    assert (handle.was_replaced, handle.state) == (True, "active")


@case(
    module(
        """
        async def wait(self):
            await asyncio.Event().wait()

        def probe(self):
            while True:
                pass

        def fine(self):
            return "fine"
        """
    ),
    limits=TIGHT,
    tiers=METERED,
)
async def test_calls_in_flight_end_with_the_instance(host, handle):
    waiting = [asyncio.create_task(handle.call("wait")) for _ in range(3)]
    await asyncio.sleep(0.01)
    with pytest.raises(ResourceLimitError):
        await handle.call("probe")
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(result, PlataformaError) for result in results] == [True] * 3
    assert (await handle.call("fine"), handle.restarts) == ("fine", 1)


@case(
    module(
        """
        async def begin(self):
            self.task = asyncio.create_task(self.spin())

        async def spin(self):
            await asyncio.sleep(0.01)
            while True:
                pass

        def probe(self):
            return "fine"
        """
    ),
    limits=TIGHT,
    tiers=METERED,
)
async def test_a_background_task_that_runs_wild_is_stopped(host, handle):
    """A call that runs just then learns of it; one that comes later finds the fresh instance."""
    await handle.call("begin")
    seen = set()
    while not handle.was_replaced:
        await asyncio.sleep(0.02)
        try:
            await handle.call("probe")
        except ResourceLimitError as error:
            seen.add(error.resource)
    assert seen <= set(WILD["spin"])
    assert (await handle.call("probe"), handle.state, handle.restarts) == ("fine", "active", 1)


# --- the time of a call counts in every tier -------------------------------------------------------------------------

WAITS = module(
    """
    async def on_load(self):
        self.ended = []

    async def forever(self):
        await asyncio.Event().wait()

    async def host(self):
        await self.api_call("/shop/never")

    async def stubborn(self):
        while True:
            try:
                await asyncio.sleep(0.01)
            except Exception:
                pass

    def probe(self):
        return "fine"
    """
)


def ends_in_time(method):
    async def check(host, handle):
        with pytest.raises(ResourceLimitError) as caught:
            await handle.call(method)
        error = caught.value
        assert (error.resource, error.limit, error.unit, error.module) == ("call_time", 200, "ms", "probe")
        assert error.used >= 200
        assert handle.was_replaced is error.replaced
        assert (await handle.call("probe"), handle.state) == ("fine", "active")

    return check


test_a_call_that_waits_too_long_is_ended = each(
    Case(
        name=f"call_time_{method}",
        source=WAITS,
        check=ends_in_time(method),
        permissions=("api.internal",),
        limits=ResourceLimits(max_call_ms=200),
    )
    for method in ("forever", "host", "stubborn")
)
