"""What instrumentation costs: ``python -m tests.bench.bench_restricted`` (under 20 s).

Six workloads (Source: the lab of the engine's design), each run as plain CPython, as raw RestrictedPython, unmetered,
and by this engine, fully guarded and metered, in turns within one run. Ratios to plain CPython are what counts.
"""

from __future__ import annotations

import operator
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from RestrictedPython import compile_restricted_exec, limited_builtins, safe_builtins, utility_builtins
from RestrictedPython.Guards import guarded_iter_unpack_sequence, guarded_unpack_sequence, safer_getattr

from plataforma_sdk.sandbox.restricted._compile import CompileCache, compile_source
from plataforma_sdk.sandbox.restricted._fuel import Account
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

ROUNDS = 15
FUEL = 10**12
WORKLOADS = {
    "fib": """
def fib(n):
    if n < 2:
        return n
    return fib(n-1) + fib(n-2)
def main():
    return fib(19)
""",
    "nested_loops": """
def main():
    t = 0
    for i in range(200):
        for j in range(200):
            t = t + i * j % 7
    return t
""",
    "while_loop": """
def main():
    i = 0
    s = 0
    while i < 40000:
        if i % 3 == 0:
            s += i
        i += 1
    return s
""",
    "dict_str_attr": """
class Acc:
    def __init__(self):
        self.n = 0
        self.words = {}
    def add(self, w):
        self.n = self.n + 1
        self.words[w] = self.words.get(w, 0) + 1
def main():
    acc = Acc()
    text = "the quick brown fox jumps over the lazy dog and runs away from the bear " * 40
    for k in range(8):
        for w in text.split():
            if w.startswith("b") or w == "fox":
                w = w.upper()
            acc.add(w)
    out = []
    for w, c in sorted(acc.words.items()):
        out.append(w + "=" + str(c))
    return ",".join(out)
""",
    "listcomp": """
def main():
    tot = 0
    for k in range(25):
        xs = [i * 3 + 1 for i in range(1000)]
        ys = [x - 1 for x in xs if x % 2 == 0]
        d = {y: y + 1 for y in ys}
        tot = tot + len(d) + sum(ys)
    return tot
""",
    "jsonish": """
def enc(o):
    if isinstance(o, str):
        return '"' + o.replace('"', '\\\\"') + '"'
    if isinstance(o, dict):
        return "{" + ",".join([enc(k) + ":" + enc(v) for k, v in o.items()]) + "}"
    if isinstance(o, list):
        return "[" + ",".join([enc(x) for x in o]) + "]"
    if o is None:
        return "null"
    if o is True:
        return "true"
    return str(o)
def main():
    n = 0
    for i in range(25):
        rec = {"id": i, "name": "user" + str(i), "tags": ["a", "b", "c"], "pos": {"x": i * 2, "y": i + 1.5}, "ok": None}
        n += len(enc([rec] * 10))
    return n
""",
}
_IN_PLACE = {"+=": operator.iadd, "-=": operator.isub, "*=": operator.imul}


def plain(source: str) -> Callable[[], Any]:
    """CPython as it is."""
    names: dict[str, Any] = {}
    exec(compile(source, "<plain>", "exec"), names)
    return names["main"]  # type: ignore[no-any-return]


def raw(source: str) -> Callable[[], Any]:
    """RestrictedPython with the guards of its own documentation, without limits."""
    result = compile_restricted_exec(source)
    if result.errors:
        raise SyntaxError(result.errors[0])
    builtins = {**safe_builtins, **utility_builtins, **limited_builtins}
    builtins |= {
        "list": list,
        "dict": dict,
        "sum": sum,
        "range": range,
        "sorted": sorted,
        "str": str,
        "isinstance": isinstance,
    }
    names: dict[str, Any] = {
        "__builtins__": builtins,
        "__name__": "raw",
        "__metaclass__": type,
        "_getattr_": safer_getattr,
        "_getitem_": operator.getitem,
        "_getiter_": iter,
        "_write_": lambda value: value,
        "_inplacevar_": lambda symbol, left, right: _IN_PLACE[symbol](left, right),
        "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
        "_unpack_sequence_": guarded_unpack_sequence,
    }
    exec(result.code, names)
    return names["main"]  # type: ignore[no-any-return]


def restricted(source: str) -> Callable[[], Any]:
    """This engine, its meter running."""
    sandbox = Sandbox(1 << 30)
    sandbox.meter.enter(Account(FUEL, FUEL, step_ms=10.0**9))
    return sandbox.run_source(source, "bench.py")["main"]  # type: ignore[no-any-return]


def measure(functions: list[Callable[[], Any]]) -> list[float]:
    """Median seconds of each, run in turns, so that a change of the machine's load falls on all."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, kept in zip(functions, times, strict=True):
            began = time.perf_counter()
            function()
            kept.append(time.perf_counter() - began)
    return [statistics.median(kept) for kept in times]


def main() -> None:
    """Print the table, then what loading costs."""
    print(f"Python {sys.version.split()[0]}; ratios to plain CPython, medians of {ROUNDS} runs in turns")
    print(f"{'workload':<16}{'plain ms':>10}{'raw RestrictedPython':>24}{'restricted':>14}")
    ratios: list[tuple[float, float]] = []
    for name, source in WORKLOADS.items():
        functions = [plain(source), raw(source), restricted(source)]
        assert len({repr(function()) for function in functions}) == 1, name
        base, first, second = measure(functions)
        ratios.append((first / base, second / base))
        print(f"{name:<16}{base * 1e3:>10.2f}{first / base:>24.2f}{second / base:>14.2f}")
    means = [statistics.geometric_mean(column) for column in zip(*ratios, strict=True)]
    print(f"{'geometric mean':<16}{'':>10}{means[0]:>24.2f}{means[1]:>14.2f}")
    _print_loading()


def _print_loading() -> None:
    source = "".join(WORKLOADS.values()) * 3
    cache = CompileCache()
    cache.compile(source, "m.py")
    cold, stock, warm, fresh = measure(
        [
            lambda: compile_source(source, "m.py"),
            lambda: compile_restricted_exec(source),
            lambda: cache.compile(source, "m.py"),
            lambda: Sandbox(1 << 20, cache=cache),
        ]
    )
    lines = source.count("\n")
    print(
        f"compile {lines} lines: {cold * 1e3:.1f} ms, {cold / stock:.2f}x raw RestrictedPython; "
        f"cached {warm * 1e6:.0f} us"
    )
    print(f"a new sandbox: {fresh * 1e6:.0f} us")


if __name__ == "__main__":
    main()
