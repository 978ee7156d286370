"""Guests take turns."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.sandbox.wasm._fibers import scheduler_of
from plataforma_sdk.sandbox.wasm._share import CpuShare
from plataforma_sdk.types import FakeClock


class FakeFiber:
    """Needs some slices, and says when it ran one."""

    def __init__(self, name, slices, trace, delays=()):
        self.name, self.slices, self.trace, self.delays = name, slices, trace, list(delays)
        self.ended = asyncio.get_running_loop().create_future()

    def delay_s(self):
        return self.delays.pop(0) if self.delays else 0.0

    def resume(self):
        self.trace.append(self.name)
        self.slices -= 1
        if self.slices == 0:
            self.ended.set_result(None)
        return self.slices == 0


def test_guests_run_one_slice_each_in_turn(run):
    async def main():
        trace, scheduler = [], scheduler_of(asyncio.get_running_loop())
        fibers = [FakeFiber("a", 3, trace), FakeFiber("b", 1, trace), FakeFiber("c", 2, trace)]
        for fiber in fibers:
            scheduler.add(fiber)
        await asyncio.gather(*(fiber.ended for fiber in fibers))
        assert "".join(trace) == "abcaca"

    run(main())


def test_the_loop_gets_a_turn_between_slices(run):
    async def main():
        trace, loop = [], asyncio.get_running_loop()
        fiber = FakeFiber("a", 3, trace)
        scheduler_of(loop).add(fiber)
        while not fiber.ended.done():
            trace.append(".")
            await asyncio.sleep(0)
        assert "".join(trace).strip(".") == "a.a.a"

    run(main())


def test_a_guest_without_share_waits_and_holds_nobody(run):
    async def main():
        trace, scheduler = [], scheduler_of(asyncio.get_running_loop())
        slow, quick = FakeFiber("s", 1, trace, delays=[0.01]), FakeFiber("q", 2, trace)
        scheduler.add(slow)
        scheduler.add(quick)
        await asyncio.gather(slow.ended, quick.ended)
        assert "".join(trace) == "qqs"

    run(main())


def test_one_loop_has_one_scheduler(run):
    async def main():
        return scheduler_of(asyncio.get_running_loop())

    async def twice():
        assert await main() is await main()

    run(twice())
    assert run(main()) is not run(main())


def test_a_share_is_spent_refilled_and_overdrawn():
    clock = FakeClock()
    share = CpuShare(100, clock)
    share.spend(99)
    assert share.delay_s() == 0.0
    share.spend(51)
    assert share.delay_s() == 0.51  # 50 ms too much at 100 ms a second, and one to spend
    clock.advance(0.6)
    assert share.delay_s() == 0.0
    clock.advance(1_000)
    assert share.delay_s() == 0.0
    share.spend(150)
    assert share.delay_s() > 0.0  # holds one second's worth, however long it rested


def test_without_a_share_nothing_waits():
    share = CpuShare(None, FakeClock())
    share.spend(10**9)
    assert share.delay_s() == 0.0


def test_a_guest_of_small_share_is_delayed_and_not_ended(run, load):
    async def main():
        body = "    def burn(self):\n        return sum(range(300_000))\n"
        async with load(body, max_cpu_ms_per_s=20, max_step_ms=5_000) as probe:
            began = asyncio.get_running_loop().time()
            await probe.call("burn")
            await probe.call("add")
            assert not probe.is_poisoned
            assert asyncio.get_running_loop().time() - began > 0.0

    run(main())


class Interrupting(FakeFiber):
    """Is interrupted in its first slice."""

    def resume(self):
        super().resume()
        raise KeyboardInterrupt


def test_an_interrupt_of_one_guest_does_not_stop_the_others():
    async def main(trace):
        scheduler = scheduler_of(asyncio.get_running_loop())
        scheduler.add(Interrupting("i", 1, trace))
        scheduler.add(FakeFiber("a", 2, trace))
        await asyncio.sleep(0)

    trace: list[str] = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(main(trace))
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    loop.run_until_complete(asyncio.sleep(0.001))
    loop.close()
    assert trace == ["i", "a", "a"]
