"""Charts: the first of a process, one by a worker that runs already, one from the cache; and naming one."""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from plataforma_sdk import ui
from plataforma_sdk.web.charts import ChartRenderer

ROUNDS = 15
COLD_ROUNDS = 5
IN_PROCESS = """
import time
started = time.perf_counter()
import vl_convert
spec = {"data": {"values": [{"x": str(n), "y": n} for n in range(12)]}, "mark": "bar",
        "encoding": {"x": {"field": "x", "type": "nominal"}, "y": {"field": "y", "type": "quantitative"}}}
vl_convert.vegalite_to_svg(spec)
first = time.perf_counter()
for _ in range(15):
    vl_convert.vegalite_to_svg(spec)
print((first - started) * 1e3, (time.perf_counter() - first) * 1e3 / 15)
"""


def bars(number: int, points: int = 12) -> dict[str, object]:
    """Return a node that no other number makes."""
    return ui.to_data(ui.chart({f"m{place}": place + number for place in range(points)}, x="month", y="sales"))


def line(number: int) -> dict[str, object]:
    """Return a node of 10,000 points."""
    return ui.to_data(ui.chart([{"x": place, "y": place % 97 + number} for place in range(10_000)], kind="line"))


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Return the milliseconds of one piece of work."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1e3


async def drawn(charts: ChartRenderer, node: dict[str, object]) -> None:
    """Draw one chart."""
    chart = charts.chart_of(node, locale="pt-BR", width=640)
    assert chart is not None
    assert await charts.svg(chart.digest, "light") is not None


async def cold() -> float:
    """Draw the first chart of a renderer."""
    async with ChartRenderer() as charts:
        return await timed(lambda: drawn(charts, bars(0)))


async def warm() -> dict[str, float]:
    """Draw charts by a worker that runs already."""
    async with ChartRenderer() as charts:
        await drawn(charts, bars(0))
        found = {
            "drawn, 12 bars": [await timed(lambda n=n: drawn(charts, bars(n))) for n in range(1, ROUNDS + 1)],
            "drawn, a line of 10,000 points": [await timed(lambda n=n: drawn(charts, line(n))) for n in range(ROUNDS)],
            "from the cache, 12 bars": [await timed(lambda: drawn(charts, bars(1))) for _ in range(ROUNDS)],
        }
        node = line(0)
        started = time.perf_counter()
        for _ in range(ROUNDS):
            charts.chart_of(node, locale="pt-BR", width=640)
        named = (time.perf_counter() - started) * 1e3 / ROUNDS
    return {name: statistics.median(times) for name, times in found.items()} | {"named, 10,000 points": named}


def main() -> None:
    """Print milliseconds, beside the same library called in a process of its own without a bound."""
    if importlib.util.find_spec("vl_convert") is None:
        print("left out: the extra charts (vl-convert-python) is not installed")
        return
    first = statistics.median(asyncio.run(cold()) for _ in range(COLD_ROUNDS))
    print(f"{'the first chart of a process':36} {first:8.1f} ms")
    for name, time_ms in asyncio.run(warm()).items():
        print(f"{name:36} {time_ms:8.2f} ms")
    peer = subprocess.run([sys.executable, "-c", IN_PROCESS], capture_output=True, text=True, check=True)
    alone_first, alone = map(float, peer.stdout.split())
    print(f"{'vl-convert in process, first':36} {alone_first:8.1f} ms")
    print(f"{'vl-convert in process, 12 bars':36} {alone:8.2f} ms")
