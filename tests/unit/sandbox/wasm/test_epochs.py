"""Metering by time alone: what is refused, that guests take turns, and that nothing ticks where nothing runs."""

from __future__ import annotations

import asyncio
import time

import pytest

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.wasm import WasmEngine, _epochs
from plataforma_sdk.sandbox.wasm._compiled import FIBERS, FIBERS_BY_EPOCH, compiled_runner
from plataforma_sdk.sandbox.wasm._epochs import EpochTicker
from plataforma_sdk.sandbox.wasm._pool import pool_of

BY_EPOCH = pytest.mark.parametrize("wasm", [{"metering": "epoch"}], ids=["epochs"], indirect=True)
SPINS = """
    def spin(self):
        while True:
            pass
"""
LONG = {"max_step_ms": 60_000, "max_call_ms": 60_000}


@pytest.mark.parametrize("settings", [{"metering": "time"}, {"metering": "epoch", "mode": "threads"}], ids=str)
def test_a_metering_that_there_is_not_is_refused_at_once(settings):
    """A wrong setting fails where it is written, not at the first load."""
    with pytest.raises(ValueError, match="meter"):
        WasmEngine(**settings)


@BY_EPOCH
def test_a_limit_of_fuel_is_refused_where_none_is_counted(run, load):
    """A limit that cannot be enforced is refused, never dropped."""

    async def main():
        with pytest.raises(SandboxError, match=r"max_fuel.*metering='fuel'"):
            async with load(max_fuel=1_000_000):
                pass

    run(main())


@BY_EPOCH
def test_the_loop_and_a_light_module_go_on_beside_one_that_spins(run, load):
    """A guest yields at each tick, so its neighbours are served meanwhile."""

    async def main():
        async with load(SPINS, **LONG) as wild, load() as light:
            spinning = asyncio.create_task(wild.call("spin"))
            await asyncio.sleep(0.01)
            turns, until = 0, time.monotonic() + 0.3
            while time.monotonic() < until:
                await asyncio.sleep(0)
                turns += await light.call("add") > 0
            assert turns > 50
            assert not spinning.done()
            spinning.cancel()
            with pytest.raises(asyncio.CancelledError):
                await spinning

    run(main())


@BY_EPOCH
def test_no_fuel_is_reported_but_processor_time_is(run, load):
    """What is not counted is 0, and the rest of the usage is as ever."""

    async def main():
        async with load("    def work(self):\n        return sum(range(300_000))\n", **LONG) as probe:
            assert await probe.call("work") == sum(range(300_000))
            usage = probe._monitor.usage
            assert (usage.fuel, usage.cpu_ms > 1.0) == (0, True)

    run(main())


def test_each_metering_has_instances_of_its_own(run):
    """An instance that was made ahead for one kind of metering is no use to the other."""

    async def main():
        assert pool_of(compiled_runner(FIBERS)) is not pool_of(compiled_runner(FIBERS_BY_EPOCH))
        assert pool_of(compiled_runner(FIBERS)) is pool_of(compiled_runner(FIBERS))

    run(main())


class CountingEngine:
    """Counts its ticks."""

    def __init__(self) -> None:
        self.ticks = 0

    def increment_epoch(self) -> None:
        self.ticks += 1


def test_the_ticker_ticks_while_a_call_is_under_way_and_rests_after(monkeypatch):
    """An idle host pays nothing, and the first call after a rest is ticked for again."""
    monkeypatch.setattr(_epochs, "_QUIET_TICKS", 5)
    engine = CountingEngine()
    ticker = EpochTicker(engine)
    for _ in range(3):
        before = engine.ticks
        ticker.begin(1)
        _until(lambda before=before: engine.ticks > before + 20)
        ticker.end(1)
        ticker.end(1)
        _until(lambda: ticker._is_resting)
        at_rest = engine.ticks
        time.sleep(0.02)
        assert engine.ticks == at_rest


def _until(is_so):
    until = time.monotonic() + 10.0
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.001)
