"""What a host counts and tells of its modules; the same in every tier."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from plataforma_sdk import (
    GuestError,
    ModuleHost,
    ModulePackage,
    PermissionDeniedError,
    ResourceLimitError,
    ResourceLimits,
)
from plataforma_sdk.logs import RECORD_FIELDS, ModuleCall
from plataforma_sdk.permissions import Answer
from plataforma_sdk.plugins import hookimpl
from plataforma_sdk.runtime import CallOutcome

SOURCE = """
import asyncio
from plataforma_sdk import ModuleFramework, ui

class M(ModuleFramework):
    async def on_load(self):
        if self.permissions.has("events.subscribe[data.saved]"):
            self.subscribe("data.saved", self.heard)
    def heard(self, event):
        self.log("info", "heard")
    def render(self):
        return ui.text("x")
    def say(self, text):
        self.log("warning", text, n=1)
    async def say_later(self, text):
        await asyncio.sleep(0.01)
        self.log("info", text)
    def shout(self, times):
        for n in range(times):
            self.log("info", str(n))
    def fail(self):
        return 1 // 0
    async def read(self):
        return await self.clipboard.read()
    def announce(self):
        self.emit("done")
    async def sleep(self):
        await asyncio.sleep(60)
    def spin(self):
        while True:
            pass
"""
PERMISSIONS = ["events.subscribe[data.*]", "events.emit"]

pytestmark = pytest.mark.timeout(120)  # the guest may be built first


@pytest.fixture(params=["trusted", "restricted", "wasm"])
def tier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def package(version: str = "1.0.0") -> ModulePackage:
    toml = f"""
id = "m"
version = "{version}"
entry = "m:M"
[permissions.optional]
"events.emit" = "to tell"
"events.subscribe[data.*]" = "to hear"
[events]
consumed = ["data.*"]
"""
    return ModulePackage.from_files({"module.toml": toml.encode(), "m.py": SOURCE.encode()})


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[logging.LogRecord]]:
    caplog.set_level(logging.INFO, "plataforma_sdk")
    return lambda name: [record for record in caplog.records if record.name == f"plataforma_sdk.{name}"]


def fields(record: logging.LogRecord) -> list[Any]:
    return [getattr(record, name) for name in RECORD_FIELDS]


def test_calls_failures_and_denials_are_counted(run: Any, tier: str) -> None:
    async def main() -> None:
        async with ModuleHost(engine=tier, subject="ana", grants=PERMISSIONS) as host:
            m = await host.load(package())
            await m.call("say", "oi")
            await m.call("announce")
            await m.render()
            for method, error in (("fail", GuestError), ("read", PermissionDeniedError)):
                with pytest.raises(error):
                    await m.call(method)
            await host.events.emit("data.saved")
            stats = host.stats()
            found = stats.modules["m"]
            assert (found.id, found.version, found.engine, found.state) == ("m", "1.0.0", tier, "active")
            assert (found.calls, found.running, found.denials, found.events_emitted) == (6, 0, 1, 1)
            assert found.failures == {"GuestError": 1, "PermissionDeniedError": 1}
            assert (found.events.delivered, found.events.queued) == (1, 0)
            assert found.p50_ms is not None
            assert found.p99_ms is not None
            assert 0 < found.p50_ms <= found.p99_ms
            assert found.usage == m.usage
            assert (stats.subject, stats.calls, stats.loads, stats.denials) == ("ana", 6, 1, 1)
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                stats.calls = 0  # type: ignore[misc]
            await m.unload()
            after = host.stats()
            assert (dict(after.modules), after.calls, after.unloads, after.denials) == ({}, 6, 1, 1)

    run(main())


def test_a_running_call_is_seen_and_a_cancelled_one_is_counted(run: Any) -> None:
    async def main() -> None:
        async with ModuleHost(engine="trusted") as host:
            m = await host.load(package())
            call = asyncio.create_task(m.call("sleep"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert host.stats().modules["m"].running == 1
            call.cancel()
            await asyncio.wait([call])
            found = host.stats().modules["m"]
            assert (found.running, found.failures) == (0, {"CancelledError": 1})

    run(main())


def test_what_a_module_logs_says_which_call(run: Any, tier: str, records: Any) -> None:
    async def main() -> None:
        async with ModuleHost(engine=tier, subject="ana", grants=PERMISSIONS) as host:
            m = await host.load(package())
            await m.call("say", "100% oi\n2026 ERROR forged")
            await asyncio.gather(m.call("say_later", "two"), m.call("say_later", "three"))

    run(main())
    found = {record.getMessage(): fields(record) for record in records("module")}
    assert found == {
        "m: 100% oi\\n2026 ERROR forged": ["m", "1.0.0", tier, 1, "ana"],
        "m: two": ["m", "1.0.0", tier, 2, "ana"],
        "m: three": ["m", "1.0.0", tier, 3, "ana"],
    }
    assert records("module")[0].fields == {"n": 1}


def test_the_life_of_a_module_is_told(run: Any, records: Any) -> None:
    async def main() -> None:
        async with ModuleHost(engine="trusted", subject="ana") as host:
            m = await host.load(package())
            with pytest.raises(PermissionDeniedError):
                await m.call("read")
            await m.reload(package("1.1.0"))
            assert host.stats().modules["m"].reloads == 1

    run(main())
    told = [(record.getMessage(), *fields(record)) for record in records("runtime")]
    assert told == [
        ("Module 'm' 1.0.0 loaded", "m", "1.0.0", "trusted", None, "ana"),
        ("Module 'm' 1.1.0 reloaded", "m", "1.1.0", "trusted", None, "ana"),
        ("Module 'm' 1.1.0 unloaded", "m", "1.1.0", "trusted", None, "ana"),
    ]
    (denial,) = records("permissions")
    assert denial.getMessage() == "Module 'm' was refused system.clipboard (undeclared)"
    assert fields(denial) == ["m", "1.0.0", "trusted", 1, "ana"]


def test_a_restart_is_counted_and_told(run: Any, records: Any) -> None:
    async def main() -> None:
        async with ModuleHost(engine="wasm", limits=ResourceLimits(max_fuel=100_000_000)) as host:
            m = await host.load(package())
            with pytest.raises(ResourceLimitError):
                await m.call("spin")
            assert (host.stats().restarts, m.stats.restarts, m.restarts) == (1, 1, 1)

    run(main())
    assert "Module 'm' is restarted: its instance was ended" in [record.getMessage() for record in records("runtime")]


def test_a_module_that_logs_in_a_loop_is_cut_short(run: Any, records: Any) -> None:
    async def main() -> None:
        limits = ResourceLimits(max_host_calls_per_s=100_000)
        async with ModuleHost(engine="trusted", limits=limits) as host:
            m = await host.load(package())
            await m.call("shout", 1_000)
            found = m.stats
            assert found.log_records_dropped > 500
            assert len(records("module")) < 400

    run(main())


def test_a_soft_limit_is_counted(run: Any) -> None:
    async def main() -> None:
        async with ModuleHost(engine="trusted", limits=ResourceLimits(max_host_calls_per_s=5)) as host:
            m = await host.load(package())
            with pytest.raises(Exception, match="host_calls"):
                await m.call("shout", 50)
            assert m.stats.quotas == {"host_calls": 1}

    run(main())


def test_a_fault_between_calls_says_whose_it_is(run: Any, records: Any) -> None:
    source = SOURCE.replace("    def say(", "    def begin(self):\n        self.every(0.01, self.fail)\n    def say(")

    async def main() -> None:
        async with ModuleHost(engine="trusted", subject="ana") as host:
            m = await host.load(ModulePackage.from_source(source, id="m"))
            await m.call("begin")
            while not m.stats.failures:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0)

    run(main())
    (fault,) = [record for record in records("runtime") if "failed in timer" in record.getMessage()][:1]
    assert fields(fault) == ["m", "0.1.0", "trusted", None, "ana"]


class Watch:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    @hookimpl
    def plataforma_call_observer(self, subject: str) -> Watch:
        self.seen.append(("host", subject))
        return self

    def before_call(self, call: ModuleCall) -> None:
        self.seen.append(("before", call.id, call.function))

    def after_call(self, call: ModuleCall, outcome: CallOutcome) -> None:
        self.seen.append(("after", call.id, type(outcome.error).__name__, outcome.duration_ns > 0))


class Broken:
    """Fails whenever it is told something."""

    @hookimpl
    def plataforma_call_observer(self, subject: str) -> Broken:
        return self

    def before_call(self, call: ModuleCall) -> None:
        raise RuntimeError("before")

    def after_call(self, call: ModuleCall, outcome: CallOutcome) -> None:
        raise RuntimeError("after")


def test_observers_see_every_call_and_a_broken_one_stops_nobody(run: Any, records: Any) -> None:
    watch = Watch()

    async def main() -> None:
        async with ModuleHost(engine="trusted", subject="ana", plugins=[Broken(), watch, Broken()]) as host:
            m = await host.load(package())
            await m.call("say", "oi")
            with pytest.raises(GuestError):
                await m.call("fail")

    run(main())
    assert watch.seen == [
        ("host", "ana"),
        ("before", 1, "say"),
        ("after", 1, "NoneType", True),
        ("before", 2, "fail"),
        ("after", 2, "GuestError", True),
    ]
    assert len([record for record in records("runtime") if "An observer failed" in record.getMessage()]) == 8


def test_a_module_called_by_another_names_the_call_that_led_to_it(run: Any) -> None:
    parents: list[int | None] = []

    class Parents(Watch):
        def before_call(self, call: ModuleCall) -> None:
            parents.append(call.parent and call.parent.id)

    asks = """
from plataforma_sdk import ModuleFramework, ui

class Asks(ModuleFramework):
    async def on_load(self):
        self.register_endpoint("/asks/total", self.total)
    def render(self):
        return ui.text("x")
    async def total(self, request):
        return 1
    async def ask(self):
        return await self.api_call("/asks/total")
"""
    toml = (
        'id = "asks"\nversion = "1.0.0"\nentry = "a:Asks"\n[permissions.optional]\n"api.asks[GET]" = "x"\n'
        '[endpoints]\n"/asks/total" = ["GET"]\n'
    )

    async def main() -> None:
        async with ModuleHost(engine="trusted", plugins=[Parents()], grants=["api.asks[GET]"]) as host:
            m = await host.load(ModulePackage.from_files({"module.toml": toml.encode(), "a.py": asks.encode()}))
            assert await m.call("ask") == 1

    run(main())
    assert parents == [None, 1]


def test_faults_of_event_handlers_count_among_the_records_of_a_module(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
from plataforma_sdk import ModuleFramework, ui

class M(ModuleFramework):
    async def on_load(self):
        self.subscribe("module.m.boom", self.boom)
    def render(self):
        return ui.text("x")
    def boom(self, event):
        return 1 // 0
"""
    permissions = ["events.subscribe[module.m.*]"]

    async def main() -> Any:
        async with ModuleHost(engine="trusted", grants=permissions) as host:
            m = await host.load(ModulePackage.from_source(source, id="m", permissions=permissions))
            for _ in range(500):
                await host.events.emit("module.m.boom")
            return m.stats

    stats = run(main())
    records = [record for record in caplog.records if record.name == "plataforma_sdk.events"]
    assert stats.calls == 500
    assert stats.log_records_dropped > 0
    assert len(records) < 500
    assert {record.subject for record in records} == {"default"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", [Answer.DENY_ONCE, None], ids=["refused", "nobody asked"])
def test_a_load_that_is_refused_stays_in_the_counts_of_its_host(run: Any, answer: Any) -> None:
    async def ask(_: Any) -> Any:
        return answer

    async def main() -> Any:
        async with ModuleHost(engine="trusted", prompt=ask if answer else None) as host:
            for _ in range(2):
                with pytest.raises(PermissionDeniedError):
                    await host.load(ModulePackage.from_source(SOURCE, id="m", permissions=["system.clipboard"]))
            return host.stats()

    stats = run(main())
    assert (stats.prompts, stats.denials) == (2 if answer else 0, 2)
    assert (stats.loads, stats.unloads, dict(stats.modules)) == (0, 0, {})
