"""A sandbox with a meter running, and a module with a host in memory: what the tests of this room are made of."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from plataforma_sdk.module import FakeBridge
from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.restricted import RestrictedEngine, RestrictedInstance
from plataforma_sdk.sandbox.restricted._fuel import Account
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES

FUEL = 1_000_000


class Runner:
    """Runs restricted code on a metered step."""

    def __init__(self, memory: int = 64 << 20, **settings: Any) -> None:
        self.sandbox = Sandbox(memory, libraries=LIBRARIES, **settings)
        self.meter = self.sandbox.meter

    def run(self, source: str, *, fuel: int = FUEL, **names: Any) -> dict[str, Any]:
        outer = self.meter.enter(Account(fuel, fuel))
        try:
            return self.sandbox.run_source(textwrap.dedent(source), "m.py", names)
        finally:
            self.meter.leave(outer)

    def value(self, expression: str, **names: Any) -> Any:
        return self.run(f"result = {expression}", **names)["result"]


@attrs.define
class FakePackage:
    """What an engine reads of a package."""

    sources: Mapping[str, str]
    id: str = "vendas"
    entry_file: str = "vendas.py"
    entry_class: str | None = None
    is_component: bool = False


HEAD = "import asyncio\nfrom plataforma_sdk import ModuleFramework, PermissionDeniedError, QuotaExceededError, ui\n"
DEFAULTS = "    async def on_load(self):\n        pass\n    def render(self):\n        return ui.text('x')\n"


@attrs.define
class Loaded:
    """A module, its host, and how to call it."""

    instance: RestrictedInstance
    bridge: FakeBridge
    monitor: ResourceMonitor

    def call(self, function: str, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        return self.instance.call(function, *args, **kwargs)


def make_loader() -> Callable[..., Awaitable[Loaded]]:
    """Load a module made of methods: ``await load("def probe(self): return 1")``."""
    engine = RestrictedEngine()

    async def load_(
        methods: str = "",
        *,
        head: str = "",
        permissions: tuple[str, ...] = (),
        limits: ResourceLimits | None = None,
        source: str | None = None,
        files: Mapping[str, str] | None = None,
        bridge: Any = None,
        **settings: Any,
    ) -> Loaded:
        limits = limits or ResourceLimits()
        bridge = bridge or FakeBridge(permissions, module_id="vendas", api={"/vendas/a": [1, 2]})
        body = textwrap.indent(textwrap.dedent(methods), "    ")
        text = source or f"{HEAD}{textwrap.dedent(head)}\nclass Vendas(ModuleFramework):\n{DEFAULTS}{body}\n"
        monitor = ResourceMonitor(limits, module="vendas")
        context = EngineContext(
            module_id="vendas", version="1.0.0", bridge=bridge, limits=limits, monitor=monitor, **settings
        )
        instance = await engine.load(FakePackage({"vendas.py": text, **(files or {})}), context)
        return Loaded(instance, bridge, monitor)

    return load_
