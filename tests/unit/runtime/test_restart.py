"""What a host does to a module that runs: a fresh instance, other limits, an end without goodbye."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import (
    GuestError,
    ModuleStateError,
    QuotaExceededError,
    ResourceLimitError,
    SandboxCrashedError,
)
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import ResourceLimits
from tests.unit.runtime.conftest import COUNTER, HEAD

TIERS = ["trusted", "restricted", "wasm"]
PATIENT = ResourceLimits(max_step_ms=60_000, max_call_ms=60_000, max_fuel=10**15)
"""So that nothing but the host ends what computes without end."""

SPINS = (
    COUNTER
    + """
    async def spin(self):
        while True:
            await asyncio.sleep(0)
    def compute(self):
        while True:
            pass
    def talk(self, chars):
        print("x" * chars)
    async def on_unload(self):
        self.emit("module.counter.gone")
"""
).replace("from plataforma_sdk", "import asyncio\nfrom plataforma_sdk", 1)

LOADS_ONCE = (
    HEAD
    + """
class Counter(ModuleFramework):
    async def on_load(self):
        if await self.storage.get("was here"):
            raise ValueError("not twice")
        await self.storage.set("was here", True)
    def render(self):
        return ui.text("")
"""
)


async def began(handle) -> None:
    """Wait until a call is under way."""
    while not handle.stats.running:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)


# --- restart ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
def test_a_fresh_instance_of_the_same_package(run, counter, tier):
    async def main():
        async with ModuleHost(engine=tier) as host:
            handle = await host.load(counter(SPINS))
            await handle.call("add", 4)
            await handle.restart()
            return await handle.call("add", 0), handle.state, handle.restarts, handle.stats.restarts

    assert run(main()) == (0, "active", 1, 1)


STUBBORN = (
    HEAD.replace("from", "import asyncio\nfrom", 1)
    + """
class Stubborn(ModuleFramework):
    async def on_load(self):
        self.cancels = 0
    async def stay(self, seconds):
        while True:
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                self.cancels += 1
    def begin(self, seconds):
        self.task = asyncio.create_task(self.stay(seconds))
    def render(self):
        return ui.text("")
"""
)


@pytest.mark.parametrize("tier", ["restricted", "wasm"])
@pytest.mark.parametrize("seconds", [0, 60], ids=["computes", "waits"])
def test_a_call_that_swallows_its_cancellation_is_ended(run, tier, seconds):
    async def main():
        async with ModuleHost(engine=tier, limits=PATIENT) as host:
            handle = await host.load(ModulePackage.from_source(STUBBORN, id="stubborn"))
            staying = asyncio.create_task(handle.call("stay", seconds))
            await began(handle)
            await handle.restart()
            with pytest.raises((ModuleStateError, SandboxCrashedError)):
                await staying
            return handle.state, staying.cancelling()

    assert run(main()) == ("active", 0)


@pytest.mark.parametrize("seconds", [0, 60], ids=["computes", "waits"])
def test_a_task_that_swallows_its_cancellation_is_ended(run, seconds):
    async def main():
        async with ModuleHost(engine="restricted", limits=PATIENT) as host:
            handle = await host.load(ModulePackage.from_source(STUBBORN, id="stubborn"))
            await handle.call("begin", seconds)
            await asyncio.sleep(0)
            await handle.unload()
            return handle.leaks(), len(asyncio.all_tasks())

    assert run(main()) == ([], 1)


@pytest.mark.parametrize("tier", TIERS)
def test_calls_under_way_are_told_to_come_again(run, counter, tier):
    async def main():
        async with ModuleHost(engine=tier, limits=PATIENT) as host:
            handle = await host.load(counter(SPINS))
            spinning = asyncio.create_task(handle.call("spin"))
            await began(handle)
            await handle.restart()
            with pytest.raises(ModuleStateError, match="restarted while this call ran") as caught:
                await spinning
            return caught.value.state, await handle.call("add", 1)

    assert run(main()) == ("reloading", 1)


def test_a_caller_that_is_told_is_not_cancelled(run, counter):
    async def main():
        async with ModuleHost(engine="restricted", limits=PATIENT) as host:
            handle = await host.load(counter(SPINS))

            async def caller():
                with pytest.raises(ModuleStateError):
                    await handle.call("spin")
                return asyncio.current_task().cancelling()

            calling = asyncio.create_task(caller())
            await began(handle)
            await handle.restart()
            return await calling

    assert run(main()) == 0


def test_restart_ends_what_computes_without_end_and_the_others_answer_meanwhile(run, counter):
    async def main():
        async with ModuleHost(engine="wasm", limits=PATIENT) as host:
            handle = await host.load(counter(SPINS))
            other = await host.load(counter(id="other"))
            computing = asyncio.create_task(handle.call("compute"))
            await began(handle)
            answers = [await other.call("add", 1) for _ in range(3)]
            await handle.restart()
            with pytest.raises(ModuleStateError):
                await computing
            return answers, await handle.call("add", 1)

    assert run(main()) == ([1, 2, 3], 1)


def test_a_module_that_has_failed_comes_back(run, counter):
    async def main():
        async with ModuleHost(engine="restricted", limits=ResourceLimits(max_fuel=50_000)) as host:
            handle = await host.load(counter(SPINS))
            for _ in range(5):
                with pytest.raises(ResourceLimitError):
                    await handle.call("compute")
            failed = handle.state
            await handle.restart()
            return failed, handle.state, await handle.call("add", 1)

    assert run(main()) == ("failed", "active", 1)


def test_a_restart_that_does_not_load_fails_the_module(run):
    package = ModulePackage.from_source(LOADS_ONCE, id="counter", permissions=["system.storage"])

    async def main():
        async with ModuleHost(engine="trusted", grants=["system.storage"]) as host:
            handle = await host.load(package)
            with pytest.raises(GuestError, match="not twice"):
                await handle.restart()
            return handle.state

    assert run(main()) == "failed"


def test_what_was_registered_goes_with_the_old_instance(run, counter):
    source = COUNTER.replace("self.count = 0", 'self.count = 0\n        self.create_window(title="one")')

    async def main():
        async with ModuleHost(engine="trusted", grants=["window.create"]) as host:
            handle = await host.load(counter(source, permissions=["window.create"]))
            before = handle.windows["main"]
            await handle.restart()
            return before.is_open, handle.windows["main"].is_open, handle.leaks()

    assert run(main()) == (False, True, [])


def test_who_watches_is_shown_the_fresh_windows(run, counter):
    source = COUNTER.replace("self.count = 0", 'self.count = 0\n        self.create_window(title="one")')

    async def main():
        async with ModuleHost(engine="trusted", grants=["window.create"]) as host:
            handle = await host.load(counter(source, permissions=["window.create"]))
            shown = asyncio.Queue()
            handle.watch(lambda window: shown.put_nowait(window))
            first = await shown.get()
            await handle.restart()
            return first, await shown.get(), handle.windows["main"]

    first, second, now = run(main())
    assert first is not second
    assert second is now


def test_a_restart_is_an_event(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            heard = []
            host.events.subscribe("plataforma.module.*", lambda event: heard.append((event.topic, event.data)))
            handle = await host.load(counter())
            await handle.restart()
            await asyncio.sleep(0)
            return list(heard)

    about = {"module": "counter", "version": "1.0.0"}
    assert run(main()) == [("plataforma.module.loaded", about), ("plataforma.module.restarted", about)]


def test_restarts_by_the_host_are_no_traps(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            for _ in range(7):
                await handle.restart()
            return handle.state, handle.restarts

    assert run(main()) == ("active", 7)


def test_two_restarts_at_once_are_one(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            await asyncio.gather(handle.restart(), handle.restart())
            return handle.restarts

    assert run(main()) == 1


def test_a_module_that_is_unloaded_does_not_restart(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            await handle.unload()
            with pytest.raises(ModuleStateError, match="it cannot restart now"):
                await handle.restart()

    run(main())


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
def test_a_soft_limit_holds_at_once(run, counter, tier):
    async def main():
        async with ModuleHost(engine=tier) as host:
            handle = await host.load(counter(SPINS))
            await handle.call("talk", 50)
            given = handle.set_limits(max_output_bytes=20)
            with pytest.raises((QuotaExceededError, GuestError)):
                await handle.call("talk", 50)
            return given.max_output_bytes, handle.usage.limits.max_output_bytes

    assert run(main()) == (20, 20)


def test_a_module_may_store_no_more_than_it_now_may(run):
    source = HEAD + "\nclass Keeps(ModuleFramework):\n    async def on_load(self):\n        pass\n"
    source += "    async def keep(self, text):\n        await self.storage.set('k', text)\n"
    source += "    def render(self):\n        return ui.text('')\n"
    package = ModulePackage.from_source(source, id="keeps", permissions=["system.storage"])

    async def main():
        async with ModuleHost(engine="trusted", grants=["system.storage"]) as host:
            handle = await host.load(package)
            handle.set_limits(max_storage_bytes=10)
            with pytest.raises(QuotaExceededError):
                await handle.call("keep", "x" * 100)
            handle.set_limits(max_storage_bytes=1_000)
            await handle.call("keep", "x" * 100)

    run(main())


@pytest.mark.parametrize("tier", ["restricted", "wasm"])
def test_a_hard_limit_holds_for_the_next_instance(run, counter, tier):
    async def main():
        async with ModuleHost(engine=tier) as host:
            handle = await host.load(counter(SPINS))
            handle.set_limits(max_call_ms=123)
            before = handle.limits.max_call_ms, handle.usage.limits.max_call_ms
            await handle.restart()
            after = handle.usage.limits.max_call_ms
            with pytest.raises(ResourceLimitError, match="123"):
                await handle.call("spin")
            return before, after

    assert run(main()) == ((123, 10_000), 123)


def test_the_manifest_stays_the_most(run):
    manifest = 'id = "counter"\nversion = "1.0.0"\nname = "C"\nentry = "c:Counter"\n[limits]\nmax_call_ms = 500\n'
    package = ModulePackage.from_files({"module.toml": manifest.encode(), "c.py": COUNTER.encode()})

    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(package)
            return handle.set_limits(max_call_ms=2_000).max_call_ms, handle.set_limits(max_call_ms=100).max_call_ms

    assert run(main()) == (500, 100)


def test_a_change_keeps_the_others(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter(), limits=ResourceLimits(max_tree_nodes=50))
            handle.set_limits(max_call_ms=100)
            handle.set_limits(max_output_bytes=200)
            return handle.limits

    assert run(main()) == ResourceLimits(max_tree_nodes=50, max_call_ms=100, max_output_bytes=200)


def test_what_is_lowered_is_never_more_than_the_host_gives(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter(), limits=ResourceLimits(max_call_ms=1_000))
            seen = [handle.lower_limits(max_call_ms=value).max_call_ms for value in (500, 700, 5_000)]
            handle.lower_limits(max_call_ms=700, max_cpu_ms_per_s=100)
            handle.set_limits(max_call_ms=600)
            tightened = handle.limits
            return seen, tightened, handle.lower_limits(max_call_ms=None, max_cpu_ms_per_s=None), handle.host_limits

    seen, tightened, lifted, most = run(main())
    assert seen == [500, 700, 1_000]
    assert tightened == ResourceLimits(max_call_ms=600, max_cpu_ms_per_s=100)
    assert lifted == most == ResourceLimits(max_call_ms=600)


def test_fuel_that_is_the_engines_cannot_be_lowered(run, counter):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            with pytest.raises(ValueError, match="max_fuel is the engine's own"):
                handle.lower_limits(max_fuel=10**18)
            handle.set_limits(max_fuel=1_000)
            return handle.lower_limits(max_fuel=10**18).max_fuel

    assert run(main()) == 1_000


@pytest.mark.parametrize("change", ["set_limits", "lower_limits"])
@pytest.mark.parametrize(
    ("changes", "error"),
    [({"max_calls": 1}, TypeError), ({"max_call_ms": 0}, ValueError), ({"max_fuel": -1}, ValueError)],
)
def test_a_limit_that_is_none_changes_nothing(run, counter, change, changes, error):
    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(counter())
            with pytest.raises(error):
                getattr(handle, change)(**changes)
            return handle.limits

    assert run(main()) == ResourceLimits()


# --- what a call uses while it runs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["restricted", "wasm"])
def test_work_is_seen_while_a_call_goes_on(run, counter, tier):
    async def main():
        async with ModuleHost(engine=tier, limits=PATIENT) as host:
            handle = await host.load(counter(SPINS))
            spinning = asyncio.create_task(handle.call("spin"))
            await began(handle)
            seen = [handle.usage.cpu_ms]
            await asyncio.sleep(0.05)
            seen.append(handle.usage.cpu_ms)
            await handle.unload(at_once=True)
            await asyncio.gather(spinning, return_exceptions=True)
            return seen, handle.usage.cpu_ms

    (first, second), last = run(main())
    assert 0 < first < second <= last


# --- an end without goodbye ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at_once", "said"), [(False, ["module.counter.gone"]), (True, [])])
def test_on_unload_runs_unless_the_end_is_at_once(run, counter, at_once, said):
    async def main():
        async with ModuleHost(engine="trusted", grants=["events.emit"]) as host:
            heard = []
            host.events.subscribe("module.counter.gone", lambda event: heard.append(event.topic))
            handle = await host.load(counter(SPINS, permissions=["events.emit"]))
            await handle.unload(at_once=at_once)
            await asyncio.sleep(0)
            return heard, handle.state

    assert run(main()) == (said, "unloaded")


def test_the_end_at_once_ends_what_computes_without_end(run, counter):
    async def main():
        async with ModuleHost(engine="wasm", limits=PATIENT) as host:
            handle = await host.load(counter(SPINS))
            computing = asyncio.create_task(handle.call("compute"))
            await began(handle)
            await handle.unload(at_once=True)
            with pytest.raises(ModuleStateError):
                await computing
            return handle.state, "counter" in host.modules

    assert run(main()) == ("unloaded", False)
