"""What loading costs once a text was compiled, and what a sandbox costs: ``python -m tests.bench restricted_cache``.

The module has 240 lines (Source: the lab of the engine's design). Medians; the disk's pages are in the system's cache.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from RestrictedPython import compile_restricted

from plataforma_sdk.module import FakeBridge
from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache, RestrictedInstance, compile_source
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES

ROUNDS = 400
PROCESSES = 5
PART = """
class Handler{n}(ModuleFramework):
    def on_event(self, ev):
        name = ev["name"]
        if name == "a{n}":
            self.total = self.total + {n}
        elif name in ("b", "c"):
            self.total = self.total * 2
        return [x * 2 for x in range(self.total % 7)]
def helper{n}(a, b):
    return {{"k": a + b, "s": str(a)}}

"""
SOURCE = "from plataforma_sdk import ModuleFramework\n" + "".join(PART.format(n=n) for n in range(20))
SMALL = """from plataforma_sdk import ModuleFramework, ui
class Vendas(ModuleFramework):
    async def on_load(self):
        pass
    def render(self):
        return ui.text("x")
"""
FIRST_LOAD = """
import sys, time
from pathlib import Path
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache
cache = CompileCache(store=CodeStore(Path(sys.argv[1])))
source = sys.stdin.read()
for text in (source, source + "# another\\n"):
    began = time.perf_counter()
    cache.compile(text, "m.py")
    print(time.perf_counter() - began)
"""


def median_us(function: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Time one call."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def in_turns(functions: list[Callable[[], object]], rounds: int = 25) -> list[float]:
    """Median processor microseconds of each, in turns, so that a change of the machine's load falls on all."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for function, kept in zip(functions, times, strict=True):
            began = time.process_time()
            function()
            kept.append(time.process_time() - began)
    return [statistics.median(kept) * 1e6 for kept in times]


def new_processes(directory: Path) -> tuple[float, float]:
    """Microseconds of the first and the second module that a new process loads, both from disk.

    The best of some: each process measures once, and one that lost its turn in between says nothing.
    """
    command = [sys.executable, "-c", FIRST_LOAD, str(directory)]
    runs = [
        [
            float(line)
            for line in subprocess.run(command, input=SOURCE, capture_output=True, text=True, check=True).stdout.split()
        ]
        for _ in range(PROCESSES + 1)
    ][1:]  # the first run compiles the second text
    first, second = (min(column) * 1e6 for column in zip(*runs, strict=True))
    return first, second


def context() -> EngineContext:
    """What an instance is made for."""
    limits = ResourceLimits()
    return EngineContext(
        module_id="vendas",
        version="1.0.0",
        bridge=FakeBridge((), module_id="vendas"),
        limits=limits,
        monitor=ResourceMonitor(limits, module="vendas"),
    )


def show(what: str, microseconds: float, more: str = "") -> None:
    """Print one line."""
    print(f"{what:<32}{microseconds:>10,.1f} us{more}")


def main() -> None:
    """Print the figures of loading, then those of what a module is loaded into."""
    print(f"Python {sys.version.split()[0]}; medians; a module of {SOURCE.count(chr(10))} lines")
    with tempfile.TemporaryDirectory() as made:
        _print_loading(Path(made) / "restricted")
    asyncio.run(_print_sandboxes())


def _print_loading(directory: Path) -> None:
    memory, store = CompileCache(store=CodeStore(directory)), CodeStore(directory)
    memory.compile(SOURCE, "m.py")
    CompileCache(store=store).compile(SOURCE, "m.py")
    ours, raw = in_turns([lambda: compile_source(SOURCE, "m.py"), lambda: compile_restricted(SOURCE, "m.py", "exec")])
    show("compiled, no cache", ours, f", {ours / raw:.2f}x raw RestrictedPython")
    show("from memory", median_us(lambda: memory.compile(SOURCE, "m.py")))
    show("from disk", median_us(lambda: CompileCache(store=store).compile(SOURCE, "m.py")))
    show(
        "from disk, and opening it",
        median_us(lambda: CompileCache(store=CodeStore(directory)).compile(SOURCE, "m.py")),
    )
    first, second = new_processes(directory)
    show("from disk, in a new process", second, f", its very first module {first:,.1f} us")


async def _print_sandboxes() -> None:
    cache, made_for = CompileCache(), context()

    def load() -> None:
        RestrictedInstance({"vendas.py": SMALL}, made_for, cache).start("vendas.py", None)

    load()
    show("a new sandbox", median_us(lambda: Sandbox(1 << 20, libraries=LIBRARIES, cache=cache)))
    show("a new instance", median_us(lambda: RestrictedInstance({"vendas.py": SMALL}, made_for, cache)))
    show("a new instance, module started", median_us(load))


if __name__ == "__main__":
    main()
