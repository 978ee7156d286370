"""Whatever breaks a limit or a rule is killed, and the caller learns why by the type of the error."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plataforma_sdk import ModulePackage, ModuleSandbox
from plataforma_sdk.errors import PlataformaError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.sandbox import ApiProxy, ResourceLimits
from plataforma_sdk.sandbox.restricted.process import ProcessEngine, _instance
from plataforma_sdk.sandbox.restricted.process._spawn import WorkerProcess
from plataforma_sdk.sandbox.restricted.process._talk import Conversation
from plataforma_sdk.sandbox.restricted.process._wire import pack

from .process_kit import Lying, is_alive, loading, make_context, make_package, until

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


# --- workers that lie ------------------------------------------------------------------------------------------------

LIES = {
    "no frame": "wire.sendall(b'\\xff' * 64)",
    "an empty frame": "wire.sendall(b'\\0\\0\\0\\0')",
    "a frame that is too long": "frame(b'R1'); wire.sendall(struct.pack('<I', 1 << 30))",
    "another protocol": "frame(b'R9')",
    "ready twice": "frame(b'R1'); frame(b'R1')",
    "an answer to a call that nobody made": "frame(b'R1'); frame(b'r7 0 0 0\\nnull')",
    "a value that is none": "frame(b'R1'); wire.recv(9); frame(b'r0 0 0 0\\n[NaN]')",
    "a value too deep": "frame(b'R1'); wire.recv(9); frame(b'r0 0 0 0\\n' + b'[' * 90 + b']' * 90)",
    "an error that is none": "frame(b'R1'); wire.recv(9); frame(b'e0 0 0 0\\n7')",
    "arguments that are no list": "frame(b'R1'); frame(b'i0 permissions.has\\n7')",
    "a request twice": "frame(b'R1'); frame(b'h1 0 storage.get\\n[1]'); frame(b'h1 0 storage.get\\n[1]')",
    "a clock it has itself": "frame(b'R1'); frame(b'tn')",
}


class Never:
    """A host that does not answer what it is awaited for."""

    def call_now(self, method, args):
        return None

    async def call(self, method, args):
        await asyncio.Event().wait()


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_worker_that_breaks_the_rules_is_killed(run, lie):
    async def main():
        pool = Lying(f"{lie}\ntime.sleep(60)")
        engine = ProcessEngine(pool)
        try:
            with pytest.raises(SandboxCrashedError, match="broke the rules") as caught:
                await engine.load(make_package(), make_context(Never()))
        finally:
            await engine.close()
        return caught.value.module, is_alive(pool.workers[0].pid)

    assert run(main()) == ("vendas", False)


ENDS = {
    "at once": ("os._exit(3)", "status 3"),
    "before it has loaded": ("frame(b'R1'); wire.recv(9); os._exit(0)", "status 0"),
    "by closing its socket": ("wire.close(); time.sleep(60)", "SIGKILL"),
}


@pytest.mark.parametrize(("code", "said"), ENDS.values(), ids=ENDS)
def test_a_worker_that_ends_by_itself_has_crashed(run, code, said):
    async def main():
        pool = Lying(code)
        engine = ProcessEngine(pool)
        try:
            with pytest.raises(SandboxCrashedError, match=said):
                await engine.load(make_package(), make_context())
        finally:
            await engine.close()
        return is_alive(pool.workers[0].pid)

    assert run(main()) is False


LOADS = "frame(b'R1'); wire.recv(1 << 20); frame(b'r0 0 0 0\\nnull')\n"


def test_the_bridge_decides_whatever_a_worker_asks(run):
    """A worker that was taken over may ask for anything; it gets what its module may have."""
    code = LOADS + "frame(b'h1 0 storage.get\\n[\"k\"]'); frame(b'i0 permissions.require\\n[\"x\"]')\n"
    code += "got = b''\nwhile got.count(b'PermissionDenied') < 2: got += wire.recv(1 << 16)\n"
    code += "frame(b'r1 0 0 0\\n[\"refused\"]')\n"

    async def main():
        async def get(key):
            return "secret"

        permissions = PermissionManager([], module="vendas", declared=["x"])
        context = make_context()
        services = {"storage.get": get, "permissions.require": permissions.require}
        proxy = ApiProxy("vendas", permissions, context.monitor, services)
        async with loading(bridge=proxy, engine=ProcessEngine(Lying(code))) as vendas:
            return await vendas.call("probe")

    assert run(main()) == ["refused"]


def test_a_worker_that_does_not_read_is_not_read_either(run):
    """Its answers would pile up in the host; so the host stops where more than 1 MiB waits to be read."""
    code = LOADS + "for number in range(1, 400): frame(b'h%d 0 storage.get\\n[\"k\"]' % number)\ntime.sleep(60)"

    async def main():
        served = []

        async def get(_):
            served.append(1)
            return "x" * 100_000

        class Bridge:
            async def call(self, method, args):
                return await get(args)

        async with loading(bridge=Bridge(), engine=ProcessEngine(Lying(code))) as vendas:
            await until(lambda: len(served) > 3)
            await asyncio.sleep(0.2)
            return len(served), len(vendas.instance._talk._channel._out)

    served, waiting = run(main())
    assert served < 60
    assert waiting < 6 << 20


def test_a_worker_that_talks_without_end_leaves_the_loop_its_turns(run):
    code = (
        LOADS + "wire.setblocking(True)\nflood = struct.pack('<I', 3) + b'd77'\nwhile True: wire.sendall(flood * 5_000)"
    )

    async def main():
        gaps = []
        async with loading(engine=ProcessEngine(Lying(code))) as vendas:
            loop = asyncio.get_running_loop()
            for _ in range(100):
                began = loop.time()
                await asyncio.sleep(0.001)
                gaps.append(loop.time() - began)
            return sorted(gaps)[50], vendas.instance.is_poisoned

    median, is_poisoned = run(main())
    assert median < 0.05
    assert is_poisoned is False


def test_a_module_that_goes_on_after_a_refusal_is_slowed_down(run):
    """Each refused immediate call holds its worker up, so that asking without end does not keep the host busy."""
    methods = """
    def probe(self, times):
        refused = 0
        for _ in range(times):
            try:
                self.permissions.has("x")
            except QuotaExceededError:
                refused += 1
        return refused
    """
    limits = ResourceLimits(max_host_calls_per_s=10, max_step_ms=5_000)

    async def main():
        context = make_context(limits=limits)
        permissions = PermissionManager([], module="vendas", declared=["x"])
        proxy = ApiProxy("vendas", permissions, context.monitor, {"permissions.has": permissions.has})
        head = "from plataforma_sdk import QuotaExceededError"
        async with loading(methods, head=head, bridge=proxy, limits=limits) as vendas:
            began = asyncio.get_running_loop().time()
            refused = await vendas.call("probe", 60)
            return refused, asyncio.get_running_loop().time() - began

    refused, took_s = run(main())
    assert refused >= 40
    assert took_s > (refused - 1) * 0.004


class FakeWorker(WorkerProcess):
    """A process that is none."""

    def __init__(self, sock):
        self.socket = sock
        self.kills = 0

    pid = 0
    is_running = False

    class process:
        returncode = 0

    def kill(self):
        self.kills += 1


frames = st.one_of(
    st.binary(max_size=60),
    st.tuples(
        st.sampled_from([b"R1", b"r0 0 0 0\n", b"r1 0 0 0\n", b"e1 0 0 0\n", b"p0 0 0 0\n", b"i0 permissions.has\n"])
        | st.sampled_from([b"h1 0 storage.get\n", b"h2 9 log\n", b"d1", b"tn", b"tm"]),
        st.sampled_from(
            [b"", b"null", b"[]", b'["a"]', b"{}", b'{"message":"x"}', b'{"code":"GuestError","message":"x"}', b"["]
        )
        | st.binary(max_size=12),
    ).map(b"".join),
).map(lambda body: pack(body) if body else b"\0\0\0\0")


@settings(max_examples=150)
@given(st.lists(frames | st.binary(max_size=20), max_size=12))
def test_no_stream_of_bytes_confuses_the_host(stream):
    """Fuzzed: the host goes on, or kills the worker; it never fails by itself, and calls never hang."""

    async def main():
        failures = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        worker = FakeWorker(ours)
        talk = Conversation(make_context(), worker)
        load = asyncio.create_task(talk.load(b"{}"))
        with theirs:
            theirs.sendall(b"".join(stream))
            for _ in range(12):
                await asyncio.sleep(0)
        async with asyncio.timeout(5):
            try:
                await load
            except PlataformaError:
                pass
            else:
                with pytest.raises(PlataformaError):
                    await talk.call("probe", "[]", "").future
            await until(lambda: talk.ended is not None)
            await talk.wait_closed(1)
        return failures, worker.kills > 0

    assert asyncio.run(main()) == ([], True)
