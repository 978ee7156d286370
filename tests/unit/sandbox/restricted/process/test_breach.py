"""Whatever breaks a limit or a rule is killed, and the caller learns why by the type of the error."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys

import pytest

from plataforma_sdk import ModulePackage, ModuleSandbox
from plataforma_sdk.errors import ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.restricted.process import _instance

from .process_kit import loading, make_package, until

pytestmark = pytest.mark.usefixtures("workers")
WAITS = "async def probe(self): await asyncio.Event().wait()\ndef fine(self): return 'fine'"


def test_a_worker_that_is_stuck_is_killed_at_the_deadline(run):
    """As in one long call of C: nothing in the process runs, so only the host's clock can end it."""

    async def main():
        async with loading(WAITS, limits=ResourceLimits(max_call_ms=200, max_step_ms=2_000)) as vendas:
            os.kill(vendas.instance.pid, signal.SIGSTOP)
            with pytest.raises(ResourceLimitError) as caught:
                await vendas.call("fine")
            await until(lambda: not vendas.instance._worker.is_running)
            return caught.value.resource, vendas.instance.is_poisoned

    assert run(main()) == ("call_time", True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT], ids=lambda number: number.name)
def test_a_worker_that_crashes_fails_its_calls(run, number):
    async def main():
        async with loading(WAITS) as vendas:
            calls = [asyncio.create_task(vendas.call("probe")) for _ in range(2)]
            await asyncio.sleep(0.02)
            os.kill(vendas.instance.pid, number)
            results = await asyncio.gather(*calls, return_exceptions=True)
            with pytest.raises(SandboxCrashedError):
                await vendas.call("fine")
            return results, vendas.instance.is_poisoned

    results, is_poisoned = run(main())
    assert [type(result) for result in results] == [SandboxCrashedError] * 2
    assert number.name in results[0].message
    assert (is_poisoned, results[0].module, results[0] is results[1]) == (True, "vendas", False)


def test_the_supervisor_replaces_a_worker_that_crashed(run):
    methods = "def add(self):\n    self.count = getattr(self, 'count', 0) + 1\n    return self.count"
    source = make_package(methods).sources["vendas.py"]

    async def main():
        package = ModulePackage.from_source(source, id="vendas")
        async with ModuleSandbox(package, engine="restricted", isolation="process") as sandbox:
            before = [await sandbox.call("add"), await sandbox.call("add")]
            os.kill(sandbox._supervisor.instance.pid, signal.SIGKILL)
            await until(lambda: sandbox._supervisor.instance.is_poisoned)
            return before, await sandbox.call("add"), sandbox.restarts, sandbox.state

    assert run(main()) == ([1, 2], 1, 1, "active")


def test_a_hard_limit_of_the_engine_kills_the_worker_and_fails_every_call(run):
    methods = WAITS + "\ndef spin(self):\n    while True: pass"

    async def main():
        async with loading(methods, limits=ResourceLimits(max_fuel=10_000, max_step_ms=2_000)) as vendas:
            waiting = asyncio.create_task(vendas.call("probe"))
            await asyncio.sleep(0.01)
            with pytest.raises(ResourceLimitError) as caught:
                await vendas.call("spin")
            with pytest.raises(ResourceLimitError):
                await waiting
            await until(lambda: not vendas.instance._worker.is_running)
            return caught.value.resource, caught.value.limit, vendas.instance.is_poisoned, vendas.monitor.usage.fuel

    resource_, limit, is_poisoned, fuel = run(main())
    assert (resource_, limit, is_poisoned) == ("fuel", 10_000, True)
    assert fuel >= 10_000


def test_a_background_task_that_breaks_a_limit_ends_the_worker(run):
    methods = """
    async def begin(self):
        self.task = asyncio.create_task(self.spin())

    async def spin(self):
        await asyncio.sleep(0)
        while True:
            pass
    """

    async def main():
        async with loading(methods, limits=ResourceLimits(max_fuel=10_000, max_step_ms=2_000)) as vendas:
            await vendas.call("begin")
            await until(lambda: vendas.instance.is_poisoned)
            with pytest.raises(ResourceLimitError, match="fuel"):
                await vendas.call("begin")

    run(main())


def test_a_cancelled_call_that_does_not_stop_is_ended_at_its_deadline(run):
    """Its caller has gone, so nobody else would end it."""
    methods = """
    async def probe(self):
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass
    """

    async def main():
        async with loading(methods, limits=ResourceLimits(max_call_ms=300, max_step_ms=2_000)) as vendas:
            task = asyncio.create_task(vendas.call("probe"))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: vendas.instance.is_poisoned)
            with pytest.raises(ResourceLimitError, match="call_time"):
                await vendas.call("probe")

    run(main())


def test_a_worker_that_is_too_large_is_killed(run, monkeypatch):
    async def main():
        async with loading(WAITS) as vendas:
            vendas.instance._memory_limit = 1
            with pytest.raises(ResourceLimitError) as caught:
                await vendas.call("probe")
            return caught.value

    monkeypatch.setattr(_instance, "_WATCH_S", 0.01)
    error = run(main())
    assert (error.resource, error.limit, error.unit) == ("memory", 1, "bytes of the worker")
    assert error.used > 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
@pytest.mark.parametrize(
    ("limit", "methods", "expected"),
    [
        pytest.param(resource.RLIMIT_AS, "def probe(self): return len('x' * 80_000_000)", "memory", id="memory"),
        pytest.param(resource.RLIMIT_CPU, "def probe(self):\n    while True: pass", "step_time", id="processor"),
    ],
)
def test_what_the_kernel_ends_is_a_limit_too(run, limit, methods, expected):
    """The kernel stands behind the engine: here the engine would allow what the kernel then does not."""
    roomy = ResourceLimits(max_fuel=10**12, max_step_ms=60_000, max_call_ms=60_000)

    async def main():
        async with loading(methods, limits=roomy) as vendas:
            _, hard = resource.prlimit(vendas.instance.pid, limit)
            bound = 1 if limit == resource.RLIMIT_CPU else 1 << 20
            resource.prlimit(vendas.instance.pid, limit, (bound, hard))
            with pytest.raises(ResourceLimitError) as caught:
                await vendas.call("probe")
            return caught.value.resource, vendas.instance.is_poisoned

    assert run(main()) == (expected, True)
