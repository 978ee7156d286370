"""Time and randomness are the host's."""

from __future__ import annotations

import pytest

from plataforma_sdk.types import FakeClock

from .conftest import FakeBridge, make_context

BODY = """
    def draw(self):
        import os, random, secrets, uuid
        return [random.random(), os.urandom(8).hex(), secrets.token_hex(4), uuid.uuid4().hex, uuid.uuid1().node]

    def tell(self):
        import datetime, time
        return [time.time(), time.monotonic(), datetime.datetime.now(datetime.UTC).isoformat()]
"""


def test_a_seed_repeats_every_source_of_randomness(run, load):
    async def drawn(seed):
        async with load(BODY, seed=seed) as probe:
            return await probe.call("draw")

    async def main():
        first, again, other, fresh = await drawn(7), await drawn(7), await drawn(8), await drawn(None)
        assert first == again
        assert len({tuple(first[:4]), tuple(other[:4]), tuple(fresh[:4])}) == 3

    run(main())


def test_time_is_the_clock_of_the_host(run, load):
    async def main():
        clock = FakeClock(1_700_000_000.25)
        async with load(BODY, clock=clock) as probe:
            clock.advance(10)
            wall, monotonic, text = await probe.call("tell")
            assert wall == pytest.approx(1_700_000_010.25, rel=0, abs=1e-6)
            assert (monotonic, text[:22]) == (10.0, "2023-11-14T22:13:30.25")

    run(main())


def test_a_seed_and_a_clock_repeat_a_run_exactly(run, load):
    """To the unit of fuel: every object lies where it lay."""

    async def used(seed):
        clock = FakeClock()
        context = make_context(FakeBridge(), seed=seed, clock=clock)
        async with load(BODY, context=context) as probe:
            results = []
            for _ in range(20):
                clock.advance(0.25)
                results += [await probe.call("draw"), await probe.call("tell")]
        return context.monitor.usage.fuel, results

    async def main():
        assert await used(7) == await used(7)
        assert await used(7) != await used(8)

    run(main())
