"""A module end to end under the restricted engine."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import (
    CodecError,
    GuestError,
    ModuleError,
    ModuleLoadError,
    ModuleStateError,
    PermissionDeniedError,
    PolicyError,
    QuotaExceededError,
    ResourceLimitError,
    SandboxError,
)
from plataforma_sdk.module import FakeBridge
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.restricted import _engine

WILD = {
    "spin": ("while True:\n    pass", {"step_time", "fuel"}),
    "spin caught": ("while True:\n    try:\n        while True:\n            pass\n    except Exception:\n        pass", {"step_time", "fuel"}),
    "allocate": ("rows = []\nwhile True:\n    rows.append([0] * 100_000)", {"memory"}),
    "recurse": ("def f():\n    try:\n        return f()\n    except Exception:\n        return f()\nf()", {"stack"}),
    "spin after a wait": ("await asyncio.sleep(0)\nwhile True:\n    pass", {"step_time", "fuel"}),
    "spin in a task": ("async def f():\n    while True:\n        pass\nawait asyncio.gather(f(), asyncio.sleep(1))", {"step_time", "fuel"}),
    "wait": ("await asyncio.Event().wait()", {"call_time"}),
}  # fmt: skip


def probe(body: str) -> str:
    import textwrap

    return f"async def probe(self):\n{textwrap.indent(body, '    ')}\ndef fine(self):\n    return 'fine'"


@pytest.mark.parametrize(("body", "resources"), WILD.values(), ids=WILD.keys())
def test_a_module_that_runs_wild_is_ended_and_others_go_on(run, load, body, resources):
    async def main():
        call_ms = 300 if resources == {"call_time"} else 15_000
        limits = ResourceLimits(max_call_ms=call_ms, max_memory_bytes=48 << 20)  # filled within the 50 ms of a step
        wild = await load(probe(body), limits=limits)
        other = await load(probe("pass"))
        with pytest.raises(ResourceLimitError) as caught:
            await wild.call("probe")
        assert caught.value.resource in resources
        assert caught.value.module == "vendas"
        assert wild.instance.is_poisoned
        with pytest.raises(ResourceLimitError):
            await wild.call("fine")
        assert await other.call("fine") == "fine"
        await wild.instance.close()

    run(main())


def test_fuel_is_counted_for_each_call(run, load):
    async def main():
        loaded = await load(
            "def probe(self, n):\n    for i in range(n):\n        pass", limits=ResourceLimits(max_fuel=10_000)
        )
        for _ in range(5):
            await loaded.call("probe", 5_000)
        with pytest.raises(ResourceLimitError) as caught:
            await loaded.call("probe", 20_000)
        assert (caught.value.resource, caught.value.limit) == ("fuel", 10_000)
        assert loaded.monitor.usage.fuel > 25_000

    run(main())


def test_waiting_burns_nothing(run, load):
    async def main():
        body = "for i in range(5):\n    await asyncio.sleep(0.03)"
        loaded = await load(probe(body), limits=ResourceLimits(max_step_ms=20, max_fuel=200))
        await loaded.call("probe")
        assert loaded.monitor.usage.fuel < 200

    run(main())


def test_the_time_of_the_host_is_not_the_modules(run, load):
    class SlowBridge(FakeBridge):
        async def call(self, method, args):
            for _ in range(2_000_000):
                pass
            return await super().call(method, args)

    async def main():
        bridge = SlowBridge(["system.storage"])
        loaded = await load(probe("await self.storage.get('k')"), bridge=bridge, limits=ResourceLimits(max_step_ms=10))
        await loaded.call("probe")

    run(main())


def test_a_host_that_answers_at_once_does_not_starve_the_loop(run, load):
    async def main():
        turns = []
        loaded = await load(
            probe("for i in range(200):\n    await self.storage.get('k')"), permissions=("system.storage",)
        )
        task = asyncio.create_task(loaded.call("probe"))
        while not task.done():
            await asyncio.sleep(0)
            turns.append(1)
        await task
        assert len(turns) > 10

    run(main())


def test_a_share_of_a_processor_delays(run, load):
    async def main():
        body = "for i in range(40):\n    for j in range(20_000):\n        pass\n    await asyncio.sleep(0)"
        loaded = await load(probe(body), limits=ResourceLimits(max_cpu_ms_per_s=200))
        loop = asyncio.get_running_loop()
        began = loop.time()
        await loaded.call("probe")
        assert loop.time() - began > loaded.monitor.usage.cpu_ms / 1_000

    run(main())


def test_an_error_keeps_nothing_of_the_module(run, load):
    async def main():
        loaded = await load("def probe(self):\n    raise ValueError(self)")
        with pytest.raises(GuestError) as caught:
            await loaded.call("probe")
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None

    run(main())


def test_a_soft_quota_is_caught_in_the_module(run, load):
    class Metered(FakeBridge):
        def call_now(self, method, args):
            raise QuotaExceededError("output", used=2, limit=1, unit="bytes", module="vendas")

    async def main():
        body = "try:\n    print('x')\nexcept QuotaExceededError as error:\n    return [error.resource, error.limit, error.unit]"
        loaded = await load(probe(body), bridge=Metered())
        assert await loaded.call("probe") == ["output", 1, "bytes"]
        assert not loaded.instance.is_poisoned

    run(main())


def test_a_denial_is_caught_in_the_module_or_arrives_as_itself(run, load):
    async def main():
        loaded = await load(
            """
            async def caught(self):
                try:
                    await self.storage.get("k")
                except PermissionDeniedError as error:
                    return error.permission
            async def let_through(self):
                await self.storage.get("k")
            """
        )
        assert await loaded.call("caught") == "system.storage"
        with pytest.raises(PermissionDeniedError) as denied:
            await loaded.call("let_through")
        assert denied.value.permission == "system.storage"

    run(main())


def test_a_fault_shows_the_modules_own_frames(run, load):
    async def main():
        loaded = await load("def probe(self):\n    return self._inner(0)\ndef _inner(self, n):\n    return 1 / n")
        with pytest.raises(GuestError) as caught:
            await loaded.call("probe")
        text = "".join(caught.value.traceback)
        assert caught.value.type_name == "ZeroDivisionError"
        assert ", in probe" in text
        assert ", in _inner\n    return 1 / n" in text
        assert "plataforma_sdk" not in text

    run(main())


def test_a_message_without_end_is_left_out(run, load):
    async def main():
        loaded = await load(
            "def probe(self):\n    raise E()",
            head="class E(Exception):\n    def __str__(self):\n        while True:\n            pass",
        )
        with pytest.raises((GuestError, ResourceLimitError)):
            await loaded.call("probe")

    run(main())


def test_values_are_copied_both_ways(run, load):
    async def main():
        loaded = await load("def keep(self, x):\n    self.x = x\n    return self.x\ndef read(self):\n    return self.x")
        given = {"a": [1, (2,)]}
        returned = await loaded.call("keep", given)
        given["a"].append(9)
        returned["a"].append(8)
        assert await loaded.call("read") == {"a": [1, [2]]}

    run(main())


def test_what_cannot_cross_is_refused(run, load):
    async def main():
        loaded = await load("def probe(self):\n    return self")
        with pytest.raises(CodecError, match="does not cross"):
            await loaded.call("probe")

    run(main())


def test_events_timers_and_windows_reach_their_handlers(run, load):
    async def main():
        loaded = await load(
            """
            async def on_load(self):
                self.n = 0
                self.subscribe("data.x", self.on_x)
                self.every(5, self._tick)
                self.create_window(title="One", view=self.other)
            def on_x(self, event):
                self.n += event.data["n"]
                return [event.topic, self.n]
            def _tick(self):
                self.n += 100
            def other(self):
                return ui.column(ui.text(str(self.n)), ui.button("go", on_press=ui.action(self._press, 7)))
            def _press(self, n):
                self.n = n
            def read(self):
                return self.n
            """,
            permissions=("events.subscribe", "window.create"),
        )
        await loaded.call("@load")
        event = {"topic": "data.x", "data": {"n": 2}, "source": None, "id": 1, "causes": []}
        assert await loaded.call("@event", 1, event, True) == ["data.x", 2]
        await loaded.call("@timer", 2)
        tree = await loaded.call("@render", "main")
        assert tree["children"][0]["props"]["value"] == "102"
        assert tree["children"][1]["props"]["on_press"] == {"handler": "_press", "arguments": [7]}

    run(main())


def test_state_is_the_public_plain_attributes(run, load):
    async def main():
        loaded = await load("async def on_load(self):\n    self.a = [1]\n    self._b = 2\n    self.c = self.on_load")
        await loaded.call("@load")
        assert await loaded.call("@state") == {"a": [1]}

    run(main())


def test_private_and_framework_methods_are_not_public(run, load):
    async def main():
        loaded = await load("def _hidden(self):\n    pass")
        for name in ("_hidden", "p0_hidden", "on_load", "emit", "__init__"):
            with pytest.raises(ModuleError, match="no public method"):
                await loaded.call(name)

    run(main())


def test_files_of_the_package_import_each_other(run, load):
    async def main():
        source = (
            "from plataforma_sdk import ModuleFramework, ui\nfrom .parts import util\nfrom .parts.util import total, _secret\n"
            "class Vendas(ModuleFramework):\n    async def on_load(self):\n        pass\n    def render(self):\n"
            "        return ui.text('x')\n    def probe(self):\n        return [total([1, 2]), _secret(), util.NAME]\n"
        )
        util = "from ..base import N\nNAME = 'util'\ndef total(xs):\n    return sum(xs) + N\ndef _secret():\n    return 7\n"
        loaded = await load(source=source, files={"parts/util.py": util, "base.py": "N = 10"})
        assert await loaded.call("probe") == [13, 7, "util"]

    run(main())


def test_background_tasks_end_with_the_instance(run, load):
    async def main():
        loaded = await load(
            "async def probe(self):\n    self.task = asyncio.create_task(self.work())\nasync def work(self):\n    await asyncio.sleep(100)"
        )
        await loaded.call("probe")
        await loaded.instance.close()
        assert len(asyncio.all_tasks()) == 1

    run(main())


def test_a_background_task_that_runs_wild_poisons_its_instance(run, load):
    async def main():
        loaded = await load(
            "async def probe(self):\n    self.task = asyncio.create_task(self.work())\nasync def work(self):\n    while True:\n        pass"
        )
        await loaded.call("probe")
        await asyncio.sleep(0.2)
        assert loaded.instance.is_poisoned

    run(main())


def test_cancelling_a_call_runs_the_modules_cleanup(run, load):
    async def main():
        loaded = await load(
            """
            async def wait(self):
                self.steps = ["waits"]
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.steps.append("cancelled")
                    raise
            def read(self):
                return self.steps
            """
        )
        task = asyncio.create_task(loaded.call("wait"))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await loaded.call("read") == ["waits", "cancelled"]

    run(main())


def test_a_closed_instance_refuses_calls(run, load):
    async def main():
        loaded = await load(probe("pass"))
        await loaded.instance.close()
        await loaded.instance.close()
        with pytest.raises(ModuleStateError, match="closed"):
            await loaded.call("fine")

    run(main())


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = 1", ModuleLoadError),
        ("x = ().__subclasses__()", PolicyError),
        ("x = 1 / 0", GuestError),
        ("while True:\n    pass", ResourceLimitError),
        ("from plataforma_sdk import ModuleFramework\nclass A(ModuleFramework):\n    pass", GuestError),
    ],
    ids=["no entry", "policy", "fault", "endless", "abstract"],
)
def test_what_cannot_be_loaded_says_so(run, load, source, error):
    with pytest.raises(error):
        run(load(source=source))


def test_a_python_that_is_not_attested_is_refused(run, load, monkeypatch):
    monkeypatch.setattr(_engine, "ATTESTED", ((3, 9),))

    with pytest.raises(SandboxError, match=r"attested on Python 3\.9"):
        run(load("pass"))
