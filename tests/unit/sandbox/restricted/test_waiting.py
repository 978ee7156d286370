"""Waiting: the delays of a module order the timers of the host's own loop, so they are numbers and in bounds."""

from __future__ import annotations

import asyncio
import math

import pytest

from plataforma_sdk.errors import GuestError

WAITS = {
    "sleep": "await asyncio.sleep({})",
    "wait_for": "await asyncio.wait_for(asyncio.sleep(0), {})",
    "timeout": "async with asyncio.timeout({}):\n    await asyncio.sleep(0)",
}


def probe(wait, delay):
    return "async def probe(self):\n" + "\n".join(f"    {line}" for line in WAITS[wait].format(delay).splitlines())


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("delay", ["float('nan')", "'1'", "[]", "Own()"])
def test_a_delay_that_is_no_number_is_refused(run, load, wait, delay):
    """NaN among the timers leaves the heap of the loop in disorder: the host's own timers would not fire."""
    head = "class Own:\n    def __lt__(self, other):\n        return False\n"

    async def main():
        loaded = await load(probe(wait, delay), head=head)
        with pytest.raises(GuestError, match="a delay is a number of seconds"):
            await loaded.call("probe")
        return [timer.when() for timer in asyncio.get_running_loop()._scheduled]

    assert not any(math.isnan(when) for when in run(main()))


@pytest.mark.parametrize("wait", ["wait_for", "timeout"])
@pytest.mark.parametrize("delay", ["float('inf')", "10 ** 30", "1", "2.5"])
def test_a_long_delay_is_cut(run, load, wait, delay):
    """What is no sensible time is the longest one."""

    async def main():
        loaded = await load(probe(wait, delay))
        return await loaded.call("probe")

    assert run(main()) is None
