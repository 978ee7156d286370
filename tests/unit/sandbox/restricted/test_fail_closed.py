"""After a limit nothing of the module runs: no handler, no clean-up, no task; and it answers by its limit alone."""

# ruff: noqa: E501 - modules read best on one line

from __future__ import annotations

import asyncio
import gc
import textwrap
import threading
import time

import pytest

from plataforma_sdk.errors import ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached, Meter

TRIPS = {
    "fuel": "while True:\n    pass",
    "fuel in C": "while True:\n    x = sorted(range(5000))",
    "memory": "x = 'x' * 10**9",
    "stack": "def down():\n    return down()\ndown()",
}
SWALLOWS = {
    "except": "try:\n    {trip}\nexcept Exception:\n    after()",
    "bare except": "try:\n    {trip}\nexcept:\n    after()",
    "except in a loop": "for i in range(9):\n    try:\n        {trip}\n    except Exception:\n        continue\n    after()",
    "finally": "try:\n    {trip}\nfinally:\n    done.append(1)",
    "finally in finally": "try:\n    try:\n        {trip}\n    finally:\n        done.append(1)\nfinally:\n    done.append(2)",
    "finally of a caller": "def f():\n    {trip}\ndef g():\n    try:\n        f()\n    finally:\n        done.append(1)\ng()",
    "with": "class C:\n    def __enter__(self):\n        return 1\n    def __exit__(self, *_):\n        done.append(1)\n        return True\nwith C():\n    {trip}\nafter()",
    "generator": "def g():\n    try:\n        yield 1\n        {trip}\n    finally:\n        done.append(1)\nfor x in g():\n    pass\nafter()",
    "dropped generator": "def g():\n    try:\n        yield 1\n    finally:\n        done.append(1)\nkept = g()\nnext(kept)\n{trip}",
    "sort key": "def key(x):\n    {trip}\ntry:\n    sorted([1, 2], key=key)\nexcept Exception:\n    after()",
    "comparison": "class C:\n    def __eq__(self, other):\n        {trip}\ntry:\n    [C()] == [C()]\nexcept Exception:\n    after()",
    "iterator": "class C:\n    def __iter__(self):\n        {trip}\ntry:\n    list(C())\nexcept Exception:\n    after()",
    "getattr": "class C:\n    def __getattr__(self, name):\n        {trip}\ntry:\n    getattr(C(), 'x', 1)\nexcept Exception:\n    after()",
    "property": "class C:\n    @property\n    def p(self):\n        {trip}\ntry:\n    C().p\nexcept Exception:\n    after()",
    "repr": "class C:\n    def __repr__(self):\n        {trip}\ntry:\n    str([C()])\nexcept Exception:\n    after()",
    "default": "try:\n    x = next(i for i in iter(int, 1) if i) if True else 0\n    {trip}\nexcept Exception:\n    after()",
}  # fmt: skip


def fill(pattern, trip):
    """Put the statements of a trip where the pattern wants them, each line at the pattern's depth."""
    lines = []
    for line in pattern.split("\n"):
        depth = len(line) - len(line.lstrip())
        lines.append(textwrap.indent(trip, " " * depth) if line.strip() == "{trip}" else line)
    return "\n".join(lines)


@pytest.mark.parametrize("trip", TRIPS.values(), ids=TRIPS.keys())
@pytest.mark.parametrize("pattern", SWALLOWS.values(), ids=SWALLOWS.keys())
def test_nothing_swallows_a_limit_and_nothing_runs_after_it(runner, pattern, trip):
    done = []
    with pytest.raises((LimitReached, RecursionError)) as caught:
        runner.run(fill(pattern, trip), fuel=20_000, done=done, after=lambda: done.append("after"))
    gc.collect()  # what a dropped generator would still do

    assert "after" not in done
    if caught.type is LimitReached:
        assert (runner.meter.is_stopped, done) == (True, [])
    else:  # running out of stack is found where it is caught, or where the module's code ends, as here
        assert trip == TRIPS["stack"]


@pytest.mark.parametrize("source", ["for i in range(3):\n    done.append(i)", "f = lambda: done.append(1)\nf()"])
def test_a_sandbox_that_was_ended_is_never_entered(runner, source):
    with pytest.raises(LimitReached):
        runner.run("while True:\n    pass", fuel=10)

    with pytest.raises(LimitReached, match="fuel"):
        runner.run(source, done=[])


def test_every_raise_is_an_error_of_its_own(runner):
    """One object raised again and again would keep the frames of the module alive."""
    with pytest.raises(LimitReached):
        runner.run("while True:\n    pass", fuel=10)
    raised = []
    for _ in range(2):
        with pytest.raises(LimitReached) as caught:
            runner.meter.check()
        raised.append(caught.value)

    assert raised[0] is not raised[1]
    assert (raised[0].resource, raised[0].used, raised[0].limit) == (raised[1].resource, 10, 10)


def test_a_limit_found_between_two_units_leaves_no_unit():
    """Memory trips in the middle of a slice: the rest of it is given back, and is not burnt."""
    meter = Meter(1_000)
    outer = meter.enter(Account(500, 500))
    for _ in range(20):
        next(meter.fuel)
    with pytest.raises(LimitReached, match="memory"):
        meter.alloc(2_000)

    assert list(meter.fuel) == []
    meter.leave(outer)
    assert meter.fuel_used == 20


# --- in an instance ------------------------------------------------------------------------------------------------

LIMITS = ResourceLimits(max_fuel=20_000, max_step_ms=5_000)


def test_a_poisoned_instance_answers_only_by_its_limit(run, load):
    async def main():
        loaded = await load(
            "def spin(self):\n    while True:\n        pass\ndef fine(self):\n    return 1", limits=LIMITS
        )
        errors = []
        for method in ("spin", "fine", "@render", "@state"):
            with pytest.raises(ResourceLimitError) as caught:
                await loaded.call(method)
            errors.append(caught.value)
        assert {(error.resource, error.limit) for error in errors} == {("fuel", 20_000)}
        assert loaded.instance.is_poisoned

    run(main())


TASKS = """
async def begin(self):
    self.log_ = []
    self.event = asyncio.Event()
    self.tasks = [asyncio.create_task(self.wait_for_event()), asyncio.create_task(self.tick())]
    await asyncio.sleep(0.01)

async def wait_for_event(self):
    try:
        await self.event.wait()
        await self.emit("task.woke")
    finally:
        await self.emit("task.finally")

async def tick(self):
    while True:
        await asyncio.sleep(0.005)
        await self.emit("task.ticked")

async def wait(self):
    try:
        await asyncio.Event().wait()
    finally:
        await self.emit("call.finally")

def spin(self):
    try:
        while True:
            pass
    finally:
        self.event.set()
"""


def test_tasks_and_waiting_calls_stop_with_the_limit(run, load):
    """Nobody has closed the instance, and nothing of it goes on: no tick, no clean-up, no call that waited."""

    async def main():
        loaded = await load(TASKS, limits=LIMITS, permissions=("events.emit",))
        await loaded.call("begin")
        waiting = asyncio.create_task(loaded.call("wait"))
        await asyncio.sleep(0.02)
        assert "task.ticked" in repr(loaded.bridge.calls)
        with pytest.raises(ResourceLimitError):
            await loaded.call("spin")
        said = len(loaded.bridge.calls)
        await asyncio.sleep(0.03)
        assert [call for call in loaded.bridge.calls[said:] if "log" not in repr(call)] == []
        assert not loaded.instance._tasks._live
        await loaded.instance.close()
        with pytest.raises(Exception, match=r"closed|fuel"):
            await waiting

    run(main())


def test_the_host_is_told_once_of_a_limit_that_ends_many_tasks(run, load):
    async def main():
        loaded = await load(
            "async def probe(self):\n    self.tasks = [asyncio.create_task(self.wait()) for i in range(5)]\n"
            "    self.tasks.append(asyncio.create_task(self.spin()))\n"
            "async def wait(self):\n    await asyncio.sleep(60)\nasync def spin(self):\n    while True:\n        pass",
            limits=LIMITS,
        )
        await loaded.call("probe")
        await asyncio.sleep(0.05)
        assert loaded.instance.is_poisoned
        assert len([args for method, args in loaded.bridge.calls if method == "log"]) == 1

    run(main())


def test_memory_of_an_ended_module_is_freed_though_nobody_asks_for_it(run, load):
    async def main():
        loaded = await load(
            "def keep(self):\n    self.x = ['y' * 9]\n    return 1\ndef spin(self):\n    while True:\n        pass",
            limits=LIMITS,
        )
        await loaded.call("keep")
        author = loaded.instance._runtime.author
        with pytest.raises(ResourceLimitError):
            await loaded.call("spin")
        await asyncio.sleep(0)
        assert vars(author) == {}
        assert not any(loaded.instance._sandbox.namespaces.values())

    run(main())


def test_a_message_that_never_ends_poisons_like_any_limit(run, load):
    async def main():
        loaded = await load(
            "def probe(self):\n    raise E()\ndef fine(self):\n    return 1",
            head="class E(Exception):\n    def __str__(self):\n        while True:\n            pass",
        )
        with pytest.raises(Exception, match=r"could not be written|limit"):
            await loaded.call("probe")
        assert loaded.instance.is_poisoned
        with pytest.raises(ResourceLimitError):
            await loaded.call("fine")

    run(main())


# --- deadlines and interrupts in the middle of a step --------------------------------------------------------------


def test_a_step_that_never_waits_meets_the_calls_deadline(run, load):
    """The event loop stands still and cannot time the call out: the checkpoint sees that its time has passed."""

    async def main():
        limits = ResourceLimits(max_call_ms=100, max_step_ms=20_000, max_fuel=10**12)
        loaded = await load("def probe(self):\n    while True:\n        pass", limits=limits)
        began = time.monotonic()
        with pytest.raises(ResourceLimitError) as caught:
            await loaded.call("probe")
        assert (caught.value.resource, caught.value.limit, caught.value.unit) == ("call_time", 100, "ms")
        assert caught.value.used >= 100
        assert time.monotonic() - began < 5
        assert loaded.instance.is_poisoned

    run(main())


def test_loading_meets_the_same_deadline(run, load):
    limits = ResourceLimits(max_call_ms=100, max_fuel=10**12)

    with pytest.raises(ResourceLimitError) as caught:
        run(load(source="while True:\n    pass", limits=limits))

    assert (caught.value.resource, caught.value.limit) == ("call_time", 100)


def test_another_thread_interrupts_a_module_that_spins(run, load):
    async def main():
        limits = ResourceLimits(max_call_ms=15_000, max_step_ms=15_000, max_fuel=10**12)
        loaded = await load("def probe(self):\n    while True:\n        pass", limits=limits)
        timer = threading.Timer(0.05, loaded.instance.interrupt)
        timer.start()
        with pytest.raises(SandboxCrashedError, match="interrupted by its host"):
            await loaded.call("probe")
        timer.join()
        assert loaded.instance.is_poisoned
        with pytest.raises(SandboxCrashedError, match="interrupted by its host"):
            await loaded.call("probe")

    run(main())


CHAINS = {
    "gather": "await asyncio.gather(self.down(n - 1))",
    "create_task": "await asyncio.create_task(self.down(n - 1))",
    "wait_for": "await asyncio.wait_for(self.down(n - 1), 100)",
    "task group": "async with asyncio.TaskGroup() as group:\n            group.create_task(self.down(n - 1))",
}


@pytest.mark.parametrize("step", CHAINS.values(), ids=CHAINS.keys())
def test_a_long_chain_of_waiting_tasks_meets_the_calls_deadline(run, load, step):
    """Cancelling the first must not recurse through all: the host's time-out would be lost, and nothing ended."""

    async def main():
        loaded = await load(
            f"async def down(self, n):\n    if n:\n        {step}\n    else:\n        await asyncio.Event().wait()",
            limits=ResourceLimits(max_call_ms=500, max_step_ms=5_000),
        )
        with pytest.raises(ResourceLimitError) as caught:
            await loaded.call("down", 900)
        assert caught.value.resource == "call_time"
        await loaded.instance.close()
        assert len(asyncio.all_tasks()) == 1

    run(main())


def test_waiting_in_between_keeps_what_cancelling_means(run, load):
    """The task that waits hears how the other ended: its result where it swallowed the cancellation, else that."""

    async def main():
        loaded = await load(
            """
            async def stubborn(self):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    return "stayed"
            async def meek(self):
                await asyncio.Event().wait()
            async def outer(self, inner):
                return await inner
            async def probe(self):
                found = []
                for make in (self.stubborn, self.meek):
                    task = asyncio.create_task(self.outer(asyncio.create_task(make())))
                    await asyncio.sleep(0.01)
                    task.cancel()
                    try:
                        found.append(await task)
                    except asyncio.CancelledError:
                        found.append("cancelled")
                try:
                    await asyncio.wait_for(self.meek(), 0.01)
                except TimeoutError:
                    found.append("late")
                return found
            """
        )
        assert await loaded.call("probe") == ["stayed", "cancelled", "late"]
        await loaded.instance.close()

    run(main())


# --- async generators ----------------------------------------------------------------------------------------------

DROPS = """
async def numbers(self):
    try:
        yield 1
    finally:
        for i in range(self.turns):
            self.n += 1
        await asyncio.sleep(0)
        self.ended = True

async def probe(self, turns):
    self.n = 0
    self.ended = False
    self.turns = turns
    async for x in self.numbers():
        break

def read(self):
    return [self.n, self.ended]
"""


def test_a_dropped_async_generator_is_finished_with_the_meter_on(run, load):
    """asyncio would finish it in a task of its own, on nobody's account. Source: PEP 525, finalization."""

    async def main():
        loaded = await load(DROPS, limits=ResourceLimits(max_fuel=60_000, max_step_ms=5_000))
        before = loaded.monitor.usage.fuel
        await loaded.call("probe", 50_000)
        await asyncio.sleep(0.05)
        assert await loaded.call("read") == [50_000, True]
        assert loaded.monitor.usage.fuel - before > 50_000
        await loaded.call("probe", 10**9)
        await asyncio.sleep(0.05)
        with pytest.raises(ResourceLimitError) as caught:
            await loaded.call("read")
        assert (caught.value.resource, caught.value.limit) == ("fuel", 60_000)

    run(main())
