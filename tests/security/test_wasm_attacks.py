"""Twelve ways to take a host down, and deep recursions that do: in `wasm` each ends typed, and the neighbours answer.

Source: the attacks that sandboxes were compared by (pyeryx 0.11 aborts the host on 4 of 4 deep recursions).
``PLATAFORMA_ATTACKS=1000`` repeats them at random, as `nox -s attacks` does.
"""

from __future__ import annotations

import asyncio
import os
import random
import textwrap

import pytest

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.errors import GuestError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox import ResourceLimits

LIMITS = ResourceLimits(max_step_ms=100, max_call_ms=2_000, max_memory_bytes=96 * 2**20)
REPETITIONS = int(os.environ.get("PLATAFORMA_ATTACKS", "24"))
SECONDS_EACH = 5

ATTACKS = {
    "endless_loop": "while True: pass",
    "endless_loop_that_catches": """
        while True:
            try:
                while True: pass
            except BaseException: pass
    """,
    "ten_gigabytes": "x = 'a' * 10**10",
    "two_gigabytes": "x = 'a' * (2 * 10**9)",
    "growing_list": """
        rows = []
        while True: rows.append([0] * 100_000)
    """,
    "recursion": """
        def f(n): return f(n + 1)
        f(0)
    """,
    "deep_source": "eval('(' * 100_000 + ')' * 100_000)",
    "deep_repr": """
        rows = []
        for _ in range(1_000_000): rows = [rows]
        repr(rows)
    """,
    "huge_power": "x = 10 ** (10**9)",
    "catastrophic_pattern": "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')",
    "flood_of_output": "for i in range(10**6): print('x' * 1000)",
    "flood_of_host_calls": "while True: self.log('info', 'x')",
    "recursion_without_a_limit": """
        import sys
        sys.setrecursionlimit(10**9)
        def f(n): return f(n + 1) + 1
        f(0)
    """,
    "recursion_through_calls_of_c": """
        import sys
        sys.setrecursionlimit(10**9)
        def f(n): return max(map(f, [n + 1]))
        f(0)
    """,
    "recursion_through_comparisons": """
        import sys
        sys.setrecursionlimit(10**9)
        class A:
            def __eq__(self, other): return [self] == [A()]
        A() == A()
    """,
    "deep_json": "import json; json.loads('[' * 1_000_000)",
    "deep_pickle": """
        import pickle
        rows = []
        for _ in range(100_000): rows = [rows]
        pickle.dumps(rows)
    """,
    "deep_deallocation": """
        rows = None
        for _ in range(1_000_000): rows = (rows,)
        del rows
        raise RuntimeError('done')
    """,
    "exit": "import os; os._exit(3)",
    "abort": "import os; os.abort()",
    "null_pointer": "import ctypes; ctypes.string_at(0)",
}

NEIGHBOUR = ModulePackage.from_source(
    """
from plataforma_sdk import ModuleFramework, ui

class Neighbour(ModuleFramework):
    async def on_load(self):
        self.calls = 0

    def render(self):
        return ui.text("")

    def add(self):
        self.calls += 1
        return self.calls
""",
    id="neighbour",
)


def attacker(name):
    body = textwrap.indent(textwrap.dedent(ATTACKS[name]).strip("\n"), " " * 8)
    return ModulePackage.from_source(
        f"""
from plataforma_sdk import ModuleFramework, ui

class Attacker(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("")

    async def attack(self):
{body}
        return "got through"
""",
        id="attacker",
    )


async def attack(host, name):
    """Run one attack and return the error that ended it; an untyped one, and none, fail the test."""
    module = await host.load(attacker(name))
    try:
        with pytest.raises((ResourceLimitError, GuestError, SandboxCrashedError)) as ended:
            await module.call("attack")
    finally:
        await module.unload()
    return ended.value


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_ends_typed(name):
    """And while it runs, and after it, another module of the same host answers with its state."""

    async def run():
        async with ModuleHost(engine="wasm", limits=LIMITS) as host:
            neighbour = await host.load(NEIGHBOUR)
            attacking = asyncio.create_task(attack(host, name))
            calls = 0
            while not attacking.done():
                calls += 1
                assert await neighbour.call("add") == calls
                await asyncio.sleep(0.001)
            error = attacking.result()
            assert await neighbour.call("add") == calls + 1
            return error

    error = asyncio.run(run())
    assert type(error) is not SandboxCrashedError or name in {"exit", "abort"}


@pytest.mark.timeout(180 + SECONDS_EACH * REPETITIONS)
def test_the_host_survives_attacks_at_random():
    """In an order that is drawn anew each time; the seed is shown where it fails."""
    seed = random.SystemRandom().randrange(2**32)
    chosen = random.Random(seed).choices(sorted(ATTACKS), k=REPETITIONS)

    async def run():
        async with ModuleHost(engine="wasm", limits=LIMITS) as host:
            neighbour = await host.load(NEIGHBOUR)
            for number, name in enumerate(chosen, 1):
                await attack(host, name)
                assert await neighbour.call("add") == number, (seed, number, name)

    asyncio.run(run())
