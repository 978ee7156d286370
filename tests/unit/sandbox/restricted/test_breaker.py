"""The breaker of the whole process: it stops the largest account, whichever runs."""

from __future__ import annotations

import asyncio
import gc

import attrs
import pytest

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.module import FakeBridge
from plataforma_sdk.sandbox import EngineContext, ResourceMonitor
from plataforma_sdk.sandbox.restricted import MemoryBreaker, RestrictedEngine
from plataforma_sdk.sandbox.restricted import _breaker as breakers
from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from plataforma_sdk.sandbox.restricted._process import available_bytes, resident_bytes
from tests.unit.sandbox.restricted.restricted_kit import DEFAULTS, HEAD, FakePackage, Runner

MIB = 1 << 20
FULL = 10_000 * MIB


@attrs.define(eq=False)
class FakeHolder:
    """An account that a test sets."""

    balance: int
    stopped: tuple = ()

    @property
    def is_stopped(self):
        return bool(self.stopped)

    def stop(self, *limit):
        self.stopped = limit


def make_breaker(resident, *balances):
    breaker = MemoryBreaker(limit_bytes=1_000 * MIB, resident=lambda: resident)
    holders = [FakeHolder(balance) for balance in balances]
    for holder in holders:
        breaker.join(holder)
    return breaker, holders


def test_below_its_limit_it_does_nothing():
    breaker, holders = make_breaker(999 * MIB, 900 * MIB)
    breaker.look()

    assert not holders[0].is_stopped


def test_above_its_limit_the_largest_account_ends():
    breaker, holders = make_breaker(FULL, 20 * MIB, 50 * MIB, 30 * MIB)
    breaker.look()

    assert [holder.is_stopped for holder in holders] == [False, True, False]
    assert holders[1].stopped == ("memory", FULL, 1_000 * MIB, "bytes of the process")


def test_it_waits_for_the_memory_of_the_one_before_it_stops_another():
    """Freeing takes a moment, in which the process is still too large: one module must not fall after another."""
    breaker, holders = make_breaker(FULL, 20 * MIB, 50 * MIB)
    breaker.look()
    breaker.look()
    assert [holder.is_stopped for holder in holders] == [False, True]

    del holders[1]
    gc.collect()
    breaker.look()
    assert [holder.is_stopped for holder in holders] == [True]


def test_it_waits_no_longer_than_the_grace(monkeypatch):
    breaker, holders = make_breaker(FULL, 20 * MIB, 50 * MIB)
    monkeypatch.setattr(breakers, "_GRACE_S", 0.0)
    breaker.look()
    breaker.look()

    assert [holder.is_stopped for holder in holders] == [True, True]


def test_small_accounts_are_not_what_fills_the_process():
    breaker, holders = make_breaker(FULL, 100_000, 200_000)
    breaker.look()

    assert not any(holder.is_stopped for holder in holders)


def test_an_account_that_is_gone_is_forgotten():
    breaker, holders = make_breaker(FULL, 50 * MIB)
    holders.clear()
    gc.collect()
    breaker.look()

    assert len(breaker._holders) == 0


def test_a_limit_of_0_switches_it_off():
    breaker = MemoryBreaker(limit_bytes=0, resident=lambda: FULL)
    holder = FakeHolder(50 * MIB)
    breaker.join(holder)
    breaker.look()

    assert not holder.is_stopped


def test_by_default_it_leaves_a_tenth_of_what_the_process_may_have():
    assert MemoryBreaker().limit_bytes == int((available_bytes() or 0) * 0.9)
    assert MemoryBreaker().limit_bytes > resident_bytes()


# --- with sandboxes ------------------------------------------------------------------------------------------------

SPIN = "t = 0\nfor i in range(300_000):\n    t = t + i"


def test_the_largest_sandbox_ends_though_another_runs():
    """The module that computes holds nothing; the one that holds 8 MB is at rest, and is never entered again."""
    full = [0]
    breaker = MemoryBreaker(limit_bytes=1_000 * MIB, resident=lambda: full[0])
    large, small = Runner(breaker=breaker), Runner(breaker=breaker)
    large.run("x = ['y' * 1_000 + str(i) for i in range(8_000)]")
    large.sandbox.memory.settle()
    full[0] = FULL
    small.run(SPIN)

    assert small.meter.tripped is None
    with pytest.raises(LimitReached, match="memory"):
        large.run("x = 1")


def test_the_one_that_runs_ends_where_it_is_the_largest():
    full = [0]
    breaker = MemoryBreaker(limit_bytes=1_000 * MIB, resident=lambda: full[0])
    large, small = Runner(breaker=breaker), Runner(breaker=breaker)
    large.run("x = ['y' * 1_000 + str(i) for i in range(8_000)]")
    large.sandbox.memory.settle()
    full[0] = FULL
    with pytest.raises(LimitReached, match="memory"):
        large.run(SPIN)

    assert small.meter.tripped is None


def test_an_instance_at_rest_is_ended_freed_and_says_so(run):
    async def load(engine, name, methods):
        context = EngineContext(
            module_id=name,
            version="1.0.0",
            bridge=FakeBridge((), module_id=name),
            monitor=ResourceMonitor(module=name),
        )
        source = f"{HEAD}\nclass Vendas(ModuleFramework):\n{DEFAULTS}{methods}"
        return await engine.load(FakePackage({"vendas.py": source}, id=name), context)

    async def main():
        full = [0]
        engine = RestrictedEngine(breaker=MemoryBreaker(limit_bytes=1_000 * MIB, resident=lambda: full[0]))
        keeps = "    def keep(self):\n        self.x = ['y' * 1_000 + str(i) for i in range(8_000)]\n"
        spins = "    def spin(self):\n        for i in range(300_000):\n            pass\n        return 'done'\n"
        large, small = await load(engine, "large", keeps), await load(engine, "small", spins)
        await large.call("keep")
        full[0] = FULL
        assert await small.call("spin") == "done"
        await asyncio.sleep(0)
        assert (large.is_poisoned, small.is_poisoned) == (True, False)
        assert vars(large._runtime.author) == {}
        with pytest.raises(ResourceLimitError, match="bytes of the process") as caught:
            await large.call("keep")
        assert (caught.value.resource, caught.value.module) == ("memory", "large")

    run(main())
