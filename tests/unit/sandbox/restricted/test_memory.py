"""Memory: what is held counts, wherever it lies; what was dropped does not; and nobody pays for another's growth."""

# ruff: noqa: E501 - modules read best on one line

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import attrs
import pytest

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached
from plataforma_sdk.sandbox.restricted._growth import Growth, System
from plataforma_sdk.sandbox.restricted._memory import MemoryAccount
from tests.unit.sandbox.restricted.restricted_kit import Runner

MIB = 1 << 20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the pages of a thread")

# --- what is charged and dropped is not held -----------------------------------------------------------------------

DROPS = {
    "a page built by +=": "html = ''\nfor i in range(3_000):\n    html += '<tr><td>' + 'x' * 90 + str(i) + '</td></tr>'",
    "a list built by +=": "rows = []\nfor i in range(6_000):\n    rows += [i]",
    "texts made and dropped": "for i in range(20_000):\n    y = 'x' * 5_000 + str(i)",
    "lists made and dropped": "for i in range(300):\n    y = [0] * 100_000",
    "cycles": "class N:\n    pass\nfor i in range(100_000):\n    n = N()\n    n.me = n",
    "copies": "rows = list(range(20_000))\nfor i in range(500):\n    rows = rows[:]",
}


@pytest.mark.parametrize("source", DROPS.values(), ids=DROPS.keys())
def test_what_is_dropped_again_never_trips(source):
    """Each charges many times the limit, and holds a small part of it at any moment."""
    runner = Runner(memory=16 * MIB)
    runner.run(source, fuel=10**7)

    assert runner.meter.tripped is None
    assert runner.sandbox.memory.settle() < 4 * MIB


# --- what is held trips ----------------------------------------------------------------------------------------------

HOARDS = {
    "texts": "x = []\nwhile True:\n    x.append('y' * 4_000 + str(len(x)))",
    "lists": "x = []\nwhile True:\n    x.append([0] * 10_000)",
    "floats": "x = []\nwhile True:\n    x.append(len(x) * 1.5)",
    "tuples": "x = []\nwhile True:\n    x.append((len(x), x))",
    "a linked list": "class N:\n    pass\nhead = None\nwhile True:\n    n = N()\n    n.next = head\n    head = n",
    "a local": "class N:\n    pass\ndef f():\n    head = None\n    while True:\n        n = N()\n        n.next = head\n        head = n\nf()",
    "a comprehension": "x = [(i, i + 0.5) for i in range(10**9)]",
    "a dict comprehension": "x = {i: (i, i + 0.5) for i in range(10**9)}",
    "a comprehension of lists": "x = [[0] * 10_000 for i in range(10**9)]",
    "generators": "def g():\n    x = [(i,) for i in range(1_000)]\n    yield x\nkept = []\nwhile True:\n    it = g()\n    next(it)\n    kept.append(it)",
    "recursion": "def f(n):\n    x = [(i,) for i in range(10_000)]\n    return f(n + 1) + len(x)\nf(0)",
    "iterators": "x = []\nwhile True:\n    x.append(iter([1] * 500))",
    "an argument": "def f(x):\n    while True:\n        x.append('y' * 4_000)\nf([])",
    "a class": "class C:\n    rows = []\nwhile True:\n    C.rows.append('y' * 4_000)",
}  # fmt: skip


ROOT = Path(__file__).parents[4]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
HOARDING = """
import sys
from tests.unit.sandbox.restricted.restricted_kit import Runner
from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from plataforma_sdk.sandbox.restricted._process import faulted_bytes

before = faulted_bytes()
runner = Runner(memory=16 << 20)
try:
    runner.run(sys.argv[1], fuel=10**7)
except LimitReached as limit:
    print(limit.resource, faulted_bytes() - before)
"""


@LINUX
@pytest.mark.parametrize("source", HOARDS.values(), ids=HOARDS.keys())
def test_what_is_held_trips_near_the_limit(source):
    """Charged or not, reachable or in a temporary: what is touched on the way is at most three times the limit.

    Measured in a process of its own: in that of a whole test run the faults of other tests' memory count too.
    """
    done = subprocess.run(
        [sys.executable, "-c", HOARDING, source], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    resource, touched = done.stdout.split()

    assert resource in {"memory", "stack"}
    assert int(touched) < 48 * MIB


PLACES = {
    "a global": "x = {big}",
    "an attribute": "class C:\n    pass\nc = C()\nc.x = {big}",
    "a class attribute": "class C:\n    x = {big}",
    "a closure": "def outer():\n    x = {big}\n    return lambda: x\nf = outer()",
    "a default": "def f(x={big}):\n    return x",
    "a generator": "def g():\n    x = {big}\n    yield x\nit = g()\nnext(it)",
    "a bound method": "class C:\n    def m(self):\n        pass\nf = (lambda c: c.m)(C())\nf2 = [{big}].append",
    "an iterator": "it = iter({big})",
    "a lazy iterator": "it = enumerate(zip({big}))",
    "a deque": "import collections\nx = collections.deque({big})",
    "a counter": "import collections\nx = collections.Counter({big})",
    "a set": "x = set({big})",
    "dict values": "x = {{1: {big}}}.values()",
    "an exception": "try:\n    raise ValueError({big})\nexcept ValueError as error:\n    kept = error",
    "a traceback": "def f():\n    x = {big}\n    raise ValueError\ntry:\n    f()\nexcept ValueError as error:\n    kept = error",
    "a partial": "import functools\nf = functools.partial(len, {big})",
    "matches": "import re\nkept = [re.match('.', text * 50) for text in {big}[:1_500]]",
    "a cache": "import functools\n@functools.lru_cache(None)\ndef f(n):\n    return {big}\nf(1)",
    "a default of a generator function": "def g(x={big}):\n    yield x",
    "a default of a coroutine function": "async def g(x={big}):\n    return x",
    "a default of __exit__": "class C:\n    def __exit__(self, a, b, c, x={big}):\n        pass",
    "a property": "class C:\n    x = property(lambda self, y={big}: y)",
    "a chain": "import itertools\nit = itertools.chain({big}, [1])",
    "a tee": "import itertools\na, b = itertools.tee({big})\nkept = sum(1 for x in a)",
    "a record": "from dataclasses import dataclass\n@dataclass\nclass R:\n    x: list\nr = R({big})",
    "a closure in a cell of an attribute": "class C:\n    pass\nc = C()\nc.f = (lambda x: lambda: x)({big})",
    "an async generator": "async def g(x):\n    yield x\nit = g({big})",
    "a coroutine not begun": "import asyncio\nasync def g(x):\n    return x\nq = asyncio.Queue()\nq.put_nowait(({big},))",
    "a slice object": "class C:\n    def __getitem__(self, key):\n        return key\nx = [C()[i:str(i) * 20] for i in range(20_000)]",
    "a sort key": "import functools\nk = functools.cmp_to_key(lambda a, b: 0)({big})",
    "a queue": "import asyncio\nq = asyncio.Queue()\nq.put_nowait({big})",
}
BIG = "[str(i) * 20 for i in range(20_000)]"


@pytest.mark.parametrize("source", PLACES.values(), ids=PLACES.keys())
def test_what_is_held_is_found(run, load, source):
    """Wherever a module keeps something, the measure finds it: some 3 MB in each place."""

    async def main():
        loaded = await load(head=source.format(big=BIG))
        memory = loaded.instance._sandbox.memory
        assert memory._measure() > 2.5 * MIB
        await loaded.instance.close()

    run(main())


HELD_BY_THE_HOST = """
async def waiting(self):
    x = [str(i) * 20 for i in range(20_000)]
    await asyncio.Event().wait()
    return x

async def group(self):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(self.waiting())

async def background(self):
    self.task = asyncio.create_task(self.waiting())

def subscribed(self):
    x = [str(i) * 20 for i in range(20_000)]
    self.subscribe("data.x", lambda event: x)

def fine(self):
    return 1
"""


@pytest.mark.parametrize("method", ["waiting", "group", "background", "subscribed"])
def test_what_the_host_holds_for_a_module_counts(run, load, method):
    async def main():
        loaded = await load(HELD_BY_THE_HOST, permissions=("events.subscribe",))
        before = loaded.instance._sandbox.memory._measure()
        call = asyncio.ensure_future(loaded.call(method))
        await asyncio.sleep(0.05)
        assert loaded.instance._sandbox.memory._measure() - before > 2.5 * MIB
        await loaded.instance.close()
        await asyncio.wait([call])
        call.exception()

    run(main())


def test_what_a_file_left_behind_counts_though_its_import_failed(run, load):
    async def main():
        loaded = await load(
            head="from . import kept\ntry:\n    from . import broken\nexcept ValueError:\n    pass",
            files={
                "kept.py": "rows = []",
                "broken.py": f"from . import kept\ndef f(x={BIG}):\n    return x\nkept.rows.append(f)\nraise ValueError",
            },
        )
        assert loaded.instance._sandbox.memory._measure() > 2.5 * MIB
        await loaded.instance.close()

    run(main())


def test_what_is_the_hosts_does_not_count(run, load):
    async def main():
        loaded = await load("def probe(self):\n    self.x = self.subscribe\n    self.y = ui.text\n    self.z = asyncio")
        await loaded.call("probe")
        assert loaded.instance._sandbox.memory._measure() < 100_000

    run(main())


def test_shared_objects_count_once(runner):
    alone = runner.run("x = ['y' * 100_000]") and runner.sandbox.memory._measure()
    shared = runner.run("x = ['y' * 100_000] * 100") and runner.sandbox.memory._measure()

    assert shared - alone < 10_000


def test_a_thorough_measure_does_not_believe_samples():
    """Numbers where a quick measure samples, texts of a kilobyte everywhere else: it takes all of them for numbers."""
    runner = Runner()
    runner.run(f"x = [1.5 if i % {50_000 // 128} == 0 else 'y' * 1_000 + str(i) for i in range(50_000)]")
    memory = runner.sandbox.memory

    assert memory._measure(is_thorough=True) > 50 * MIB
    runner.run(f"y = [[i] * 100 if i % {20_000 // 128} else 1.5 for i in range(20_000)]")
    assert memory._measure() < memory._measure(is_thorough=True) or memory._measure(is_thorough=True) > 64 * MIB


# --- growth ------------------------------------------------------------------------------------------------------


@attrs.define
class FakeSystem:
    """Counters that a test sets."""

    faulted: int = 0
    resident: int = 1_000 * MIB

    def grow(self, size):
        self.faulted += size
        self.resident += size

    def readers(self):
        return System(lambda: self.faulted, lambda: self.resident)


def test_growth_is_what_was_touched_and_stayed():
    system = FakeSystem()
    growth = Growth(64 * MIB, system.readers())
    growth.look(2, 0)
    system.grow(20 * MIB)
    growth.look(8, 0)
    assert growth.of_step() == 0  # what it began with, before anyone looked
    system.grow(20 * MIB)
    growth.look(14, 0)
    system.resident -= 5 * MIB

    assert growth.touched == 40 * MIB
    assert growth.of_step() == 15 * MIB


def test_growth_of_other_threads_is_nobodys():
    system = FakeSystem()
    growth = Growth(64 * MIB, system.readers())
    growth.look(2, 0)
    system.resident += 500 * MIB
    growth.look(100, 0)

    assert (growth.touched, growth.of_step()) == (0, 0)
    assert growth.of_process() == 500 * MIB


def test_growth_beyond_what_the_code_can_have_made_is_its_hosts():
    """A host function called from the step loads 400 MB; the module burnt two checkpoints and was charged 1 MB."""
    system = FakeSystem()
    growth = Growth(64 * MIB, system.readers())
    growth.look(2, 0)
    system.grow(400 * MIB)
    growth.look(4, MIB)

    assert growth.touched == 17 * MIB


def test_what_the_host_gives_back_does_not_hide_what_comes_after():
    system = FakeSystem()
    growth = Growth(64 * MIB, system.readers())
    system.resident -= 500 * MIB
    assert growth.of_process() == 0
    system.grow(40 * MIB)

    assert growth.of_process() == 40 * MIB


def test_a_system_that_counts_nothing_leaves_the_account_alone():
    """Charges beyond eight times the limit in one step trip then, whatever is measured."""
    runner = Runner(memory=MIB)
    sandbox = runner.sandbox
    sandbox.meter.source.watch = MemoryAccount(
        runner.meter, sandbox.memory._reach, tuple, sandbox.memory._breaker, System(lambda: 0, lambda: 0)
    )
    runner.run("for i in range(50):\n    y = 'x' * 100_000")
    with pytest.raises(LimitReached, match="memory"):
        runner.run("for i in range(1_000):\n    y = 'x' * 100_000")


@LINUX
def test_a_host_that_grows_meanwhile_ends_no_module():
    """A thread of the host's takes ten times the module's limit while the module computes."""
    runner = Runner(memory=8 * MIB)
    is_over = threading.Event()
    kept = []

    def grow():
        while not is_over.is_set() and len(kept) < 20:
            kept.append(bytearray(b"x") * (4 * MIB))
            time.sleep(0.001)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        runner.run("t = 0\nfor i in range(1_500_000):\n    t = t + i\nrows = [(i,) for i in range(10_000)]", fuel=10**7)
    finally:
        is_over.set()
        thread.join()

    assert len(kept) > 10
    assert runner.meter.tripped is None


def test_what_steps_hoard_together_trips(run, load):
    """Each step takes a little and hands it to the next: the sum of all is looked at, not each alone."""

    async def main():
        loaded = await load(
            """
            async def on_load(self):
                self.rows = []
            async def hoard(self):
                while True:
                    for i in range(3_000):
                        self.rows.append((i, [i]))
                    await asyncio.sleep(0)
            """,
            limits=ResourceLimits(max_memory_bytes=16 * MIB, max_step_ms=5_000, max_call_ms=15_000, max_fuel=10**8),
        )
        await loaded.call("@load")
        with pytest.raises(ResourceLimitError) as caught:
            await loaded.call("hoard")
        assert caught.value.resource == "memory"

    run(main())


def test_what_calls_hoard_together_ends_the_instance(run, load):
    async def main():
        loaded = await load(
            "async def on_load(self):\n    self.rows = []\ndef hoard(self):\n    for i in range(2_000):\n        self.rows.append((i, [i]))",
            limits=ResourceLimits(max_memory_bytes=8 * MIB, max_step_ms=5_000),
        )
        await loaded.call("@load")
        calls = 0
        with contextlib.suppress(ResourceLimitError):
            while calls < 1_000:
                await loaded.call("hoard")
                calls += 1
        assert 5 < calls < 200
        with pytest.raises(ResourceLimitError, match="memory"):
            await loaded.call("hoard")

    run(main())


def test_an_account_is_what_the_monitor_shows(run, load):
    async def main():
        loaded = await load("def keep(self):\n    self.x = [str(i) * 20 for i in range(50_000)]")
        await loaded.call("keep")
        held = loaded.instance._sandbox.memory._measure()
        assert loaded.monitor.usage.memory_bytes <= held
        assert held > 6 * MIB

    run(main())


def test_a_measure_in_a_step_is_given_once_and_then_counts(runner):
    """The first is on the host's time, so that a large honest module is not ended by its own size."""
    meter, memory = runner.meter, runner.sandbox.memory
    outer = meter.enter(Account(10**6, 10**6, step_ms=10_000.0))

    def work():
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass
        return 0

    memory._in_step(work)
    first = meter.source.clock.own_s()
    memory._in_step(work)
    second = meter.source.clock.own_s() - first
    meter.leave(outer)

    assert first < 0.01
    assert second >= 0.02
