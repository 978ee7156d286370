"""Workers that lie: what one says is believed only where the rules allow it, and costs the host no more than its share.

Source: the threat that isolation is for, a module that has broken out of the restricted language inside its worker.
"""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plataforma_sdk.errors import PlataformaError, SandboxCrashedError
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.sandbox import ApiProxy, ResourceLimits
from plataforma_sdk.sandbox.restricted.process import ProcessEngine
from plataforma_sdk.sandbox.restricted.process._talk import Conversation
from plataforma_sdk.sandbox.restricted.process._wire import pack
from plataforma_sdk.workers import WorkerProcess

from .process_kit import Lying, is_alive, loading, make_context, make_package, until

pytestmark = pytest.mark.usefixtures("workers")

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
    assert refused >= 20
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
