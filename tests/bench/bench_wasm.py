"""What the wasm tier costs, beside its peers: ``nox -s bench -- wasm`` (under 90 s once the runner is compiled).

Everything in one run on one machine, best of many rounds, so that ratios can be quoted: ours through the public
`ModuleHost` and through the engine's own path, metered by fuel and by time alone, and whichever of pyeryx,
pydantic-monty, extism and a subprocess there is. Then what a module that spins does to its neighbours.
"""

from __future__ import annotations

import asyncio
import math
import platform
import textwrap
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import wasm_peers
from wasm_work import ARGUMENT, CALLBACKS, COMPUTING, FUNCTION, WORK, Contender, Row, measure

from plataforma_sdk import ModulePackage
from plataforma_sdk.runtime import ModuleHandle, ModuleHost
from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.wasm import WasmEngine, WasmInstance

TINY = """
from plataforma_sdk import ModuleFramework, ui

class Tiny(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("tiny")

    def nothing(self):
        return None
"""
SOURCE = f"""
{TINY}
{WORK}
class Probe(Tiny):
{textwrap.indent(FUNCTION.replace("(d)", "(self, d)"), "    ")}
    async def awaits(self):
        return await self.permissions.request("system.storage", "held already")

    async def api(self):
        return await self.api_call("/vendas/x")

    def callbacks(self, n):
        for _ in range(n):
            self.permissions.has("x.y")

    def compute(self, name):
        return globals()[name]()

    def spin(self):
        while True:
            pass
"""
NEEDS = ["system.storage", "api.vendas"]
LIMITS = ResourceLimits(max_step_ms=60_000, max_call_ms=60_000, max_host_calls_per_s=10_000_000)
TITLES = {
    "cold": "cold ms",
    "warm": "warm µs",
    "callback": "callback µs",
    "awaited": "awaited µs",
    "fib": "fib(22) ms",
    "dict": "dict ms",
    "text": "text ms",
    "memory": "private MB",
}
SCALES = dict.fromkeys(TITLES, 1e3) | dict.fromkeys(("warm", "callback", "awaited"), 1e6) | {"memory": 1 / 2**20}
FILL_S = 0.3
"""A pool makes instances in the idle time of the loop."""


class Host:
    """Answers at once; what the engine's own path is timed with."""

    def call_now(self, _method: str, _args: list[Any]) -> Any:
        return True

    async def call(self, _method: str, _args: list[Any]) -> Any:
        return 7


async def vendas(_scope: Any, _receive: Any, send: Any) -> None:
    """Serve an API that takes 50 ms."""
    await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b"7"})


def package(source: str, id: str) -> ModulePackage:  # noqa: A002
    """Make a package of one source."""
    return ModulePackage.from_source(source, id=id, entry="Probe" if "Probe" in source else "Tiny", optional=NEEDS)


async def load_bare(engine: WasmEngine, source: str, id: str = "probe") -> WasmInstance:  # noqa: A002
    """Load without a host around."""
    monitor = ResourceMonitor(LIMITS, module=id)
    context = EngineContext(module_id=id, version="1.0.0", bridge=Host(), limits=LIMITS, monitor=monitor)
    return await engine.load(package(source, id), context)


def ours(name: str, probe: ModuleHandle | WasmInstance, **more: Any) -> Contender:
    """Time what both paths have."""
    return Contender(
        name,
        warm=lambda: probe.call("f", ARGUMENT),
        callbacks=lambda: probe.call("callbacks", CALLBACKS),
        awaited=lambda: probe.call("awaits"),
        compute=lambda work: probe.call("compute", work),
        **more,
    )


async def through_host(stack: AsyncExitStack) -> Contender:
    """Ours, as a host holds it."""
    host = await stack.enter_async_context(ModuleHost(engine=WasmEngine(), limits=LIMITS, grants=NEEDS))

    async def cold() -> ModuleHandle:
        tiny = await host.load(package(TINY, "tiny"))
        await tiny.call("nothing")
        return tiny

    async def memory(count: int) -> Callable[[], Any]:
        handles = [await host.load(package(SOURCE, f"many-{number}")) for number in range(count)]
        for handle in handles:
            await handle.call("f", ARGUMENT)
        return lambda: asyncio.gather(*(handle.unload() for handle in handles))

    probe = await host.load(package(SOURCE, "probe"))
    tidy: Callable[[ModuleHandle], Any] = ModuleHandle.unload
    return ours("ours, ModuleHost", probe, cold=cold, tidy=tidy, pause_s=FILL_S, memory=memory)


async def through_engine(stack: AsyncExitStack, metering: str) -> Contender:
    """Ours, as a host's parts hold it."""
    engine = WasmEngine(metering=metering)
    stack.push_async_callback(engine.close)

    async def cold() -> WasmInstance:
        tiny = await load_bare(engine, TINY, "tiny")
        await tiny.call("nothing")
        return tiny

    probe = await load_bare(engine, SOURCE)
    stack.push_async_callback(probe.close)
    tidy: Callable[[WasmInstance], Any] = WasmInstance.close
    return ours(f"ours, engine, {metering}", probe, cold=cold, tidy=tidy, pause_s=FILL_S)


def show(rows: Mapping[str, Row]) -> None:
    """Print the table: microseconds, milliseconds, megabytes."""
    print(f"  {'best of':<32}" + "".join(f"{title:>12}" for title in TITLES.values()))
    for name, row in rows.items():
        cells = (f"{row[key] * SCALES[key]:12.2f}" if row.get(key) else f"{'-':>12}" for key in TITLES)
        print(f"  {name:<32}" + "".join(cells))


def judge(rows: Mapping[str, Row], contenders: list[Contender]) -> None:
    """Print the ratios that the project promises."""
    peers = [one.name for one in contenders if one.is_python and one.is_boundary and not one.name.startswith("ours")]
    for column, mine, promise in (
        ("warm", "ours, ModuleHost", "at least 4"),
        ("callback", "ours, ModuleHost", "at least 8"),
        ("awaited", "ours, ModuleHost", "no promise"),
        ("cold", "ours, ModuleHost", "no promise"),
    ):
        known = {name: rows[name][column] for name in peers if column in rows[name]}
        if known:
            name = min(known, key=known.__getitem__)
            ratio = known[name] / rows[mine][column]
            print(f"  {column:<10}{ratio:6.1f} times as fast as {name}, the best Python sandbox of these ({promise})")
    for metering, promise in (("fuel", 2.4), ("epoch", 2.0)):
        row, plain = rows[f"ours, engine, {metering}"], rows["plain CPython"]
        ratios = [row[name] / plain[name] for name in COMPUTING]
        mean = math.prod(ratios) ** (1 / len(ratios))
        print(f"  computing {mean:6.2f} times as long as CPython {platform.python_version()}, {metering} ({promise})")


async def compare() -> None:
    """Time everybody."""
    rows: dict[str, Row] = {}
    async with AsyncExitStack() as mine:
        with ExitStack() as theirs:
            contenders = [
                await through_host(mine),
                await through_engine(mine, "fuel"),
                await through_engine(mine, "epoch"),
                *wasm_peers.installed(theirs),
            ]
            for one in contenders:
                rows[one.name] = await measure(one)
            show(rows)
            judge(rows, contenders)


def quantiles(times: list[float]) -> str:
    """Write the middle, the 99th of a hundred, and the worst."""
    ordered = sorted(times)
    return (
        f"p50 {ordered[len(ordered) // 2] * 1e6:8.1f} µs   p99 {ordered[len(ordered) * 99 // 100] * 1e6:8.1f} µs   "
        f"worst {ordered[-1] * 1e6:9.1f} µs"
    )


async def bench_turns(metering: str) -> None:
    """Measure the loop's gaps and a light module's calls beside a module that spins for ever."""
    engine = WasmEngine(metering=metering)
    wild, light = await load_bare(engine, SOURCE, "wild"), await load_bare(engine, TINY, "light")
    spinning = asyncio.create_task(wild.call("spin"))
    await asyncio.sleep(0.02)
    gaps, calls = [], []
    last = time.perf_counter()
    until = last + 3.0
    while last < until:
        await asyncio.sleep(0)
        now = time.perf_counter()
        gaps.append(now - last)
        await light.call("nothing")
        last = time.perf_counter()
        calls.append(last - now)
    print(f"  beside one that spins, {metering + ':':<7} gap of the loop   {quantiles(gaps)}")
    print(f"  {'':<30} a light call      {quantiles(calls)}")
    spinning.cancel()
    await asyncio.wait([spinning])
    for instance in (wild, light):
        await instance.close()
    await engine.close()


async def bench_waits() -> None:
    """Let ten modules each await an API that takes 50 ms, at once and on one thread."""
    async with ModuleHost(engine="wasm", limits=LIMITS, grants=NEEDS, api=vendas) as host:
        handles = [await host.load(package(SOURCE, f"caller-{number}")) for number in range(10)]
        began = time.perf_counter()
        answers = await asyncio.gather(*(handle.call("api") for handle in handles))
        print(f"  ten modules await 50 ms each: all done in {(time.perf_counter() - began) * 1e3:.1f} ms (below 100)")
        if answers != [7] * 10:
            raise AssertionError(f"the API was misread: {answers}")


async def run() -> None:
    await compare()
    for metering in ("fuel", "epoch"):
        await bench_turns(metering)
    await bench_waits()


def main() -> None:
    """Print the table."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
