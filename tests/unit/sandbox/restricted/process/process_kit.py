"""A module in a worker with a host in memory, and workers that lie: what the tests of this room are made of."""

from __future__ import annotations

import asyncio
import contextlib
import os
import textwrap
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from plataforma_sdk.module import FakeBridge
from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.restricted.process import ProcessEngine, ProcessInstance
from plataforma_sdk.sandbox.restricted.process._spawn import spawn
from plataforma_sdk.workers import WorkerProcess

HEAD = "import asyncio\nfrom plataforma_sdk import ModuleFramework, PermissionDeniedError, ui\n"
DEFAULTS = "    async def on_load(self):\n        pass\n    def render(self):\n        return ui.text('x')\n"

ROOMY = ResourceLimits(max_step_ms=2_000)
"""The steps of these tests run on a machine that others use too."""


@attrs.frozen
class FakePackage:
    """What an engine reads of a package."""

    sources: Mapping[str, str]
    id: str = "vendas"
    entry_file: str = "vendas.py"
    entry_class: str | None = None
    is_component: bool = False


@attrs.frozen
class Loaded:
    """A module in a worker, and its host."""

    instance: ProcessInstance
    bridge: FakeBridge
    monitor: ResourceMonitor

    async def call(self, function: str, *args: Any, **kwargs: Any) -> Any:
        return await self.instance.call(function, *args, **kwargs)


def make_package(methods: str = "", head: str = "") -> FakePackage:
    body = textwrap.indent(textwrap.dedent(methods), "    ")
    return FakePackage(
        {"vendas.py": f"{HEAD}{textwrap.dedent(head)}\nclass Vendas(ModuleFramework):\n{DEFAULTS}{body}\n"}
    )


def make_context(bridge: Any = None, limits: ResourceLimits = ROOMY, **settings: Any) -> EngineContext:
    bridge = bridge or FakeBridge(["system.storage"], module_id="vendas", api={"/vendas/a": [1, 2]})
    monitor = ResourceMonitor(limits, module="vendas")
    return EngineContext(module_id="vendas", version="1.0.0", bridge=bridge, limits=limits, monitor=monitor, **settings)


@contextlib.asynccontextmanager
async def loading(methods: str = "", *, head: str = "", engine: Any = None, **settings: Any) -> AsyncIterator[Loaded]:
    """Load a module made of methods: ``async with loading("def probe(self): return 1") as vendas``."""
    context = make_context(**settings)
    engine = engine or ProcessEngine()
    try:
        instance = await engine.load(make_package(methods, head), context)
        yield Loaded(instance, context.bridge, context.monitor)
    finally:
        await engine.close()


class Lying:
    """A pool of one kind of worker: it runs `code` in place of the worker's own.

    The code finds the host's socket as `wire`, and `frame(body)` to send with.
    """

    PRELUDE = (
        "import socket, struct, time, os; wire = socket.socket(fileno=descriptor); "
        "frame = lambda body: wire.sendall(struct.pack('<I', len(body)) + body)\n"
    )

    def __init__(self, code: str) -> None:
        self._code = self.PRELUDE + textwrap.dedent(code)
        self.workers: list[WorkerProcess] = []

    def open(self) -> None:
        pass

    def close(self) -> None:
        for worker in self.workers:
            worker.discard()

    def replenish(self) -> None:
        pass

    async def take(self) -> WorkerProcess:
        self.workers.append(spawn(self._code))
        return self.workers[-1]


def is_alive(pid: int) -> bool:
    """Whether a process exists, as a zombie too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children() -> set[int]:
    """Process ids of this process's children, zombies included."""
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in _children_of(task).split()}


def _children_of(task: Path) -> str:
    try:
        return (task / "children").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
        return ""


def descriptors() -> set[str]:
    """What this process's descriptors lead to, sockets and files by their number in the kernel."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(f"{entry.name} {entry.readlink()}")
    return found


async def until(condition: Any, timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
