"""What the wasm tier costs: ``python -m tests.bench.bench_wasm`` (under 20 s once the runner is compiled).

Everything in one run on one machine, best and median, so that ratios can be quoted: a warm call and a host callback
through the engine's own path, cold load, and pure Python against the interpreter that runs the host.
"""

from __future__ import annotations

import asyncio
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.wasm import WasmEngine, WasmInstance, compiled_runner

COMPUTE = """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def words(n):
    counts = {}
    for i in range(n):
        key = f"key-{i % 97}"
        counts[key] = counts.get(key, 0) + len(key.upper())
    return sorted(counts.items())[0][1]
"""

SOURCE = f"""
from plataforma_sdk import ModuleFramework, ui
{COMPUTE}
class Probe(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("probe")

    def nothing(self):
        return None

    def echo(self, value):
        return value

    async def echo_later(self, value):
        return value

    async def awaits(self):
        return await self.storage.get("k")

    def calls(self, n):
        for _ in range(n):
            self.permissions.has("x.y")

    def fib(self, n):
        return fib(n)

    def words(self, n):
        return words(n)
"""


@attrs.frozen
class Package:
    """What the engine reads of a package."""

    sources: dict[str, str]
    id: str = "probe"
    version: str = "1.0.0"
    entry_file: str = "probe.py"
    entry_class: str | None = None
    is_component: bool = False
    wheels: dict[str, bytes] = attrs.field(factory=dict)


class Host:
    """Answers at once."""

    def call_now(self, _method: str, _args: list[Any]) -> Any:
        return True

    async def call(self, _method: str, _args: list[Any]) -> Any:
        return 7


async def load() -> WasmInstance:
    limits = ResourceLimits(max_step_ms=60_000, max_call_ms=60_000)
    monitor = ResourceMonitor(limits, module="probe")
    context = EngineContext(module_id="probe", version="1.0.0", bridge=Host(), limits=limits, monitor=monitor)
    return await WasmEngine().load(Package({"probe.py": SOURCE}), context)


async def measure(work: Callable[[], Awaitable[Any]], rounds: int) -> tuple[float, float]:
    """Return best and median seconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        times.append(time.perf_counter() - began)
    return min(times), statistics.median(times)


def show(name: str, times: tuple[float, float], unit: str = "µs", *, by: float = 1.0) -> None:
    scale = (1e6 if unit == "µs" else 1e3) / by
    print(f"  {name:<44} best {times[0] * scale:9.2f} {unit}   median {times[1] * scale:9.2f} {unit}")


async def bench_calls(probe: WasmInstance) -> None:
    value = {"user": "ana", "ids": [1, 2, 3], "total": 1.5}
    show("warm call, nothing both ways", await measure(lambda: probe.call("nothing"), 4_000))
    show("warm call, small dict both ways", await measure(lambda: probe.call("echo", value), 4_000))
    show("warm call, async method that does not wait", await measure(lambda: probe.call("echo_later", 1), 4_000))
    show("one awaited host call", await measure(lambda: probe.call("awaits"), 2_000))
    show("immediate host callback, 1,000 in one call", await measure(lambda: probe.call("calls", 1_000), 20), by=1_000)


async def bench_load() -> None:
    instances = []

    async def one() -> None:
        instances.append(await load())

    show("cold load (instantiate, compile, make)", await measure(one, 20), "ms")
    for instance in instances:
        await instance.close()


async def bench_compute(probe: WasmInstance) -> None:
    here: dict[str, Any] = {}
    exec(COMPUTE, here)
    for name, argument in (("fib", 22), ("words", 50_000)):

        async def native(work: Callable[[int], Any] = here[name], n: int = argument) -> None:
            work(n)

        async def guest(method: str = name, n: int = argument) -> None:
            await probe.call(method, n)

        ours, theirs = await measure(guest, 7), await measure(native, 7)
        show(f"{name}({argument:,}) in the guest", ours, "ms")
        print(f"  {'':<44} {ours[0] / theirs[0]:9.2f} x plain CPython {platform.python_version()}")


async def run() -> None:
    began = time.perf_counter()
    runner = await asyncio.to_thread(compiled_runner)
    print(f"runner {runner.runner.sha256[:12]}, mapped in {(time.perf_counter() - began) * 1e3:.1f} ms")
    probe = await load()
    await bench_calls(probe)
    await bench_load()
    await bench_compute(probe)
    await probe.close()


def main() -> None:
    """Print the table."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
