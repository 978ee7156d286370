"""Calls into a guest, and what a guest awaits of its host."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import gc
import sys
from decimal import Decimal

import pytest

from plataforma_sdk.errors import CodecError, ModuleError, ModuleStateError, QuotaExceededError
from plataforma_sdk.types import FakeClock

from .conftest import INLINE, count_modules

WAITS = """
    async def fetch(self, path):
        return await self.api_call(path)

    async def fetch_all(self):
        return await asyncio.gather(*(self.api_call(f"/{name}") for name in "abc"))

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)
        return "slept"

    async def group(self):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.api_call(f"/{n}")) for n in range(3)]
        return [task.result() for task in tasks]

    async def limited(self):
        try:
            async with asyncio.timeout(0.01):
                await self.api_call("/never")
        except TimeoutError:
            return "in time"

    async def queue(self):
        queue, lock, event = asyncio.Queue(), asyncio.Lock(), asyncio.Event()
        async def produce():
            for number in range(3):
                await queue.put(number)
                await asyncio.sleep(0)
            event.set()
        task = asyncio.create_task(produce())
        await event.wait()
        async with lock:
            return [await queue.get() for _ in range(3)]
"""


def test_values_cross_by_the_codec_both_ways(run, load):
    async def main():
        async with load("    def echo(self, *args, **kwargs):\n        return [args, kwargs]\n") as probe:
            values = [None, True, -1, 1.5, "é€😀\u2028\n", b"\x00", Decimal("1.10"), 2**80, {"$t": [1]}]
            moment = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
            assert await probe.call("echo", *values, moment=moment) == [values, {"moment": moment}]

    run(main())


@pytest.mark.parametrize("value", [{1: 2}, {1, 2}, float("nan"), object()], ids=["key", "set", "nan", "object"])
def test_a_value_that_does_not_cross_is_refused_and_nothing_breaks(run, load, value):
    async def main():
        async with load("    def echo(self, value):\n        return value\n") as probe:
            with pytest.raises(CodecError):
                await probe.call("echo", value)
            assert await probe.call("add") == 1

    run(main())


@INLINE
def test_a_call_that_does_not_wait_costs_no_turn_of_the_loop(run, load):
    async def main():
        async with load("    async def twice(self, n):\n        return 2 * n\n") as probe:
            turns = []
            asyncio.get_running_loop().call_soon(turns.append, "turn")
            assert [await probe.call("add"), await probe.call("twice", 4)] == [1, 8]
            assert turns == []

    run(main())


@INLINE
@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks begin eagerly from 3.12")
def test_what_the_host_answers_at_once_costs_no_turn_of_the_loop(run, load, bridge):
    """An answer that is there when it is asked for reaches the guest within the caller's own turn."""

    async def main():
        bridge.answers["storage.get"] = 7
        async with load("    async def get(self):\n        return await self.storage.get('k')\n") as probe:
            turns = []
            asyncio.get_running_loop().call_soon(turns.append, "turn")
            assert (await probe.call("get"), turns) == (7, [])

    run(main())


def test_a_host_function_may_call_the_module_that_awaits_it(run, load, bridge):
    """The call back is served before the host has answered, whatever else the same message asked for."""

    async def main():
        async with load(WAITS) as probe:

            async def serve(path, _options):
                return [path, await probe.call("add")]

            bridge.answers["api.call"] = serve
            answers = await probe.call("fetch_all")
            assert ([path for path, _ in answers], {count for _, count in answers}) == (["/a", "/b", "/c"], {1, 2, 3})

    run(main())


def test_three_awaited_calls_overlap(run, load, bridge):
    open_calls: list[str] = []
    everyone = asyncio.Event()

    async def serve(path, _options):
        open_calls.append(path)
        if len(open_calls) == 3:
            everyone.set()
        await everyone.wait()  # never ends unless all three are open at once
        return path

    async def main():
        bridge.answers["api.call"] = serve
        async with load(WAITS) as probe:
            assert await probe.call("fetch_all") == ["/a", "/b", "/c"]

    run(main())


def test_a_call_is_served_while_another_waits(run, load, bridge):
    async def main():
        gate = asyncio.Event()
        bridge.answers["api.call"] = lambda path, _options: _after(gate, path)
        async with load(WAITS) as probe:
            waiting = asyncio.create_task(probe.call("fetch", "/a"))
            await asyncio.sleep(0)
            assert await probe.call("add") == 1
            assert not waiting.done()
            gate.set()
            assert await waiting == "/a"

    run(main())


async def _after(gate, value):
    await gate.wait()
    return value


@pytest.mark.parametrize(
    ("method", "expected"),
    [("group", ["/0", "/1", "/2"]), ("limited", "in time"), ("queue", [0, 1, 2])],
)
def test_asyncio_works_inside_the_guest(run, load, bridge, method, expected):
    async def serve(path, _options):
        return await asyncio.Event().wait() if path == "/never" else path

    async def main():
        bridge.answers["api.call"] = serve
        async with load(WAITS) as probe:
            assert await probe.call(method) == expected

    run(main())


def test_what_the_guest_no_longer_awaits_is_cancelled_in_the_host(run, load, bridge):
    async def never(_path, _options):
        await asyncio.Event().wait()

    async def main():
        bridge.answers["api.call"] = never
        async with load(WAITS) as probe:
            await probe.call("limited")
            await asyncio.sleep(0)
            assert bridge.cancelled == ["api.call"]

    run(main())


def test_sleep_follows_the_clock_of_the_host(run, load):
    async def main():
        clock = FakeClock()
        async with load(WAITS, clock=clock) as probe:
            sleeping = asyncio.create_task(probe.call("sleep", 0.01))
            await asyncio.sleep(0.05)
            assert not sleeping.done()
            clock.advance(1)
            assert await sleeping == "slept"

    run(main())


def test_host_functions_run_in_the_context_of_their_call(run, load, bridge):
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")
    seen = []

    async def serve(_path, _options):
        seen.append(("awaited", who.get()))

    async def call_as(name, probe):
        who.set(name)
        await probe.call("both")

    async def main():
        bridge.answers.update({"api.call": serve, "events.emit": lambda *_: seen.append(("immediate", who.get()))})
        body = """
    async def both(self):
        self.emit("before")
        await self.api_call("/x")
        self.emit("after")
"""
        async with load(body) as probe:
            await asyncio.gather(call_as("ana", probe), call_as("bob", probe))
        assert sorted(seen) == sorted(
            (kind, name) for name in ("ana", "bob") for kind in ("immediate", "awaited", "immediate")
        )

    run(main())


def test_a_function_that_is_no_name_never_reaches_the_wire(run, load):
    async def main():
        async with load() as probe:
            for name in ("a b", "add []\nc9", "", "@", "1a"):
                with pytest.raises(ModuleError):
                    await probe.call(name)
            assert await probe.call("add") == 1

    run(main())


def test_arguments_beyond_the_payload_limit_are_refused(run, load):
    async def main():
        async with load(max_payload_bytes=1_000) as probe:
            with pytest.raises(QuotaExceededError):
                await probe.call("add", "x" * 2_000)

    run(main())


def test_a_closed_instance_refuses_and_ends_running_calls(run, load, bridge):
    async def never(_path, _options):
        await asyncio.Event().wait()

    async def main():
        bridge.answers["api.call"] = never
        async with load(WAITS) as probe:
            waiting = asyncio.create_task(probe.call("fetch", "/a"))
            await asyncio.sleep(0.01)
            await probe.close()
            with pytest.raises(ModuleStateError):
                await waiting
            with pytest.raises(ModuleStateError):
                await probe.call("add")
            assert bridge.cancelled == ["api.call"]
            assert not probe.is_poisoned

    run(main())


def test_a_host_function_may_close_the_instance_that_called_it(run, load, bridge):
    async def main():
        async with load("    def leave(self):\n        self.emit('bye')\n        return 1\n") as probe:
            closing = []

            def close(*_):
                with pytest.raises(StopIteration):
                    probe.close().send(None)  # runs to its end at once: nothing is open
                closing.append(True)

            bridge.answers["events.emit"] = close
            with pytest.raises(ModuleStateError):
                await probe.call("leave")
            assert closing == [True]

    run(main())


@INLINE
def test_a_guest_may_be_called_while_another_is_inside_a_host_function(run, load, bridge):
    async def main():
        async with (
            load() as inner,
            load("    def outer(self):\n        self.emit('x')\n        return 'outer'\n") as outer,
        ):
            answers = []

            def call_inner(*_):
                with pytest.raises(StopIteration) as ended:
                    inner.call("add").send(None)  # does not wait, so it ends at once
                answers.append(ended.value.value)

            bridge.answers["events.emit"] = call_inner
            assert [await outer.call("outer"), await outer.call("outer"), answers] == ["outer", "outer", [1, 2]]

    run(main())


def test_an_interrupt_in_a_host_function_passes_and_ends_the_guest(load, bridge):
    def interrupt(*_):
        raise KeyboardInterrupt

    async def main(seen):
        bridge.answers["events.emit"] = interrupt
        async with load("    def ask(self):\n        self.emit('x')\n") as probe:
            try:
                await probe.call("ask")
            finally:
                seen.append(probe.is_poisoned)

    seen: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main(seen))
    assert seen == [True]


def test_an_instance_that_nobody_closed_is_freed(run, load):
    from plataforma_sdk.sandbox.wasm import WasmEngine, compiled_runner

    from .conftest import HEAD, FakeBridge, FakePackage, make_context

    async def main():
        before = count_modules(compiled_runner().hosts)
        probe = await WasmEngine().load(FakePackage({"probe.py": HEAD}), make_context(FakeBridge()))
        assert count_modules(compiled_runner().hosts) == before + 1
        del probe
        gc.collect()
        await asyncio.sleep(0)
        assert count_modules(compiled_runner().hosts) == before

    run(main())
