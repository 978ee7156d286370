"""The same module with the same budget stops at the same instruction: in every run, process and state of its host."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import subprocess
import sys
import threading

import pytest

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.restricted._cache import CompileCache
from plataforma_sdk.sandbox.restricted._fuel import SLICE, Account, LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner

PROGRAM = """
import json
import re

class Cart:
    rate = 3
    def __init__(self, name):
        self.name = name
        self.rows = []
    def __eq__(self, other):
        done.append("eq")
        return self.name == other.name
    def __lt__(self, other):
        done.append("lt")
        return self.name < other.name
    def add(self, *rows):
        for row in rows:
            self.rows.append(row)
            done.append(row)
        return self
    @property
    def total(self):
        return sum(row * self.rate for row in self.rows)

def numbers(n):
    try:
        for i in range(n):
            yield i
    finally:
        done.append("closed")

def fails(n):
    try:
        if n % 2:
            raise ValueError(n)
        return fails(n - 1)
    except ValueError as error:
        done.append(error.args[0])
    finally:
        done.append("finally")

def main():
    carts = [Cart("c"), Cart("a"), Cart("b")]
    for cart in carts:
        cart.add(1, 2, 3)
    names = [cart.name for cart in sorted(carts)]
    done.append(names)
    squares = {i: i * i for i in range(9)}
    words = {word.upper() for word in "the quick brown fox the lazy dog".split()}
    done.append(len(words))
    done.append(sum(x for x in numbers(7) if x % 2))
    for x in numbers(50):
        if x == 4:
            break
    i = 0
    while i < 12:
        i += 1
        if i == 5:
            continue
        done.append(i)
    done.append([a + b for a in "ab" for b in "cd"])
    done.append(json.dumps(squares) + json.loads("[1, 2]").__class__.__name__ if False else json.dumps(squares))
    done.append(re.sub("[aeiou]", "-", "determinism"))
    done.append(max(carts, key=lambda cart: cart.total).name)
    done.append(list(map(lambda x: x + 1, range(5))))
    text = "x" * 9000
    done.append(len(text.replace("x", "yz")))
    done.append(sorted(range(40), reverse=True)[0])
    done.append(carts[0] in carts)
    done.append(f"{carts[1].total:>8}")
    fails(2)
    with Closing() as it:
        done.append(it)
    return len(done)

class Closing:
    def __enter__(self):
        return "in"
    def __exit__(self, *_):
        done.append("out")

for turn in range(15):
    main()
"""
"""Loops, calls, comprehensions, generators, charged methods, vetted functions, exceptions; and no set's order."""

CACHE = CompileCache()

# A limit that trips while Python closes a dropped generator is reported as unraisable, and raised at the next unit.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def run_with(fuel, runner=None):
    """Run the program; return how far it came, as text, what it used, and whether it tripped."""
    runner = runner or Runner(cache=CACHE)
    done = []
    before = runner.meter.fuel_used
    with contextlib.suppress(LimitReached):
        runner.run(PROGRAM, fuel=fuel, done=done)
    assert runner.meter.tripped is None or runner.meter.tripped.resource == "fuel"
    return repr(done), runner.meter.fuel_used - before, runner.meter.is_stopped


@pytest.fixture(scope="module")
def needed():
    """The units that the whole program burns."""
    _, used, has_tripped = run_with(10**6)
    assert not has_tripped
    return used


def test_a_budget_of_n_stops_at_unit_n(needed):
    """For every n: n units are used, not one more or less, and a larger budget never comes less far."""
    assert needed > SLICE + 50
    reached = 0
    for fuel in (*range(1, 400), *range(SLICE - 50, SLICE + 50)):
        trace, used, has_tripped = run_with(fuel)
        assert (used, has_tripped) == (fuel, True)
        assert len(trace) >= reached
        reached = len(trace)


def test_the_exact_budget_is_enough_and_one_less_is_not(needed):
    assert run_with(needed)[1:] == (needed, False)
    assert run_with(needed - 1)[1:] == (needed - 1, True)


def test_every_run_in_one_process_stops_at_the_same_instruction(needed):
    budgets = range(1, needed, 61)

    assert [run_with(fuel) for fuel in budgets] == [run_with(fuel) for fuel in budgets]


@pytest.mark.parametrize("burnt", [1, 100, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE + 5])
def test_what_ran_before_in_the_sandbox_moves_nothing(needed, burnt):
    runner = Runner(cache=CACHE)
    runner.run(f"for i in range({burnt}):\n    pass")

    assert run_with(needed // 2, runner) == run_with(needed // 2)


def test_a_fault_before_moves_nothing(needed):
    runner = Runner()
    with pytest.raises(ZeroDivisionError):
        runner.run("for i in range(100):\n    x = 1 / (50 - i)")

    assert run_with(needed // 2, runner) == run_with(needed // 2)


def test_other_processes_with_other_hashes_stop_at_the_same_instruction(needed):
    code = (
        "import json, sys\nfrom tests.unit.sandbox.restricted.test_determinism import run_with\n"
        "print(json.dumps([run_with(fuel) for fuel in map(int, sys.argv[1:])]))"
    )
    budgets = [*range(1, needed, 170), needed]
    found = []
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        answer = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, *map(str, budgets)],
            env=environment,
            capture_output=True,
            check=True,
            timeout=60,
        )
        found.append(json.loads(answer.stdout))

    assert found[0] == found[1] == found[2] == [list(run_with(fuel)) for fuel in budgets]


def test_the_garbage_collector_moves_nothing(needed):
    expected = [run_with(fuel) for fuel in range(1, needed, 170)]
    thresholds = gc.get_threshold()
    try:
        for seed in range(3):
            gc.set_threshold(random.Random(seed).randint(1, 40), 2, 2)
            assert [run_with(fuel) for fuel in range(1, needed, 170)] == expected
    finally:
        gc.set_threshold(*thresholds)


def test_a_busy_thread_moves_nothing(needed):
    expected = [run_with(fuel) for fuel in range(1, needed, 170)]
    is_over = threading.Event()

    def work():
        while not is_over.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=work)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        assert [run_with(fuel) for fuel in range(1, needed, 170)] == expected
    finally:
        is_over.set()
        thread.join()
        sys.setswitchinterval(interval)


# --- accounts and steps --------------------------------------------------------------------------------------------

STEPS = "def turn(n):\n    for i in range(n):\n        done.append(i)\n    return [x for x in done if x]\n"


def take_steps(sizes, accounts):
    """Run steps of the sizes given, in turns on the accounts, each with a trace of its own."""
    runner = Runner()
    traces = [[] for _ in accounts]
    functions = [
        runner.sandbox.run_source(STEPS, f"m{number}.py", {"done": trace})["turn"]
        for number, trace in enumerate(traces)
    ]
    used = [0] * len(accounts)
    for number, size in enumerate(sizes):
        which = number % len(accounts)
        before = accounts[which].left
        outer = runner.meter.enter(accounts[which])
        try:
            functions[which](size)
        finally:
            runner.meter.leave(outer)
        used[which] += before - accounts[which].left
    return used, [len(trace) for trace in traces]


def test_interleaved_accounts_burn_what_they_burn_alone():
    """Steps of three coroutines in turns: each account pays for its own, wherever slices end."""
    sizes = [3, 700, 1_500, 40, 2_100, 5, 999, 1, 3_000]
    together = take_steps(sizes, [Account(10**6, 10**6) for _ in range(3)])
    alone = [take_steps(sizes[which::3], [Account(10**6, 10**6)]) for which in range(3)]

    assert together == ([used[0] for used, _ in alone], [length[0] for _, length in alone])


def test_interleaved_sandboxes_stop_where_they_stop_alone():
    """Steps of two sandboxes nest and alternate in one thread, as when one module's event reaches another."""
    done = [[], [], []]
    runners = [Runner(cache=CACHE) for _ in done]
    turns = [
        runner.sandbox.run_source(STEPS, "m.py", {"done": found})["turn"]
        for runner, found in zip(runners, done, strict=True)
    ]
    stops = [[], [], []]

    def step(which):
        runner = runners[which]
        outer = runner.meter.enter(Account(1_500, 1_500))
        with contextlib.suppress(LimitReached):
            turns[which](300)
            if which == 0:
                step(1)
            turns[which](200)
        runner.meter.leave(outer)
        stops[which].append((len(done[which]), runner.meter.fuel_used, runner.meter.is_stopped))

    for _ in range(3):
        with contextlib.suppress(LimitReached):
            step(0)
        with contextlib.suppress(LimitReached):
            step(2)

    assert stops[0] == stops[1] == stops[2]
    assert stops[0][-1][2]


WAITS = """
async def probe(self):
    self.trace = []
    for i in range(12):
        for j in range(i * 7):
            self.trace.append(j)
        await asyncio.sleep(self.pause)
        self.trace.append("woke")
    return "ended"

def set_pause(self, pause):
    self.pause = pause
"""


def test_how_long_a_module_waits_moves_nothing(run, load):
    async def stop(pause, fuel):
        loaded = await load(WAITS, limits=ResourceLimits(max_fuel=fuel, max_step_ms=1_000))
        await loaded.call("set_pause", pause)
        before = loaded.monitor.usage.fuel
        author = loaded.instance._runtime.author
        task = asyncio.ensure_future(loaded.call("probe"))
        seen = []
        while not task.done():
            seen = list(vars(author).get("trace", seen))
            await asyncio.sleep(0)
        with pytest.raises(ResourceLimitError) as caught:
            await task
        assert caught.value.resource == "fuel"
        await loaded.instance.close()
        return len(seen), loaded.monitor.usage.fuel - before

    async def main():
        for fuel in (60, 200, 333):
            stops = [await stop(pause, fuel) for pause in (0, 0.001, 0.004)]
            assert stops[0] == stops[1] == stops[2]
            assert stops[0][1] == fuel

    run(main())


def test_renewed_accounts_stop_at_the_same_unit_in_each_step():
    """A background task has its budget anew in each step, whatever the one before left over."""
    lengths = []
    for before in (0, 1, 50, 99):
        runner = Runner()
        done = []
        account = Account(100, 100, is_renewed=True)
        turn = runner.sandbox.run_source(
            "def turn(n):\n    for i in range(n):\n        done.append(i)", "m.py", {"done": done}
        )["turn"]
        for size in (before, 10**6):
            outer = runner.meter.enter(account)
            done.clear()
            if size > 100:
                with pytest.raises(LimitReached):
                    turn(size)
            else:
                turn(size)
            runner.meter.leave(outer)
        lengths.append(len(done))

    assert lengths == [99] * 4
