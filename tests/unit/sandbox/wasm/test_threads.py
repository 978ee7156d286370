"""Guests in threads: what the loop lends, what the host serves, and how it all ends."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from pathlib import Path

import pytest

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.sandbox.wasm import _workers
from plataforma_sdk.sandbox.wasm._threads import RelayedHost, ThreadScheduler
from plataforma_sdk.sandbox.wasm._workers import STACK_BYTES, WorkerThreads
from plataforma_sdk.types import SystemClock

from .conftest import count_modules

ROOT = Path(__file__).parents[4]
THREADED = pytest.mark.parametrize(
    "wasm", [{"threads": 2}, {"mode": "threads"}], ids=["fibers-and-threads", "threads"], indirect=True
)
COMPUTES = """
    def compute(self, n):
        total = 0
        for i in range(n):
            total += i * i % 7
        return total

    def asks(self, n):
        return [self.permissions.has("x.y") for _ in range(n)][-1]

    def computes_and_asks(self, n):
        self.compute(n)
        return self.asks(3)

    def spin(self):
        while True:
            pass

    def recurse(self):
        import sys
        sys.setrecursionlimit(10**9)
        return self.recurse()
"""
LONG = {"max_step_ms": 60_000, "max_call_ms": 60_000}


@pytest.fixture
def workers():
    made = WorkerThreads(2)
    yield made
    made.shrink()


def wait_until(holds):
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


# --- workers -------------------------------------------------------------------------------------------------------


def test_jobs_run_at_once_up_to_the_number_of_threads(workers):
    together, third = threading.Barrier(3), threading.Event()
    for _ in range(2):
        workers.submit(lambda: together.wait(5))
    workers.submit(third.set)
    assert not third.wait(0.05)  # no third thread
    together.wait(5)
    assert third.wait(5)
    wait_until(lambda: workers.is_idle)


def test_a_thread_is_started_when_it_is_needed_and_no_sooner(workers):
    seen = []
    for _ in range(5):
        workers.submit(lambda: seen.append(threading.get_ident()))
        wait_until(lambda: workers.is_idle)
    assert len(set(seen)) == 1


def stack_bytes():
    """Ask glibc for the stack of this thread."""
    libc = ctypes.CDLL(None)
    libc.pthread_self.restype = ctypes.c_ulong
    attributes, size = ctypes.create_string_buffer(256), ctypes.c_size_t()
    assert libc.pthread_getattr_np(ctypes.c_ulong(libc.pthread_self()), attributes) == 0
    assert libc.pthread_attr_getstacksize(attributes, ctypes.byref(size)) == 0
    libc.pthread_attr_destroy(attributes)
    return size.value


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "pthread_getattr_np"), reason="asks glibc")
def test_threads_have_stacks_that_a_guest_cannot_overflow_and_others_their_own(workers):
    """Source: a guest that recurses on a stack of 512 KB is a segmentation fault of the host."""
    sizes, before = [], threading.stack_size()
    workers.submit(lambda: sizes.append(stack_bytes()))
    wait_until(lambda: workers.is_idle)
    assert sizes[0] >= STACK_BYTES >= 2 * 1024 * 1024
    assert threading.stack_size() == before


def named(workers):
    return [thread for thread in threading.enumerate() if thread.name == workers._name]


def test_idle_threads_end_and_a_later_job_starts_another():
    workers, done = WorkerThreads(2, "test-idle"), threading.Event()
    workers.submit(lambda: None)
    wait_until(lambda: workers.is_idle)
    assert len(named(workers)) == 1
    workers.shrink()
    wait_until(lambda: not named(workers))
    workers.submit(done.set)
    assert done.wait(5)
    assert len(named(workers)) == 1
    workers.shrink()


def test_a_thread_that_is_busy_ends_after_its_job_and_those_that_wait():
    workers, go_on, done = WorkerThreads(1, "test-busy"), threading.Event(), threading.Event()
    workers.submit(lambda: go_on.wait(5))
    workers.submit(done.set)
    workers.shrink()
    go_on.set()
    assert done.wait(5)
    wait_until(lambda: not named(workers))


def test_a_thread_that_has_had_no_job_for_long_ends(monkeypatch):
    monkeypatch.setattr(_workers, "_IDLE_S", 0.05)
    workers, done = WorkerThreads(2, "test-long"), threading.Event()
    workers.submit(lambda: None)
    wait_until(lambda: workers.is_idle)
    wait_until(lambda: not named(workers))
    workers.submit(done.set)
    assert done.wait(5)


def test_many_jobs_from_many_threads_all_run_while_threads_come_and_go(monkeypatch):
    monkeypatch.setattr(_workers, "_IDLE_S", 0.001)
    workers, seen = WorkerThreads(3, "test-many"), []

    def submit():
        for number in range(300):
            workers.submit(lambda number=number: seen.append(number))
            if number % 50 == 0:
                workers.shrink()
                time.sleep(0.002)

    submitters = [threading.Thread(target=submit) for _ in range(3)]
    for thread in submitters:
        thread.start()
    for thread in submitters:
        thread.join()
    wait_until(lambda: workers.is_idle)
    assert len(seen) == 900
    wait_until(lambda: not named(workers))
    assert workers._threads == 0


def test_a_job_that_fails_is_logged_and_the_next_runs(workers, caplog):
    done = threading.Event()
    workers.submit(lambda: 1 / 0)
    workers.submit(done.set)
    assert done.wait(5)
    wait_until(lambda: workers.is_idle)
    assert "ZeroDivisionError" in caplog.text


def test_an_idle_thread_keeps_nothing_of_its_last_job(workers):
    class Guest:
        def work(self):
            pass

    guest = Guest()
    workers.submit(guest.work)
    wait_until(lambda: workers.is_idle)
    kept = weakref.ref(guest)
    del guest
    gc.collect()
    assert kept() is None


# --- the scheduler -------------------------------------------------------------------------------------------------


class FakeFiber:
    """Needs some slices of 4 ms; says which thread ran them, and what the loop did."""

    def __init__(self, slices, delays=()):
        self.slices, self.delays = slices, list(delays)
        self.trace, self.threads = [], set()
        self.is_ended = False
        self.done = asyncio.get_running_loop().create_future()

    def delay_s(self):
        return self.delays.pop(0) if self.delays else 0.0

    def lend(self):
        self.trace.append("lend")
        return not self.is_ended

    def run_slice(self):
        self.threads.add(threading.get_ident())
        time.sleep(0.004)
        self.slices -= 1
        return self.slices == 0, 4.0

    def take_back(self):
        self.trace.append("take back")

    def settle(self, has_ended, cpu_ms):
        self.trace.append("settle")
        if has_ended:
            self.done.set_result(cpu_ms)
        return has_ended


def test_a_turn_runs_many_slices_in_another_thread_and_the_loop_settles_once(run, workers):
    async def main():
        fiber = FakeFiber(2)
        ThreadScheduler(asyncio.get_running_loop(), workers, is_inline=True).add(fiber)
        assert await fiber.done == 8.0
        assert fiber.trace == ["lend", "take back", "settle"]
        assert threading.get_ident() not in fiber.threads

    run(main())


def test_a_guest_that_goes_on_is_lent_again_turn_by_turn(run, workers):
    async def main():
        fiber = FakeFiber(12)
        ThreadScheduler(asyncio.get_running_loop(), workers, is_inline=True).add(fiber)
        await fiber.done
        assert fiber.trace.count("lend") == fiber.trace.count("settle") == len(fiber.trace) / 3
        assert fiber.trace.count("lend") > 1

    run(main())


def test_a_guest_without_share_waits_before_it_is_lent(run, workers):
    async def main():
        fiber, loop = FakeFiber(1, delays=[0.05]), asyncio.get_running_loop()
        began = loop.time()
        ThreadScheduler(loop, workers, is_inline=True).add(fiber)
        assert fiber.trace == []
        await fiber.done
        assert loop.time() - began > 0.04

    run(main())


def test_a_guest_that_ended_while_it_waited_is_not_lent(run, workers):
    async def main():
        fiber = FakeFiber(1)
        fiber.is_ended = True
        ThreadScheduler(asyncio.get_running_loop(), workers, is_inline=True).add(fiber)
        assert (fiber.trace, workers.is_idle, fiber.threads) == (["lend"], True, set())

    run(main())


def test_a_guest_whose_loop_is_closed_is_taken_back_by_the_thread(workers):
    async def main():
        fiber = FakeFiber(5)
        ThreadScheduler(asyncio.get_running_loop(), workers, is_inline=True).add(fiber)
        return fiber

    fiber = asyncio.run(main())
    wait_until(lambda: "take back" in fiber.trace)
    assert fiber.trace == ["lend", "take back"]


# --- the host, asked from a thread ---------------------------------------------------------------------------------

WHO = contextvars.ContextVar("who", default="nobody")


class FakeHost:
    """Says where it was asked."""

    clock = SystemClock()

    def __init__(self):
        self.asked = []

    def random_bytes(self, count):
        return bytes(count)

    def serve_now(self, method, payload):
        self.asked.append((method, threading.get_ident(), WHO.get()))
        return True, payload


async def ask(host, workers, method):
    """Ask from a thread."""
    answers, loop, asked = [], asyncio.get_running_loop(), asyncio.Event()

    def work():
        answers.append(host.serve_now(method, b"payload"))
        loop.call_soon_threadsafe(asked.set)

    workers.submit(work)
    await asked.wait()
    return answers[0]


def test_what_a_thread_asks_is_served_by_the_loop_in_the_context_of_the_load(run, workers):
    async def main():
        WHO.set("the one who loaded")
        inner = FakeHost()
        host = RelayedHost(inner, asyncio.get_running_loop(), workers)
        WHO.set("another")
        assert await ask(host, workers, b"events.emit") == (True, b"payload")
        assert inner.asked == [(b"events.emit", threading.get_ident(), "the one who loaded")]

    run(main())


def test_what_the_loops_thread_asks_and_what_a_step_says_is_served_in_place(run, workers):
    async def main():
        inner = FakeHost()
        host = RelayedHost(inner, asyncio.get_running_loop(), workers)
        assert host.serve_now(b"log", b"1") == (True, b"1")
        await ask(host, workers, b"@step")
        assert [method for method, _, _ in inner.asked] == [b"log", b"@step"]
        assert inner.asked[1][1] != threading.get_ident()

    run(main())


@pytest.mark.parametrize("is_closed_before", [True, False], ids=["closed-before", "closed-while-it-waits"])
def test_a_thread_that_asks_a_loop_that_is_closed_is_refused(workers, is_closed_before):
    loop = asyncio.new_event_loop()
    host = RelayedHost(FakeHost(), loop, workers)
    answers = []
    if is_closed_before:
        loop.close()
    workers.submit(lambda: answers.append(host.serve_now(b"log", b"")))
    if not is_closed_before:
        wait_until(lambda: bool(loop._ready))
        loop.close()
    wait_until(lambda: workers.is_idle)
    assert answers[0][0] is False
    assert b"host has ended" in answers[0][1]


# --- through the engine --------------------------------------------------------------------------------------------


@THREADED
def test_what_a_guest_asks_from_a_thread_is_served_in_the_loops_thread_and_the_callers_context(run, load, bridge):
    seen = []

    def has(*_):
        seen.append((threading.get_ident(), WHO.get()))
        return True

    async def main():
        bridge.answers["permissions.has"] = has
        async with load(COMPUTES, **LONG) as probe:
            WHO.set("caller")
            assert await probe.call("computes_and_asks", 200_000) is True
        assert set(seen) == {(threading.get_ident(), "caller")}

    run(main())


@THREADED
def test_modules_that_compute_leave_the_loop_alone(run, load):
    async def main():
        async with load(COMPUTES, **LONG) as one, load(COMPUTES, **LONG) as two:
            task = asyncio.gather(one.call("compute", 300_000), two.call("compute", 300_000))
            turns = 0
            while not task.done():
                await asyncio.sleep(0.001)
                turns += 1
            assert turns > 5
            assert len(set(await task)) == 1

    run(main())


@THREADED
def test_a_guest_that_recurses_in_a_thread_ends_typed_and_the_host_lives(run, load):
    async def main():
        for _ in range(3):
            async with load(COMPUTES, **LONG) as probe:
                with pytest.raises(ResourceLimitError) as caught:
                    await probe.call("recurse")
                assert caught.value.resource in ("stack", "memory")

    run(main())


@THREADED
def test_a_guest_that_is_closed_while_it_runs_ends_soon_and_is_freed(run, load, wasm):
    async def main():
        async with load(COMPUTES, **LONG) as probe:
            hosts = wasm._launcher._compiled.hosts
            before = count_modules(hosts)
            spinning = asyncio.create_task(probe.call("spin"))
            await asyncio.sleep(0.03)
        with pytest.raises(Exception, match="closed"):
            await spinning
        for _ in range(400):
            if count_modules(hosts) == before - 1 and wasm._launcher._workers.is_idle:
                break
            await asyncio.sleep(0.005)
        assert (count_modules(hosts), wasm._launcher._workers.is_idle) == (before - 1, True)

    run(main())


@THREADED
def test_a_guest_that_has_had_its_share_of_the_processor_is_held_within_a_call(run, load):
    """100 ms a second, and one second's worth to begin with: what is beyond takes ten times as long."""

    async def main():
        loop = asyncio.get_running_loop()
        async with load(COMPUTES, max_cpu_ms_per_s=100, **LONG) as probe:
            began, before = loop.time(), probe._monitor.usage.cpu_ms
            await probe.call("compute", 1_500_000)
            elapsed, used = loop.time() - began, probe._monitor.usage.cpu_ms - before
            assert used > 110
            assert elapsed > (used - 100) / 100 * 0.8

    run(main())


@pytest.mark.parametrize("settings", ["threads=2", "mode='threads'"])
def test_a_process_may_end_while_a_guest_computes_in_a_thread(settings):
    """A daemon thread inside machine code must not take the process with it: the exit code is the host's own."""
    code = f"""
    import asyncio, sys, threading
    sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "src")!r}]
    from tests.unit.sandbox.wasm.conftest import HEAD, FakeBridge, FakePackage, make_context
    from plataforma_sdk.sandbox.wasm import WasmEngine
    BODY = "    def spin(self):\\n        while True:\\n            pass\\n"

    async def main():
        package = FakePackage({{"probe.py": HEAD + BODY}})
        context = make_context(FakeBridge(), max_step_ms=60_000, max_call_ms=60_000)
        probe = await WasmEngine({settings}).load(package, context)
        task = asyncio.create_task(probe.call("spin"))
        await asyncio.sleep(0.1)
        raise SystemExit(7)

    asyncio.run(main())
    """
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=os.environ, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (7, "")
    assert time.monotonic() - began < 30
