"""The `trusted` engine: plain CPython with the manners of the other tiers."""

from __future__ import annotations

import asyncio
import gc
import linecache
import sys
import weakref

import attrs
import pytest

from plataforma_sdk.errors import (
    CodecError,
    GuestError,
    ModuleError,
    ModuleLoadError,
    ModuleStateError,
    PermissionDeniedError,
    ResourceLimitError,
)
from plataforma_sdk.module import FakeBridge
from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox._protocols import Engine, Instance
from plataforma_sdk.sandbox.trusted import TrustedEngine

HEAD = "import asyncio\nfrom plataforma_sdk import ModuleFramework, ui\n"
MODULE = (
    HEAD
    + """
class Vendas(ModuleFramework):
    async def on_load(self):
        self.steps = []
    def render(self):
        return ui.text("vendas")
    def echo(self, value):
        return value
    def rows(self):
        return self.steps
    def fail(self):
        return 1 // 0
    def deny(self):
        self.permissions.require("system.storage")
    def recurse(self):
        return self.recurse()
    async def wait(self):
        self.steps.append("waits")
        try:
            await asyncio.Event().wait()
        finally:
            self.steps.append("ended")
    async def times_out(self):
        raise TimeoutError("its own")
    async def cancels(self):
        raise asyncio.CancelledError
    def begin(self):
        self.task = asyncio.create_task(self.wait())
    def leaves(self):
        raise SystemExit(3)
    def says(self):
        print("a", 1, sep="-")
        print("two", "words", end="!")
"""
)


@attrs.frozen
class FakePackage:
    """What an engine reads of a package."""

    sources: dict
    entry_file: str = "vendas.py"
    entry_class: str | None = None
    is_component: bool = False
    id: str = "vendas"


def loaded(run, steps, *, sources=None, bridge=None, limits=None, **package):
    bridge = bridge or FakeBridge(module_id="vendas")

    async def main():
        context = EngineContext(
            module_id="vendas",
            version="1.0.0",
            bridge=bridge,
            limits=limits or ResourceLimits(),
            monitor=ResourceMonitor(module="vendas"),
        )
        instance = await TrustedEngine().load(FakePackage(sources or {"vendas.py": MODULE}, **package), context)
        try:
            await instance.call("@load")
            return await steps(instance)
        finally:
            await instance.close()

    return run(main())


def test_it_keeps_the_protocols(run):
    async def steps(instance):
        return isinstance(TrustedEngine(), Engine), isinstance(instance, Instance), instance.is_poisoned

    assert loaded(run, steps) == (True, True, False)


def test_values_are_copied_both_ways(run):
    async def steps(instance):
        (await instance.call("rows")).append("host")
        return await instance.call("rows"), await instance.call("echo", (1, [2]))

    assert loaded(run, steps) == ([], [1, [2]])


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), {1: 2}])
def test_what_does_not_cross_is_refused(run, value):
    async def steps(instance):
        await instance.call("echo", value)

    with pytest.raises(CodecError):
        loaded(run, steps)


def test_a_fault_shows_the_modules_own_lines_only(run):
    async def steps(instance):
        await instance.call("fail")

    with pytest.raises(GuestError) as caught:
        loaded(run, steps)
    text = "".join(caught.value.traceback)
    assert (caught.value.type_name, caught.value.module) == ("ZeroDivisionError", "vendas")
    assert 'File "vendas.py"' in text
    assert "return 1 // 0" in text
    assert "plataforma_sdk" not in text


def test_an_error_of_the_platform_is_itself(run):
    async def steps(instance):
        await instance.call("deny")

    with pytest.raises(PermissionDeniedError) as caught:
        loaded(run, steps)
    assert caught.value.permission == "system.storage"


def test_an_unknown_method_is_not_the_modules_fault(run):
    async def steps(instance):
        await instance.call("nothing")

    with pytest.raises(ModuleError, match="no public method"):
        loaded(run, steps)


def test_endless_recursion_is_a_limit(run):
    async def steps(instance):
        with pytest.raises(ResourceLimitError) as caught:
            await instance.call("recurse")
        return caught.value.resource, await instance.call("echo", 1)

    assert loaded(run, steps) == ("stack", 1)


def test_a_call_has_a_deadline_that_counts_waiting(run):
    async def steps(instance):
        with pytest.raises(ResourceLimitError) as caught:
            await instance.call("wait")
        return caught.value.resource, caught.value.limit, await instance.call("rows")

    assert loaded(run, steps, limits=ResourceLimits(max_call_ms=30)) == ("call_time", 30, ["waits", "ended"])


def test_a_timeout_of_the_modules_own_is_its_fault(run):
    async def steps(instance):
        await instance.call("times_out")

    with pytest.raises(GuestError, match="its own"):
        loaded(run, steps)


def test_a_module_does_not_cancel_its_caller(run):
    async def steps(instance):
        with pytest.raises(GuestError) as caught:
            await instance.call("cancels")
        return caught.value.type_name, asyncio.current_task().cancelling()

    assert loaded(run, steps) == ("CancelledError", 0)


def test_cancelling_the_caller_cancels_the_module(run):
    async def steps(instance):
        call = asyncio.create_task(instance.call("wait"))
        while not await instance.call("rows"):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await instance.call("rows")

    assert loaded(run, steps) == ["waits", "ended"]


def test_closing_ends_calls_with_an_error_and_not_with_cancellation(run):
    async def steps(instance):
        calls = [asyncio.create_task(instance.call("wait")) for _ in range(2)]
        await asyncio.sleep(0)
        await instance.close()
        await instance.close()
        return [type(result).__name__ for result in await asyncio.gather(*calls, return_exceptions=True)]

    assert loaded(run, steps) == ["ModuleStateError", "ModuleStateError"]


def test_a_closed_instance_refuses(run):
    async def steps(instance):
        await instance.close()
        await instance.call("rows")

    with pytest.raises(ModuleStateError, match="closed"):
        loaded(run, steps)


def test_closing_ends_the_modules_own_tasks(run):
    async def steps(instance):
        await instance.call("begin")
        await asyncio.sleep(0)
        await instance.close()
        await asyncio.sleep(0.01)
        return len(asyncio.all_tasks())

    assert loaded(run, steps) == 1


def test_closing_forgets_the_package(run):
    modules, lines = set(sys.modules), set(linecache.cache)

    async def steps(instance):
        return len(set(sys.modules) - modules)

    assert loaded(run, steps) > 0
    assert {name for name in set(sys.modules) - modules if "plataforma_module" in name} == set()
    assert {name for name in set(linecache.cache) - lines if "<vendas>" in name} == set()
    assert not any("PackageImporter" in type(finder).__name__ for finder in sys.meta_path)


def test_a_closed_instance_is_collected(run):
    async def steps(instance):
        return weakref.ref(instance)

    reference = loaded(run, steps)
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("def broken(:\n", ModuleLoadError, r"vendas\.py, line 1"),
        ("x = 1 // 0\n", GuestError, "ZeroDivisionError"),
        ("import nowhere_at_all\n", GuestError, "nowhere_at_all"),
        ("x = 1\n", ModuleLoadError, "0 ModuleFramework"),
    ],
)
def test_a_load_that_fails_says_why_and_leaves_nothing(run, source, error, text):
    modules, finders = set(sys.modules), len(sys.meta_path)
    with pytest.raises(error, match=text):
        loaded(run, None, sources={"vendas.py": source})
    assert (set(sys.modules) - modules, len(sys.meta_path)) == (set(), finders)


def test_a_component_is_sent_to_its_tier(run):
    with pytest.raises(ModuleLoadError, match="engine='wasm'"):
        loaded(run, None, is_component=True)


def test_relative_imports_stay_inside_the_package(run):
    sources = {
        "vendas.py": MODULE + "    def tax(self):\n        return RATE\n".replace("RATE", "rate()"),
        "money/__init__.py": "from .rates import rate\n",
        "money/rates.py": "from .. import money\n\ndef rate():\n    return money.__name__.split('.')[-1]\n",
    }
    sources["vendas.py"] = "from .money import rate\n" + sources["vendas.py"]

    async def steps(instance):
        return await instance.call("tax")

    assert loaded(run, steps, sources=sources) == "money"


def test_a_module_sees_its_own_copy_of_the_configuration():
    config = {"rows": [1]}

    async def main():
        context = EngineContext(
            module_id="vendas",
            version="1.0.0",
            bridge=FakeBridge(),
            monitor=ResourceMonitor(),
            config=config,
        )
        source = MODULE + "    def change(self):\n        self.config['rows'].append(2)\n"
        instance = await TrustedEngine().load(FakePackage({"vendas.py": source}), context)
        await instance.call("change")
        await instance.close()

    asyncio.run(main())
    assert config == {"rows": [1]}


def test_print_goes_to_the_log(run):
    bridge = FakeBridge(module_id="vendas")

    async def steps(instance):
        await instance.call("says")

    loaded(run, steps, bridge=bridge)
    logged = [args[:2] for method, args in bridge.calls if method == "log"]
    assert logged == [["info", "a-1"], ["info", "two words!"]]


def test_processor_time_is_counted(run):
    async def steps(instance):
        await instance.call("echo", 1)
        return instance._context.monitor.usage.cpu_ms

    assert loaded(run, steps) > 0
