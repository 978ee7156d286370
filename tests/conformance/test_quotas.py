"""Soft limits: raised in the module, where they can be caught, with the same fields in each tier."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import QuotaExceededError
from plataforma_sdk.sandbox import ResourceLimits

from ._suite import MANIFEST, Case, case, each, module

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
        return ["caught", error.resource, error.limit, error.unit, error.used > error.limit, error.module]

def fine(self):
    return "fine"
""",
        head="from plataforma_sdk import QuotaExceededError",
    )


def is_caught(resource, limit, unit):
    async def check(host, handle):
        assert await handle.call("probe") == ["caught", resource, limit, unit, True, "probe"]
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
    module("def large(self, n):\n    return 'x' * n\n\ndef length(self, text):\n    return len(text)"),
    limits=ResourceLimits(max_payload_bytes=10_000),
)
async def test_arguments_and_results_are_payloads_too(host, handle):
    for method, argument in (("large", 20_000), ("length", "x" * 20_000)):
        with pytest.raises(QuotaExceededError) as caught:
            await handle.call(method, argument)
        assert (caught.value.resource, caught.value.limit, caught.value.module) == ("payload", 10_000, "probe")
    assert [len(await handle.call("large", 5_000)), await handle.call("length", "x" * 5_000)] == [5_000, 5_000]
    assert (handle.state, handle.restarts) == ("active", 0)


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
    module(""),
    manifest=MANIFEST + "[limits]\nmax_call_ms = 1000\nmax_memory_bytes = 999999999999\n",
    limits=ResourceLimits(max_call_ms=5_000),
)
async def test_a_manifest_lowers_limits_and_never_raises_them(host, handle):
    assert handle.usage.limits.max_call_ms == 1_000
    assert handle.usage.limits.max_memory_bytes == ResourceLimits().max_memory_bytes
