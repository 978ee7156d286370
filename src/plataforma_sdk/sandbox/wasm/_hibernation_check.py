"""Tries hibernation, in a process of its own, since where its facts do not hold that process may crash.

A module with a state and a call that awaits its host is put away, woken, called, answered, made to grow and put away
again, beside a neighbour that must not notice; whatever is not as it should be raises.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

import attrs

from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox._monitor import ResourceMonitor
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._engine import WasmEngine
from plataforma_sdk.sandbox.wasm._hibernation import SAYS_YES, assume_possible
from plataforma_sdk.sandbox.wasm._instance import WasmInstance
from plataforma_sdk.sandbox.wasm._memory import LinearMemory
from plataforma_sdk.sandbox.wasm._pages import private_runs

__all__ = ["main"]

_SOURCE: Final = """
from plataforma_sdk import ModuleFramework, ui
class Trial(ModuleFramework):
    async def on_load(self):
        self.kept = {f"key-{n}": [n, str(n) * 9, {"n": n / 3}] for n in range(5_000)}
        self.grown = []
    def render(self):
        return ui.text(str(len(self.kept)))
    def put(self, key, value):
        self.kept[key] = value
        return len(self.kept)
    def tell(self):
        return [len(self.kept), hash(tuple(self.kept)), sum(value[0] for value in self.kept.values())]
    def grow(self):
        self.grown.append(bytearray(b"x" * 5_000_000))
        return sum(map(len, self.grown))
    async def ask(self):
        return [await self.storage.get("k"), len(self.kept)]
"""
_ROUNDS: Final = 5


@attrs.frozen
class _Package:
    """What the engine reads of a package."""

    sources: dict[str, str] = attrs.field(factory=lambda: {"trial.py": _SOURCE})
    wheels: dict[str, bytes] = attrs.field(factory=dict)
    id: str = "trial"
    version: str = "1.0.0"
    entry_file: str = "trial.py"
    entry_class: str | None = None
    is_component: bool = False


class _Host:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()

    def call_now(self, _method: str, _args: list[Any]) -> Any:
        return None

    async def call(self, _method: str, _args: list[Any]) -> Any:
        await self.answer.wait()
        return 7


def main() -> None:
    """Try, and say so if all of it holds."""
    assume_possible()
    asyncio.run(_try())
    sys.stdout.write(f"{SAYS_YES}\n")


async def _try() -> None:
    engine, host = WasmEngine(mode="fibers"), _Host()
    trial, neighbour = await _load(engine, host), await _load(engine, host)
    told = await neighbour.call("tell")
    asking = asyncio.create_task(trial.call("ask"))
    await asyncio.sleep(0.01)
    for number in range(1, _ROUNDS + 1):
        before = await trial.call("tell")
        _expect(await trial.park(), "an idle guest can be put away")
        _expect(trial.is_parked and not private_runs(_memory_of(trial)), "its pages are given back")
        _expect(await neighbour.call("tell") == told, "its neighbour does not notice")
        _expect(await trial.call("tell") == before, "it wakes as it was")
        _expect(await trial.call("put", f"new-{number}", [number]) == before[0] + 1, "it goes on from there")
        _expect(await trial.call("grow") == number * 5_000_000, "it can still grow")
    await trial.park()
    host.answer.set()
    _expect(await asking == [7, 5_000 + _ROUNDS], "what it awaited wakes it")
    await trial.park()
    await trial.close()
    _expect(await neighbour.call("tell") == told, "its neighbour survives its end")
    await neighbour.close()
    await engine.close()


async def _load(engine: WasmEngine, host: _Host) -> WasmInstance:
    limits = ResourceLimits(max_step_ms=60_000, max_call_ms=60_000)
    monitor = ResourceMonitor(limits, module="trial")
    context = EngineContext(module_id="trial", version="1.0.0", bridge=host, limits=limits, monitor=monitor)
    instance = await engine.load(_Package(), context)  # type: ignore[arg-type]  # it reads no more of a package
    await instance.call("@load")
    return instance


def _memory_of(instance: WasmInstance) -> LinearMemory:
    memory: LinearMemory = instance._pump.guest.memory  # type: ignore[assignment]  # noqa: SLF001
    return memory


def _expect(fact: bool, what: str) -> None:
    """Assert, also under ``python -O``."""
    if not fact:
        raise AssertionError(f"not so: {what}")
