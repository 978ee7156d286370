"""A wasm engine and a small host for it; the first test of a machine builds and compiles the runner."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs
import pytest

from plataforma_sdk.errors import PermissionDeniedError
from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.wasm import WasmEngine, WasmInstance
from plataforma_sdk.sandbox.wasm._errands import ErrandHost

FIRST_USE_TIMEOUT_S = 180

HEAD = """
import asyncio
from plataforma_sdk import ModuleFramework, ui
from plataforma_sdk.errors import HostCallError, PermissionDeniedError, QuotaExceededError

class Probe(ModuleFramework):
    async def on_load(self):
        self.count = 0

    def render(self):
        return ui.text("probe")

    def add(self, n=1):
        self.count += n
        return self.count
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(FIRST_USE_TIMEOUT_S))


@attrs.frozen
class FakePackage:
    """What the engine reads of a package."""

    sources: Mapping[str, str]
    entry_file: str = "probe.py"
    entry_class: str | None = None
    id: str = "probe"
    version: str = "1.0.0"
    is_component: bool = False
    wheels: Mapping[str, bytes] = attrs.field(factory=dict)


class FakeBridge:
    """Answers from a table; records what was asked."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict(answers or {})
        self.calls: list[tuple[str, list[Any]]] = []
        self.cancelled: list[str] = []

    def call_now(self, method: str, args: list[Any]) -> Any:
        self.calls.append((method, args))
        return self._answer(method, args)

    async def call(self, method: str, args: list[Any]) -> Any:
        self.calls.append((method, args))
        try:
            result = self._answer(method, args)
            return await result if asyncio.iscoroutine(result) else result
        except asyncio.CancelledError:
            self.cancelled.append(method)
            raise

    def _answer(self, method: str, args: list[Any]) -> Any:
        if method == "permissions.require":
            raise PermissionDeniedError(args[0], module="probe")
        answer = self.answers.get(method)
        return answer(*args) if callable(answer) else answer


def make_context(bridge: FakeBridge, **settings: Any) -> EngineContext:
    """Make a context; names of limits go into the limits."""
    names = {field.name for field in attrs.fields(ResourceLimits)}
    limits = ResourceLimits(**{name: value for name, value in settings.items() if name in names})
    others = {name: value for name, value in settings.items() if name not in names}
    monitor = ResourceMonitor(limits, module="probe")
    return EngineContext(module_id="probe", version="1.0.0", bridge=bridge, limits=limits, monitor=monitor, **others)


def count_modules(hosts: Mapping[int, object]) -> int:
    """Count the instances that hold a module: those made ahead for the next ones do not count."""
    return sum(not isinstance(host, ErrandHost) for host in list(hosts.values()))


Load = Callable[..., AbstractAsyncContextManager[WasmInstance]]


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge()


MODES = {
    "fibers": {},
    "epochs": {"metering": "epoch"},
    "fibers-and-threads": {"threads": 2},
    "threads": {"mode": "threads"},
}

INLINE = pytest.mark.parametrize("wasm", [{}, {"threads": 2}], ids=["fibers", "fibers-and-threads"], indirect=True)
"""For what a thread cannot do: answer a call within the turn of the loop that makes it."""


_FUELLED = {name: mode for name, mode in MODES.items() if name != "epochs"}
BY_FUEL = pytest.mark.parametrize("wasm", _FUELLED.values(), ids=_FUELLED, indirect=True)
"""For budgets of instructions, which metering by epoch does not count."""


@pytest.fixture(params=MODES.values(), ids=MODES)
def wasm(request: pytest.FixtureRequest) -> WasmEngine:
    """The engine in each of its modes: whatever holds in one holds in all."""
    return WasmEngine(**request.param)


@pytest.fixture
def load(bridge: FakeBridge, wasm: WasmEngine) -> Load:
    """Load a module of these methods (indented by four) and run its `on_load`: ``async with load(body) as probe``."""

    @contextlib.asynccontextmanager
    async def loading(body: str = "", *, files: Mapping[str, str] | None = None, **settings: Any) -> AsyncIterator[Any]:
        context = settings.pop("context", None) or make_context(bridge, **settings)
        package = FakePackage({"probe.py": HEAD + body, **(files or {})})
        instance = await wasm.load(package, context)
        try:
            await instance.call("@load")
            yield instance
        finally:
            await instance.close()

    return loading
