"""Hard limits end the call and the module goes on; soft ones are caught in the module, the same in each tier."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import GuestError, ModuleStateError, QuotaExceededError, ResourceLimitError
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


@case(module("ready = [x for x in iter(int, 1)]").replace("    ready", "ready"), limits=TIGHT, tiers=METERED, is_loaded=False)
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


# --- soft limits -----------------------------------------------------------------------------------------------------

SOFT = {
    "storage": (
        {"max_storage_bytes": 1_000},
        "await self.storage.set('k', 'x' * 300)\nawait self.storage.set('k2', 'x' * 900)",
        ["storage", 1_000, "bytes"],
    ),
    "network": (
        {"max_network_requests_per_min": 3},
        "for _ in range(4):\n    await self.api_call('/shop/text')",
        ["network_requests", 3, "requests/min"],
    ),
    "payload_out": (
        {"max_payload_bytes": 10_000},
        "self.emit('large', 'x' * 20_000)",
        ["payload", 10_000, "bytes"],
    ),
    "payload_in": (
        {"max_payload_bytes": 10_000},
        "await self.api_call('/shop/large')",
        ["payload", 10_000, "bytes"],
    ),
    "host_calls": (
        {"max_host_calls_per_s": 20},
        "for _ in range(200):\n    self.permissions.has('events.emit')",
        ["host_calls", 20, "calls/s"],
    ),
    "output_of_log": (
        {"max_output_bytes": 5_000},
        "for _ in range(20):\n    self.log('info', 'x' * 1_000)",
        ["output", 5_000, "bytes"],
    ),
    "timers": (
        {},
        "for _ in range(65):\n    self.every(60, self.render)",
        ["timers", 64, "timers"],
    ),
}


def soft(text):
    body = text.replace("\n", "\n        ")
    return module(
        f"""
async def use(self):
    {text.replace(chr(10), chr(10) + "    ")}

async def probe(self):
    try:
        {body}
        return "allowed"
    except QuotaExceededError as error:
        return [type(error).__name__, error.resource, error.limit, error.unit, error.used > error.limit, error.module]

def fine(self):
    return "fine"
""",
        head="from plataforma_sdk import QuotaExceededError",
    )


def is_caught(resource, limit, unit):
    async def check(host, handle):
        assert await handle.call("probe") == ["QuotaExceededError", resource, limit, unit, True, "probe"]
        with pytest.raises(QuotaExceededError) as caught:
            await handle.call("use")
        assert (caught.value.resource, caught.value.limit, caught.value.replaced) == (resource, limit, False)
        assert (await handle.call("fine"), handle.state, handle.restarts) == ("fine", "active", 0)

    return check


test_a_soft_limit_is_caught_in_the_module = each(
    Case(
        name=f"quota_{name}",
        source=soft(text),
        check=is_caught(*expected),
        permissions=("system.storage", "api.internal", "events.emit"),
        limits=ResourceLimits(**limits),
    )
    for name, (limits, text, expected) in SOFT.items()
)


@case(
    module(
        """
        def probe(self):
            try:
                for _ in range(1_000):
                    print("x" * 100)
                return "allowed"
            except QuotaExceededError as error:
                return [error.resource, error.limit]
        """,
        head="from plataforma_sdk import QuotaExceededError",
    ),
    limits=ResourceLimits(max_output_bytes=10_000),
)
async def test_print_counts_as_output(host, handle):
    assert await handle.call("probe") == ["output", 10_000]
    assert 0 < handle.usage.output_bytes <= 10_000


@case(
    module(
        """
        async def probe(self):
            await self.api_call("/shop/text")
            self.log("info", "x" * 10_000)
            self.emit("done")
        """
    ),
    permissions=("api.internal", "events.emit"),
)
async def test_a_handle_shows_what_was_used(host, handle):
    await handle.call("probe")
    usage = handle.usage
    assert (usage.host_calls, usage.network_requests) == (3, 1)
    assert 10_000 <= usage.output_bytes < 11_000
    assert usage.limits.max_network_requests_per_min == 600


@case(
    RUNS_WILD,
    manifest=MANIFEST + "[limits]\nmax_call_ms = 1000\nmax_memory_bytes = 999999999999\n",
    limits=ResourceLimits(max_call_ms=5_000),
)
async def test_a_manifest_lowers_limits_and_never_raises_them(host, handle):
    assert handle.usage.limits.max_call_ms == 1_000
    assert handle.usage.limits.max_memory_bytes == ResourceLimits().max_memory_bytes


@case(module("def probe(self):\n    raise MemoryError('made up')"))
async def test_a_fault_that_is_called_like_a_limit_is_none(host, handle):
    with pytest.raises(GuestError) as caught:
        await handle.call("probe")
    assert caught.value.type_name == "MemoryError"
