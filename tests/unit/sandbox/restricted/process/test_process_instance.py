"""A module in a worker behaves as one in process: calls, errors, the host's functions, time, chance and meters."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from typing import Any

import pytest

from plataforma_sdk.errors import (
    CodecError,
    GuestError,
    HostCallError,
    ModuleError,
    ModuleLoadError,
    ModuleStateError,
    PermissionDeniedError,
    PolicyError,
    QuotaExceededError,
)
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.sandbox import ApiProxy, ResourceLimits
from plataforma_sdk.sandbox.restricted import RestrictedEngine
from plataforma_sdk.sandbox.restricted.process import ProcessEngine
from plataforma_sdk.types import FakeClock

from .process_kit import FakePackage, loading, make_context, make_package

pytestmark = pytest.mark.usefixtures("workers")


class Bridge:
    """A host whose functions are given; it records what was asked."""

    def __init__(self, **served: Any) -> None:
        self.served = {name.replace("_", ".", 1): function for name, function in served.items()}
        self.calls: list[tuple[str, list[Any]]] = []

    def call_now(self, method: str, args: list[Any]) -> Any:
        self.calls.append((method, args))
        return self.served.get(method, lambda *_: None)(*args)

    async def call(self, method: str, args: list[Any]) -> Any:
        self.calls.append((method, args))
        return await self.served[method](*args)


def test_values_and_keywords_cross(run):
    async def main():
        async with loading("def probe(self, *args, **kwargs): return [list(args), kwargs]") as vendas:
            return await vendas.call("probe", 1, [b"x"], name="é\n", deep={"a": 2**70})

    assert run(main()) == [[1, [b"x"]], {"name": "é\n", "deep": {"a": 2**70}}]


def test_a_fault_carries_its_traceback(run):
    async def main():
        async with loading("def probe(self): return 1 / 0") as vendas:
            with pytest.raises(GuestError) as caught:
                await vendas.call("probe")
            return caught.value

    error = run(main())
    assert (error.type_name, error.text, error.module) == ("ZeroDivisionError", "division by zero", "vendas")
    assert 'File "vendas.py"' in error.traceback[-1]


@pytest.mark.parametrize(
    ("package", "error"),
    [
        pytest.param(make_package(head="import os"), GuestError, id="import"),
        pytest.param(make_package("def probe(self): return self.__dict__.__subclasses__"), PolicyError, id="policy"),
        pytest.param(FakePackage({"vendas.py": "x ="}), ModuleLoadError, id="syntax"),
        pytest.param(FakePackage({"vendas.py": "x = 1"}), ModuleLoadError, id="no class"),
        pytest.param(FakePackage({"vendas.py": ""}, is_component=True), ModuleLoadError, id="component"),
    ],
)
def test_a_load_fails_as_it_does_in_process(run, package, error):
    async def message(engine):
        try:
            with pytest.raises(error) as caught:
                await engine.load(package, make_context())
        finally:
            await engine.close()
        return str(caught.value), getattr(caught.value, "faults", None)

    assert run(message(ProcessEngine())) == run(message(RestrictedEngine()))


def test_the_hosts_answers_and_refusals_arrive_by_their_type(run):
    def refuse(name):
        raise PermissionDeniedError(name, module="vendas")

    async def get(key):
        raise HostCallError("KeyError", key, module="vendas")

    methods = """
    async def probe(self):
        seen = []
        try:
            self.permissions.require("api.x")
        except PermissionDeniedError as error:
            seen.append(error.permission)
        try:
            await self.storage.get("k")
        except Exception as error:
            seen.append(str(error))
        return seen + [self.permissions.has("y")]
    """

    async def main():
        bridge = Bridge(permissions_require=refuse, permissions_has=lambda name: name == "y", storage_get=get)
        async with loading(methods, bridge=bridge) as vendas:
            return await vendas.call("probe"), bridge.calls

    asked = [("permissions.require", ["api.x"]), ("storage.get", ["k"]), ("permissions.has", ["y"])]
    assert run(main()) == (["api.x", "KeyError: k", True], asked)


def test_calls_interleave_while_the_host_is_awaited(run):
    methods = """
    async def slow(self):
        return await self.storage.get("slow")

    def quick(self):
        return "quick"
    """

    async def main():
        gate = asyncio.Event()

        async def get(key):
            await gate.wait()
            return key

        async with loading(methods, bridge=Bridge(storage_get=get)) as vendas:
            slow = [asyncio.create_task(vendas.call("slow")) for _ in range(3)]
            quick = [await vendas.call("quick") for _ in range(3)]
            gate.set()
            return quick, await asyncio.gather(*slow)

    assert run(main()) == (["quick"] * 3, ["slow"] * 3)


def test_a_call_that_arrives_while_the_worker_waits_for_an_answer_is_not_lost(run):
    """The answer and the next call may come in one read; nothing else would wake the worker's loop."""
    methods = """
    def ask(self):
        return [self.permissions.has("x") for _ in range(200)].count(True)

    def quick(self):
        return "quick"
    """

    async def main():
        async with loading(methods, bridge=Bridge(permissions_has=lambda _: True)) as vendas:
            calls = [vendas.call(name) for _ in range(20) for name in ("ask", "quick")]
            async with asyncio.timeout(10):
                return await asyncio.gather(*calls)

    assert run(main()) == [200, "quick"] * 20


def test_the_host_serves_in_the_context_of_the_caller(run):
    """Causation of events and the deadline of the call are context variables."""
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")
    served_as = []
    methods = """
    async def probe(self):
        self.permissions.has("x")
        return await self.storage.get("k")
    """

    async def get(_):
        return who.get()

    async def main():
        bridge = Bridge(permissions_has=lambda _: served_as.append(who.get()), storage_get=get)
        async with loading(methods, bridge=bridge) as vendas:

            async def call_as(name):
                who.set(name)
                return await vendas.call("probe")

            return await asyncio.gather(call_as("ana"), call_as("bia"))

    assert run(main()) == ["ana", "bia"]
    assert sorted(served_as) == ["ana", "bia"]


def test_a_cancelled_call_cancels_the_module_and_what_it_awaits(run):
    methods = """
    async def probe(self):
        try:
            await self.storage.get("k")
        finally:
            self.ended = True

    def seen(self):
        return self.ended
    """

    async def main():
        cancelled = asyncio.Event()

        async def get(_):
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        bridge = Bridge(storage_get=get)
        async with loading(methods, bridge=bridge) as vendas:
            task = asyncio.create_task(vendas.call("probe"))
            while not bridge.calls:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                await cancelled.wait()
            return await vendas.call("seen"), vendas.instance.is_poisoned

    assert run(main()) == (True, False)


def test_a_seed_repeats_a_run(run):
    methods = "def probe(self): return [random.random(), random.randint(1, 10**9)]"

    async def main(seed):
        async with loading(methods, head="import random", seed=seed) as vendas:
            return await vendas.call("probe")

    assert run(main(7)) == run(main(7)) != run(main(8))


def test_the_hosts_clock_is_read_where_it_is_not_the_machines(run):
    async def main():
        clock = FakeClock(1_000.0)
        async with loading(
            "def probe(self): return [time.time(), time.monotonic()]", head="import time", clock=clock
        ) as v:
            before = await v.call("probe")
            clock.advance(2.5)
            return before, await v.call("probe")

    assert run(main()) == ([1_000.0, 0.0], [1_002.5, 2.5])


def test_what_a_call_used_arrives_with_its_answer(run):
    async def main():
        methods = "def probe(self):\n    self.kept = list(range(50_000))\n    return sum(n for n in range(20_000))"
        async with loading(methods) as vendas:
            before = vendas.monitor.usage
            await vendas.call("probe")
            return before, vendas.monitor.usage

    before, after = run(main())
    assert after.fuel - before.fuel > 20_000
    assert after.cpu_ms > before.cpu_ms
    assert after.memory_bytes > before.memory_bytes


def test_fuel_is_counted_as_in_process(run):
    """The same engine on both sides: not one unit of difference."""

    async def main(engine):
        async with loading("def probe(self): return sum(n * n for n in range(5_000))", engine=engine) as vendas:
            await vendas.call("probe")
            return vendas.monitor.usage.fuel

    assert run(main(ProcessEngine())) == run(main(RestrictedEngine()))


@pytest.mark.parametrize("size", [30_000, 2_000_000], ids=["small", "larger than the frame"])
def test_what_is_too_large_is_refused_in_the_module(run, size):
    limits = ResourceLimits(max_payload_bytes=20_000, max_step_ms=2_000)
    methods = """
    async def probe(self, size):
        try:
            await self.storage.set("k", "x" * size)
        except QuotaExceededError as error:
            return error.resource
    """

    async def main():
        head = "from plataforma_sdk import QuotaExceededError"
        context = make_context(limits=limits)
        permissions = PermissionManager(["system.storage"], module="vendas", declared=["system.storage"])
        proxy = ApiProxy("vendas", permissions, context.monitor, {"storage.set": lambda *_: None})
        async with loading(methods, head=head, bridge=proxy, limits=limits) as vendas:
            return await vendas.call("probe", size)

    assert run(main()) == "payload"


def test_arguments_and_results_that_are_too_large_are_refused(run):
    limits = ResourceLimits(max_payload_bytes=20_000, max_step_ms=2_000)

    async def main():
        async with loading("def probe(self, text): return text * 3", limits=limits) as vendas:
            with pytest.raises(QuotaExceededError):
                await vendas.call("probe", "x" * 30_000)
            with pytest.raises(QuotaExceededError):
                await vendas.call("probe", "x" * 15_000)
            return await vendas.call("probe", "x" * 5_000)

    assert run(main()) == "x" * 15_000


def test_large_values_cross_in_both_directions(run):
    async def main():
        async with loading("def probe(self, text): return text + 'é'") as vendas:
            return await vendas.call("probe", "é" * 1_000_000)

    assert run(main()) == "é" * 1_000_001


@pytest.mark.parametrize("name", ["nothing", "_private", "two words", "x\ny", "render.x", ""])
def test_only_public_names_are_called(run, name):
    async def main():
        async with loading("def _private(self): return 1") as vendas:
            with pytest.raises(ModuleError, match="no public method"):
                await vendas.call(name)

    run(main())


def test_what_is_no_plain_data_does_not_cross(run):
    async def main():
        async with loading("def probe(self, value=None): return print") as vendas:
            with pytest.raises(CodecError):
                await vendas.call("probe", object())

    run(main())


def test_a_closed_instance_says_so(run):
    async def main():
        async with loading("async def probe(self): await asyncio.Event().wait()") as vendas:
            task = asyncio.create_task(vendas.call("probe"))
            await asyncio.sleep(0.01)
            await vendas.instance.close()
            await vendas.instance.close()
            with pytest.raises(ModuleStateError, match="closed"):
                await task
            with pytest.raises(ModuleStateError, match="closed"):
                await vendas.call("probe")
            return vendas.instance.is_poisoned

    assert run(main()) is False


def test_a_cancelled_call_does_not_keep_the_instance(run):
    async def main():
        engine = ProcessEngine()
        package = make_package("async def probe(self): await asyncio.Event().wait()")
        instance = await engine.load(package, make_context())
        task = asyncio.create_task(instance.call("probe"))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        await instance.close()
        kept = weakref.ref(instance)
        del instance, task
        gc.collect()
        try:
            return kept()
        finally:
            await engine.close()

    assert run(main()) is None
