"""What process isolation costs: ``python -m tests.bench restricted_process`` (under 20 s).

The same module in process and in a worker, in turns within one run, and beside them the floor: a bare round trip
between two processes over the same kind of socket, without any engine.
"""

from __future__ import annotations

import asyncio
import gc
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs

from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.restricted import RestrictedEngine
from plataforma_sdk.sandbox.restricted.process import ProcessEngine, WorkerPool

ROUNDS, CALLS, CALLBACKS, LOADS = 10, 300, 200, 12
SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Probe(ModuleFramework):
    async def on_load(self):
        self.total = 0

    def render(self):
        return ui.column(ui.text(str(self.total)))

    def nothing(self):
        return None

    async def later(self):
        return None

    def echo(self, value):
        return value

    def ask(self, times):
        for _ in range(times):
            self.permissions.has("system.storage")

    async def wait_for_host(self, times):
        for _ in range(times):
            await self.storage.get("k")
"""
ROW = {"id": 7, "name": "Ana", "total": 12.5, "tags": ["a", "b"], "paid": True}
ECHO = "import socket\nwire = socket.socket(fileno={0})\nwhile (data := wire.recv(64)): wire.send(data)"


class Host:
    """A bridge that answers at once."""

    def call_now(self, _method: str, _args: list[Any]) -> Any:
        return True

    async def call(self, _method: str, _args: list[Any]) -> Any:
        return 1


@attrs.frozen
class Package:
    """What an engine reads of a package."""

    sources: dict[str, str]
    id: str = "probe"
    entry_file: str = "probe.py"
    entry_class: str | None = None
    is_component: bool = False


PACKAGE: Any = Package({"probe.py": SOURCE})


def context() -> EngineContext:
    limits = ResourceLimits(max_step_ms=60_000, max_fuel=10**9)
    return EngineContext(
        module_id="probe", version="1.0.0", bridge=Host(), limits=limits, monitor=ResourceMonitor(limits)
    )


async def in_turns(parts: list[Callable[[], Awaitable[Any]]], count: int) -> list[list[float]]:
    """Seconds of every run of each part, in turns, so that a change of the machine's load falls on all."""
    times: list[list[float]] = [[] for _ in parts]
    for _ in range(ROUNDS):
        for part, kept in zip(parts, times, strict=True):
            for _ in range(count):
                began = time.perf_counter()
                await part()
                kept.append(time.perf_counter() - began)
    return times


def show(label: str, times: list[float], *, divide: int = 1, unit: str = "us") -> None:
    factor = {"us": 1e6, "ms": 1e3}[unit] / divide
    ordered = sorted(times)
    median, best, worst = statistics.median(ordered), ordered[0], ordered[int(len(ordered) * 0.95)]
    print(f"{label:<56}{median * factor:>10.1f}{best * factor:>10.1f}{worst * factor:>10.1f} {unit}")


def socket_floor() -> list[float]:
    """Seconds of a round trip to a process that only echoes, both sides blocking."""
    ours, theirs = socket.socketpair()
    code = ECHO.format(theirs.fileno())
    with ours, subprocess.Popen([sys.executable, "-I", "-c", code], pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        times = []
        for _ in range(ROUNDS * CALLS):
            began = time.perf_counter()
            ours.send(b"x")
            ours.recv(64)
            times.append(time.perf_counter() - began)
        process.kill()
    return times[CALLS:]


async def crossings(near: Any, far: Any) -> None:
    """Print calls into the module and out of it, in process and in a worker."""
    rows = [
        ("call a method that does nothing", ("nothing",), CALLS, 1),
        ("call an async method that does nothing", ("later",), CALLS, 1),
        ("call with a row, and the row back", ("echo", ROW), CALLS, 1),
        ("host function, immediate (of 200 in one call)", ("ask", CALLBACKS), 3, CALLBACKS),
        ("host function, awaited (of 200 in one call)", ("wait_for_host", CALLBACKS), 3, CALLBACKS),
    ]
    for label, arguments, count, divide in rows:
        times = await in_turns([lambda a=arguments: near.call(*a), lambda a=arguments: far.call(*a)], count)  # type: ignore[misc]
        show(f"{label}: in process", times[0], divide=divide)
        show(f"{'':<{len(label) - 9}}in a worker", times[1], divide=divide)


async def loads() -> None:
    """Print what a load costs: in process, from the pool, and with an interpreter that has yet to start."""

    async def load(engine: Any) -> float:
        began = time.perf_counter()
        instance = await engine.load(PACKAGE, context())
        took = time.perf_counter() - began
        await instance.close()
        return took

    with WorkerPool(spares=LOADS) as full:
        await asyncio.sleep(0.35 * LOADS)  # until all have started
        full.spares = 0
        pooled, cold, near = ProcessEngine(full), ProcessEngine(WorkerPool(spares=0)), RestrictedEngine()
        show("load: in process, code in the cache", [await load(near) for _ in range(LOADS)][1:], unit="ms")
        show("load: worker from the pool", [await load(pooled) for _ in range(LOADS)], unit="ms")
        show("load: worker that has yet to start", [await load(cold) for _ in range(LOADS)], unit="ms")
        await cold.close()
        await pooled.close()


def private_mib(pid: int) -> float:
    """Memory that a process shares with nobody, in MiB."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1_024


async def run() -> None:
    print(f"Python {platform.python_version()}; median, best, 95th percentile")
    near, far = RestrictedEngine(), ProcessEngine()
    first, second = await near.load(PACKAGE, context()), await far.load(PACKAGE, context())
    await asyncio.sleep(1.5)  # until the spares have started
    gc.collect()
    gc.freeze()
    show("a bare round trip over the socket, no engine", socket_floor())
    await crossings(first, second)
    if Path("/proc/self/smaps_rollup").exists():
        print(f"{'memory of a worker that it shares with nobody':<56}{private_mib(second.pid):>10.1f} MiB")
    await near.close()
    await far.close()
    await loads()


def main() -> None:
    """Print the table."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
