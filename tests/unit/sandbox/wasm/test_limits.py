"""Hard limits end a guest, typed; its neighbours and its host go on."""

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
from plataforma_sdk.types import FakeClock

from .conftest import BY_FUEL

WILD = """
    def spin(self):
        while True:
            pass

    def spin_caught(self):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

    async def spin_later(self):
        await asyncio.sleep(0)
        while True:
            pass

    def power(self):
        return len(str(10 ** 10 ** 8))

    def match(self):
        import re
        return bool(re.match("(a+)+$", "a" * 40 + "b"))

    def finaliser(self):
        class Odd:
            def __del__(self):
                while True:
                    pass
        Odd()

    def allocate(self):
        rows = []
        while True:
            rows.append("x" * 1_000_000 + str(len(rows)))

    def at_once(self):
        return len("x" * 10_000_000_000)

    def padding(self):
        return "%1000000000d" % 1

    def recurse(self):
        return self.recurse()

    def deep_json(self):
        import json
        return json.loads("[" * 100_000 + "]" * 100_000)

    def deep_repr(self):
        rows = []
        for _ in range(100_000):
            rows = [rows]
        return repr(rows)

    def deep_compare(self):
        left, right = [], []
        for _ in range(100_000):
            left, right = [left], [right]
        return left == right

    def no_recursion_limit(self):
        import sys
        sys.setrecursionlimit(10 ** 9)
        def down(n):
            return down(n + 1) + 1
        return down(0)

    def abort(self):
        import posix
        posix.abort()

    def exit(self):
        import posix
        posix._exit(3)
"""

ENDS = {
    "spin": {"step_time"},
    "spin_caught": {"step_time"},
    "spin_later": {"step_time"},
    "power": {"step_time", "memory"},
    "match": {"step_time"},
    "finaliser": {"step_time"},
    "allocate": {"memory"},
    "at_once": {"memory"},
    "padding": {"memory"},
    "recurse": {"stack"},
    "deep_json": {"stack"},
    "deep_repr": {"stack"},
    "deep_compare": {"stack"},
    "no_recursion_limit": {"stack", "memory", "step_time"},
}


@pytest.mark.parametrize(("method", "resources"), ENDS.items(), ids=ENDS)
def test_a_guest_that_runs_wild_is_ended_and_its_neighbour_goes_on(run, load, method, resources):
    async def main():
        limits = {"max_step_ms": 150, "max_call_ms": 5_000, "max_memory_bytes": 64 * 2**20}
        async with load() as neighbour, load(WILD, **limits) as wild:
            with pytest.raises(ResourceLimitError) as caught:
                await wild.call(method)
            assert not isinstance(caught.value, QuotaExceededError)
            assert (caught.value.resource in resources, caught.value.module) == (True, "probe")
            assert wild.is_poisoned
            with pytest.raises(ModuleStateError):
                await wild.call("add")
            assert await neighbour.call("add") == 1

    run(main())


@pytest.mark.parametrize("method", ["abort", "exit"])
def test_a_guest_that_dies_is_a_crash(run, load, method):
    async def main():
        async with load(WILD) as wild:
            with pytest.raises(SandboxCrashedError):
                await wild.call(method)
            assert wild.is_poisoned

    run(main())


@BY_FUEL
def test_fuel_is_a_budget_of_one_call_and_the_same_every_time(run, load):
    async def spent(body, method, **limits):
        async with load(body, seed=1, clock=FakeClock(), **limits) as probe:
            before = probe._monitor.usage.fuel
            await probe.call(method)
            return probe._monitor.usage.fuel - before

    body = "    def burn(self):\n        return sum(range(100_000))\n"

    async def main():
        first, second = await spent(body, "burn"), await spent(body, "burn")
        assert first == second > 100_000
        async with load(body, max_fuel=20 * first, seed=1) as probe:
            for _ in range(30):  # thirty calls pass, each within its own budget
                await probe.call("burn")

    run(main())


@BY_FUEL
def test_fuel_that_is_used_up_ends_the_guest(run, load):
    async def main():
        async with load(WILD, max_fuel=300_000_000, max_step_ms=60_000) as wild:
            with pytest.raises(ResourceLimitError) as caught:
                await wild.call("spin")
            assert (caught.value.resource, caught.value.limit) == ("fuel", 300_000_000)

    run(main())


def test_a_memory_limit_below_the_interpreter_is_told(run, load):
    async def main():
        with pytest.raises(ResourceLimitError) as caught:
            async with load(max_memory_bytes=2**20):
                pass
        assert caught.value.resource == "memory"

    run(main())


def test_memory_is_measured_and_follows_growth(run, load):
    async def main():
        body = "    def hold(self):\n        self.held = bytearray(20_000_000)\n"
        async with load(body) as probe:
            before = probe._monitor.usage.memory_bytes
            await probe.call("hold")
            after = probe._monitor.usage.memory_bytes
        assert 10 * 2**20 < before < 64 * 2**20
        assert after - before >= 15_000_000

    run(main())


def test_a_memory_error_that_is_caught_harms_nobody(run, load):
    async def main():
        body = """
    def careful(self):
        try:
            return len("x" * 10 ** 9)
        except MemoryError:
            return "caught"

    def made_up(self):
        raise MemoryError("made up")
"""
        async with load(body) as probe:
            assert await probe.call("careful") == "caught"
            with pytest.raises(GuestError):
                await probe.call("made_up")
            assert not probe.is_poisoned

    run(main())


def test_many_short_steps_are_not_one_long_step(run, load):
    async def main():
        body = """
    async def work(self):
        async def step():
            for _ in range(20):
                sum(range(20_000))
                await asyncio.sleep(0)
        await asyncio.gather(*(step() for _ in range(10)))
        return "done"
"""
        async with load(body, max_step_ms=50) as probe:
            assert await probe.call("work") == "done"

    run(main())


def test_top_level_code_may_take_longer_than_a_step(run, load):
    async def main():
        body = "\nTOTAL = sum(i * i for i in range(300_000))\n"
        async with load(body, max_step_ms=1, max_call_ms=10_000) as probe:
            assert not probe.is_poisoned

    run(main())


WAITS = """
    async def wait(self):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.count = 100
            raise

    async def stubborn(self):
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass

    async def ask(self):
        return await self.permissions.request("x.y", "why")

    def spin(self):
        while True:
            pass
"""


def test_a_call_that_waits_too_long_ends_and_the_guest_lives(run, load):
    async def main():
        async with load(WAITS, max_call_ms=500) as probe:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("wait")
            assert (caught.value.resource, probe.is_poisoned) == ("call_time", False)
            assert await probe.call("add") == 101

    run(main())


def test_a_guest_that_swallows_its_cancellation_is_ended(run, load):
    async def main():
        async with load(WAITS, max_call_ms=500) as probe:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("stubborn")
            assert (caught.value.resource, probe.is_poisoned) == ("call_time", True)

    run(main())


def test_waiting_for_a_person_does_not_count(run, load, bridge):
    from plataforma_sdk.sandbox import waiting_for_a_person

    async def ask(_name, _reason):
        with waiting_for_a_person():
            await asyncio.sleep(0.15)
        return True

    async def main():
        bridge.answers["permissions.request"] = ask
        async with load(WAITS, max_call_ms=100) as probe:
            assert await probe.call("ask") is True

    run(main())


def test_cancelling_a_call_cancels_the_task_of_the_guest(run, load):
    async def main():
        async with load(WAITS) as probe:
            waiting = asyncio.create_task(probe.call("wait"))
            await asyncio.sleep(0)
            while probe._pump._store.is_busy:  # in threads, the call may not have begun to wait
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await probe.call("add"), probe.is_poisoned) == (101, False)

    run(main())


def test_a_guest_that_does_not_stop_when_cancelled_is_ended(run, load):
    async def main():
        async with load(WAITS, max_step_ms=60_000) as probe:
            for method in ("spin",):
                waiting = asyncio.create_task(probe.call(method))
                for _ in range(3):
                    await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await asyncio.sleep(0.2)
            assert probe.is_poisoned

    run(main())


def test_a_spinning_guest_does_not_stop_its_neighbours(run, load):
    async def main():
        async with load(WAITS, max_step_ms=60_000) as spinner, load() as light:
            spinning = asyncio.create_task(spinner.call("spin"))
            await asyncio.sleep(0)
            for number in range(1, 101):
                assert await light.call("add") == number
                await asyncio.sleep(0)
            assert not spinning.done()
            spinning.cancel()
            with pytest.raises(asyncio.CancelledError):
                await spinning

    run(main())


def test_too_many_open_requests_are_refused_in_the_guest(run, load, bridge):
    async def serve(_path, _options):
        await asyncio.sleep(0.01)

    async def main():
        bridge.answers["api.call"] = serve
        body = """
    async def flood(self):
        answers = await asyncio.gather(*(self.api_call("/x") for _ in range(1_500)), return_exceptions=True)
        return sum(isinstance(answer, QuotaExceededError) for answer in answers)
"""
        async with load(body, max_step_ms=5_000) as probe:
            assert await probe.call("flood") == 500

    run(main())
