"""What the restricted engine costs, side by side with its peers: ``python -m tests.bench restricted`` (under 60 s).

Eleven workloads (`workloads/`; the first six are the lab's of the engine's design), each run in turns within one run
as plain CPython, as raw RestrictedPython without limits, by this engine, fully guarded and metered, and by
pydantic-monty, starlark and quickjs where they are installed (``nox -s bench`` installs them) and can run it.
Ratios to plain CPython are what counts; a peer's mean is over the workloads that it runs.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._fuel import Account
from plataforma_sdk.sandbox.restricted._gates import Gates
from plataforma_sdk.sandbox.restricted._host_module import host_function
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from tests.bench import peers

ROUNDS = 15
FUEL = 10**12
CALLS = 20_000
FOLDER = Path(__file__).parent / "workloads"
NAMES = (
    "fib",
    "nested_loops",
    "while_loop",
    "dict_str_attr",
    "listcomp",
    "jsonish",
    "records",
    "sales",
    "matrix",
    "text",
    "generators",
)


def plain(source: str) -> Callable[[], Any]:
    """CPython as it is."""
    names: dict[str, Any] = {}
    exec(compile(source, "<plain>", "exec"), names)
    return names["main"]  # type: ignore[no-any-return]


def restricted(source: str) -> Callable[[], Any]:
    """This engine, its meter running."""
    return metered(source)["main"]  # type: ignore[no-any-return]


def metered(source: str, make: Callable[[Gates], dict[str, Any]] | None = None) -> dict[str, Any]:
    """Run a source in a sandbox of its own, `make`'s names defined, and return its globals; the meter stays on."""
    sandbox = Sandbox(1 << 30)
    meter = sandbox.meter
    crossing = Crossing(
        meter.charge, sandbox.iterables.bounded, lambda function: host_function(function, crossing), meter.alloc
    )
    meter.enter(Account(FUEL, FUEL, step_ms=10.0**9))
    return sandbox.run_source(source, "bench.py", make(Gates(meter, crossing)) if make else None)


def measure(functions: list[Callable[[], Any]], rounds: int = ROUNDS) -> list[float]:
    """Median processor seconds of each, run in turns, so that a change of the machine's load falls on all."""
    times: list[list[float]] = [[] for _ in functions]
    clocks = [
        time.perf_counter if isinstance(item, peers.InAnotherProcess) else time.process_time for item in functions
    ]
    for _ in range(rounds):
        for function, clock, kept in zip(functions, clocks, times, strict=True):
            began = clock()
            function()
            kept.append(clock() - began)
    return [statistics.median(kept) for kept in times]


@contextmanager
def runners() -> Iterator[dict[str, Callable[[str], Callable[[], Any]]]]:
    """Name -> how to make a function of a workload's name; peers raise where they cannot run it."""
    with ExitStack() as stack:
        made = {
            "plain": lambda name: plain(_source(name)),
            "raw RP": lambda name: peers.raw(_source(name)),
            "restricted": lambda name: restricted(_source(name)),
            **{peer: lambda name, run=run: run(FOLDER / name) for peer, run in peers.installed(stack).items()},
        }
        yield made


def _source(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text("utf-8")


def main() -> None:
    """Print the table, then what a call of the host costs."""
    print(f"Python {sys.version.split()[0]}; ratios to plain CPython, medians of {ROUNDS} runs in turns")
    with runners() as made:
        print(f"{'workload':<16}{'plain ms':>10}" + "".join(f"{name:>12}" for name in list(made)[1:]))
        ratios = {name: _compare(name, made) for name in NAMES}
    peers_only = [peer for peer in made if peer != "plain"]
    cells = "".join(f"{_mean(ratios, peer):>12}" for peer in peers_only)
    print(f"{'geometric mean':<16}{'':>10}{cells}")
    for peer in peers_only[2:]:
        common = {name: row for name, row in ratios.items() if peer in row}
        ours, theirs = _mean(common, "restricted"), _mean(common, peer)
        print(f"on the {len(common)} workloads that {peer} runs: restricted {ours}, {peer} {theirs}")
    _print_calls()


def _compare(name: str, made: dict[str, Callable[[str], Callable[[], Any]]]) -> dict[str, float]:
    """Measure one workload and print its row: peer -> ratio to plain."""
    functions: dict[str, Callable[[], Any]] = {}
    for peer, make in made.items():
        try:
            function = make(name)
            answer = function()
        except Exception as error:  # a peer's own error, of whatever kind: it cannot run this one
            if peer in ("plain", "raw RP", "restricted"):
                raise
            del error
            continue
        functions[peer] = function
        assert peers.same(answer, functions["plain"]()), (name, peer, answer)
    times = dict(zip(functions, measure(list(functions.values())), strict=True))
    row = {peer: seconds / times["plain"] for peer, seconds in times.items()}
    cells = "".join(f"{row[peer]:>12.2f}" if peer in row else f"{'-':>12}" for peer in list(made)[1:])
    print(f"{name:<16}{times['plain'] * 1e3:>10.2f}{cells}", flush=True)
    return row


def _mean(ratios: dict[str, dict[str, float]], peer: str) -> str:
    values = [row[peer] for row in ratios.values() if peer in row]
    return f"{statistics.geometric_mean(values):.2f}" if values else "-"


_CALLING = """
def call(n):
    for i in range(n):
        capability(i)
def nothing(n):
    for i in range(n):
        pass
"""


def _print_calls() -> None:
    """What it costs a module to call a capability: a gate, and a host function that returns its argument."""
    names = metered(_CALLING, lambda gates: {"capability": gates.now(lambda value: value, "capability")})
    direct: dict[str, Any] = {"capability": lambda value: value}
    exec(_CALLING, direct)
    functions = [lambda f=f: f(CALLS) for f in (names["call"], names["nothing"], direct["call"], direct["nothing"])]
    gate, empty, plain_call, plain_empty = measure(functions)
    nanoseconds = [seconds / CALLS * 1e9 for seconds in (gate - empty, plain_call - plain_empty)]
    print(f"a capability call: {nanoseconds[0]:.0f} ns; a plain Python call: {nanoseconds[1]:.0f} ns")


if __name__ == "__main__":
    main()
