"""Scan a module of 500 lines: the core's scanners, and the tools that do part of it, in one process each."""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import SecurityService

ROUNDS = 15
WORKLOADS = Path(__file__).parent / "workloads"


def source() -> str:
    """Return 500 lines of what authors write."""
    text = "\n\n".join((WORKLOADS / name).read_text("utf-8") for name in ("order_desk.py", "sales.py", "records.py"))
    while text.count("\n") < 500:
        text += "\n\n" + text
    return "\n".join(text.splitlines()[:500]) + "\n"


def complete(text: str) -> str:
    """Cut a text back to its last statement that parses."""
    lines = text.splitlines()
    while lines:
        try:
            compile("\n".join(lines), "source", "exec")
        except SyntaxError:
            lines.pop()
        else:
            break
    return "\n".join(lines) + "\n"


def median_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median time of some rounds, after one that warms up."""
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def tool_ms(module: str, *arguments: str) -> float | None:
    """Return the median time of a tool as a process, or None where it is not installed."""
    if importlib.util.find_spec(module) is None:
        return None
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "module.py").write_text(complete(source()), "utf-8")
        command = [sys.executable, "-m", module, *arguments]
        return median_ms(lambda: subprocess.run(command, cwd=directory, capture_output=True, check=False), 5)


def main() -> None:
    """Print milliseconds; the trial load stands apart."""
    package = ModulePackage.from_source(complete(source()), id="bench")
    lines = package.sources["module.py"].count("\n")
    core = SecurityService(trial=False, tools=False)
    whole = SecurityService(tools=False)
    scan = median_ms(lambda: asyncio.run(core.scan(package)))
    both = median_ms(lambda: asyncio.run(whole.scan(package)), 5)
    compiled = median_ms(lambda: compile(package.sources["module.py"], "module.py", "exec"))
    print(f"{lines} lines, median of {ROUNDS}")
    print(f"{'core scan, all rules':<34}{scan:9.1f} ms   {scan / compiled:5.1f} x compile() ({compiled:.1f} ms)")
    print(f"{'core scan and trial load':<34}{both:9.1f} ms")
    for name, module, arguments in (
        ("ruff S,B,C90,PL, a process", "ruff", ("check", "--isolated", "--no-cache", "--select=S,B,C90,PL", ".")),
        ("bandit, a process", "bandit", ("-q", "-r", ".")),
        ("detect-secrets, a process", "detect_secrets", ("scan", "--all-files", "--no-verify", ".")),
    ):
        took = tool_ms(module, *arguments)
        shown = "not installed" if took is None else f"{took:9.1f} ms   {took / scan:5.1f} x the core scan"
        print(f"{name:<34}{shown}")
