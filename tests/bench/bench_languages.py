"""What modules in other languages cost: ``python -m tests.bench languages``; builds those whose tools are here."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import attrs
from wasmtime import wat2wasm

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.sandbox import EngineContext, ResourceLimits, ResourceMonitor
from plataforma_sdk.sandbox.wasm import WasmEngine

EXAMPLES = Path(__file__).parents[2] / "examples"
CALLS = 10_000
LOADS = 50
LIVE = 100
LIMITS = ResourceLimits(max_host_calls_per_s=10**9)


@attrs.frozen
class Example:
    """One example and a call that does little."""

    directory: str
    binary: str
    call: tuple[Any, ...]
    tool: str | None = None


MODULES = (
    Example("wat-counter", "contador.wasm", ("somar",)),
    Example("c-estoque", "estoque.wasm", ("adicionar", "café", 1), "clang"),
    Example("js-tarefas", "tarefas.wasm", ("eco", 1), "npm"),
)


class SilentBridge:
    """Answers everything with null."""

    def call_now(self, _method: str, _args: list[Any]) -> None:
        return None

    async def call(self, _method: str, _args: list[Any]) -> None:
        return None


def _built(example: Example) -> bytes | None:
    directory = EXAMPLES / example.directory
    if example.tool is None:
        return bytes(wat2wasm((directory / "contador.wat").read_text(encoding="utf-8")))
    if shutil.which(example.tool) is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, example.binary)
        done = subprocess.run(["sh", str(directory / "build.sh"), str(target)], capture_output=True, check=False)
        return target.read_bytes() if done.returncode == 0 else None


async def _loaded(package: ModulePackage) -> Any:
    monitor = ResourceMonitor(LIMITS, module=package.id)
    context = EngineContext(
        module_id=package.id, version="1.0.0", bridge=SilentBridge(), limits=LIMITS, monitor=monitor
    )
    return await WasmEngine().load(package, context)


async def _measure(example: Example, package: ModulePackage) -> str:
    began = time.perf_counter()
    first = await _loaded(package)
    first_ms = (time.perf_counter() - began) * 1_000
    loads = []
    for _ in range(LOADS):
        began = time.perf_counter()
        instance = await _loaded(package)
        loads.append((time.perf_counter() - began) * 1_000)
        await instance.close()
    await first.call("@load")
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(CALLS // 5):
            await first.call(*example.call)
        best = min(best, (time.perf_counter() - began) / (CALLS // 5) * 1e6)
    before = _resident_kb()
    live = [await _loaded(package) for _ in range(LIVE)]
    for instance in live:
        await instance.call("@load")
    each = (_resident_kb() - before) / LIVE
    for instance in (first, *live):
        await instance.close()
    return f"{first_ms:9.1f} {statistics.median(loads):9.2f} {best:9.1f} {each:9.0f}"


def _resident_kb() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4
    except OSError:
        return 0


def main() -> None:
    """Print a row for each language."""
    print(f"{'':12} {'bytes':>10} {'first ms':>9} {'load ms':>9} {'call µs':>9} {'each kB':>9}")
    for example in MODULES:
        binary = _built(example)
        if binary is None:
            print(f"{example.directory:12} cannot be built here")
            continue
        manifest = (EXAMPLES / example.directory / "module.toml").read_bytes()
        package = ModulePackage.from_files({"module.toml": manifest, example.binary: binary})
        print(f"{example.directory:12} {len(binary):10,} {asyncio.run(_measure(example, package))}", flush=True)


if __name__ == "__main__":
    main()
