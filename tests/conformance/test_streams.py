"""Results longer than one payload: a generator of the module's, read item by item."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from plataforma_sdk.errors import GuestError, ModuleError, ModuleStateError, QuotaExceededError, ResourceLimitError
from plataforma_sdk.sandbox import ResourceLimits

from ._suite import METERED, case, module

STREAMS = module(
    """
    async def on_load(self):
        self.seen = []

    def numbers(self, count, *, step=1):
        try:
            for number in range(count):
                self.seen.append(number)
                yield number * step
        finally:
            self.seen.append("end")

    async def prices(self, count):
        try:
            for _ in range(count):
                answer = await self.api_call("/shop/price")
                yield {"price": answer}
        finally:
            self.seen.append("end")

    def fails(self):
        yield 1
        raise ValueError("no more")

    def large(self, size, count):
        for _ in range(count):
            yield "x" * size

    def waits_for_ever(self):
        yield 1
        while True:
            pass

    def what_was_seen(self):
        return self.seen

    def plain(self):
        return 7

    async def later(self):
        return 7

    def _private(self):
        yield 1
    """
)


async def read(stream):
    return [item async for item in stream]


@case(STREAMS)
async def test_a_generator_is_read_item_by_item(host, handle):
    assert await read(handle.stream("numbers", 3, step=10)) == [0, 10, 20]
    assert await handle.call("what_was_seen") == [0, 1, 2, "end"]


@case(STREAMS)
async def test_it_runs_no_further_than_it_is_read(host, handle):
    async with aclosing(handle.stream("numbers", 1_000)) as items:
        async for item in items:
            if item == 1:
                break
    assert await handle.call("what_was_seen") == [0, 1, "end"]


@case(STREAMS, permissions=("api.shop",))
async def test_an_async_generator_may_wait_for_the_host(host, handle):
    items = await read(handle.stream("prices", 2))
    assert len(items) == 2
    assert items[0] == items[1]
    assert await handle.call("what_was_seen") == ["end"]


@case(STREAMS)
async def test_streams_and_calls_interleave(host, handle):
    first, second = handle.stream("numbers", 2), handle.stream("numbers", 2)
    order = [await anext(first), await anext(second), await handle.call("plain"), await anext(first)]
    assert order == [0, 0, 7, 1]
    assert await read(first) == []
    assert await read(second) == [1]


@case(STREAMS)
async def test_an_error_ends_the_stream_after_what_came_before_it(host, handle):
    items = handle.stream("fails")
    assert await anext(items) == 1
    with pytest.raises(GuestError, match="no more"):
        await anext(items)
    assert await read(items) == []


@case(STREAMS, limits=ResourceLimits(max_payload_bytes=100_000))
async def test_the_payload_limit_bounds_an_item_not_the_whole(host, handle):
    assert sum(map(len, await read(handle.stream("large", 50_000, 20)))) == 1_000_000
    with pytest.raises(QuotaExceededError):
        await read(handle.stream("large", 200_000, 1))


@case(STREAMS)
async def test_what_is_no_generator_does_not_stream(host, handle):
    for method in ("plain", "later"):
        with pytest.raises(ModuleError, match="does not stream"):
            await read(handle.stream(method))


@case(STREAMS)
async def test_only_public_methods_stream(host, handle):
    for method in ("_private", "render", "missing"):
        with pytest.raises(ModuleError, match="no public method"):
            await read(handle.stream(method))
    with pytest.raises(ModuleStateError):
        handle.stream("@next")


@case(STREAMS)
async def test_so_many_are_open_at_once(host, handle):
    streams = [handle.stream("numbers", 2) for _ in range(65)]
    for stream in streams[:64]:
        await anext(stream)
    with pytest.raises(QuotaExceededError, match="streams"):
        await anext(streams[64])
    for stream in streams:
        await stream.aclose()
    assert await read(handle.stream("numbers", 1)) == [0]


@case(STREAMS, tiers=METERED, limits=ResourceLimits(max_step_ms=100))
async def test_a_limit_ends_the_stream_and_the_next_begins_anew(host, handle):
    items, other = handle.stream("waits_for_ever"), handle.stream("numbers", 5)
    assert [await anext(items), await anext(other)] == [1, 0]
    with pytest.raises(ResourceLimitError):
        await anext(items)
    with pytest.raises(ModuleStateError, match="was replaced"):
        await anext(other)
    assert await read(handle.stream("numbers", 1)) == [0]


@case(STREAMS)
async def test_a_reader_that_is_cancelled_closes_the_stream(host, handle):
    started = asyncio.Event()

    async def reading():
        async with aclosing(handle.stream("numbers", 100)) as items:
            async for _ in items:
                started.set()
                await asyncio.sleep(5)

    task = asyncio.create_task(reading())
    await started.wait()
    task.cancel()
    await asyncio.wait([task])
    assert await handle.call("what_was_seen") == [0, "end"]
