"""What every contender of ``bench_wasm`` runs, and how it is timed."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

ARGUMENT = {"a": 1, "b": 2, "name": "x" * 10}
ANSWER = {"sum": 3, "n": "x" * 10}
FUNCTION = 'def f(d):\n    return {"sum": d["a"] + d["b"], "n": d["name"]}\n'
WORK = """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def work_fib():
    return fib(22)

def work_dict():
    counts = {}
    for i in range(40000):
        key = "k%d" % (i % 997)
        counts[key] = counts.get(key, 0) + len(key)
    return sum(counts.values())

def work_text():
    parts = []
    for i in range(20000):
        parts.append(str(i).upper() + "-" + "abc"[i % 3])
    return len("".join(parts).replace("-", "_").split("_"))
"""
COMPUTING = {"fib": "work_fib", "dict": "work_dict", "text": "work_text"}
CALLBACKS = 100
COLD_ROUNDS = 12


@attrs.frozen
class Contender:
    """One engine, ready to be timed; what it has not is None.

    Attributes:
        name: as it stands in the table.
        cold: from nothing to the answer of a tiny program; returns what `tidy` ends.
        tidy: ends what `cold` made, untimed.
        pause_s: rest before each `cold`.
        warm: one call with `ARGUMENT`; returns `ANSWER`.
        callbacks: makes `CALLBACKS` calls into the host.
        awaited: one call that awaits one host function.
        compute: runs a function of `WORK` by name.
        is_here: whether it computes in this process, whose processor time then counts: on a busy machine a guest that
            takes turns with the event loop loses its place with each turn, and only its wall time would tell of that.
        memory: makes so many instances and returns what ends them.
        is_python: whether it runs Python, and is held against us.
        is_boundary: whether it keeps its guest from the host; a bare subprocess does not.
    """

    name: str
    cold: Callable[[], Any] | None = None
    tidy: Callable[[Any], Any] = lambda _: None
    pause_s: float = 0.0
    warm: Callable[[], Any] | None = None
    callbacks: Callable[[], Any] | None = None
    awaited: Callable[[], Any] | None = None
    compute: Callable[[str], Any] | None = None
    is_here: bool = True
    memory: Callable[[int], Any] | None = None
    is_python: bool = True
    is_boundary: bool = True


Row = dict[str, float]
"""Column -> seconds, or bytes."""


async def _result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def best(work: Callable[[], Any], rounds: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds of the fastest round: what else the machine does only ever adds."""
    times = []
    for _ in range(rounds):
        began = clock()
        made = work()
        if inspect.isawaitable(made):
            await made
        times.append(clock() - began)
    return min(times)


async def measure(one: Contender) -> Row:
    """Time everything that a contender has."""
    row: Row = {}
    if one.cold is not None:
        row["cold"] = await _cold(one)
    if one.warm is not None:
        if await _result(one.warm()) != ANSWER:
            raise AssertionError(f"{one.name} answers wrongly")
        row["warm"] = await best(one.warm, 1_000)
    if one.callbacks is not None:
        row["callback"] = await best(one.callbacks, 20) / CALLBACKS
    if one.awaited is not None:
        row["awaited"] = await best(one.awaited, 300)
    right: dict[str, Any] = {}
    exec(WORK, right)
    for column, name in COMPUTING.items() if one.compute is not None else ():
        assert one.compute is not None
        if await _result(one.compute(name)) != right[name]():
            raise AssertionError(f"{one.name} computes {name} wrongly")
        clock = time.process_time if one.is_here else time.perf_counter
        row[column] = await best(functools.partial(one.compute, name), 9, clock)
    if one.memory is not None:
        row["memory"] = await _memory_each(one.memory, 8)
    return row


async def _cold(one: Contender) -> float:
    times = []
    for _ in range(COLD_ROUNDS):
        await asyncio.sleep(one.pause_s)
        began = time.perf_counter()
        made = await _result(one.cold())  # type: ignore[misc]
        times.append(time.perf_counter() - began)
        await _result(one.tidy(made))
    return min(times)


async def _memory_each(make: Callable[[int], Any], count: int) -> float:
    before = private_dirty()
    end = await _result(make(count))
    each = (private_dirty() - before) / count
    await _result(end())
    return each


def private_dirty() -> int:
    """Bytes that this process and its children alone hold; 0 where the system does not say."""
    return sum(_private_dirty(Path("/proc") / str(pid)) for pid in (os.getpid(), *_children()))


def _private_dirty(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1_024 for line in lines if line.startswith("Private_Dirty:"))


def _children() -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.append(int(stat.parent.name))
    return found
