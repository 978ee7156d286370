"""Instances made ahead: each for one module, freed when nobody wants them, and no different to a seeded run."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.sandbox.wasm import WasmEngine, _pool
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._errands import ErrandHost
from plataforma_sdk.sandbox.wasm._pool import pool_of
from plataforma_sdk.types import FakeClock

from .conftest import HEAD, FakeBridge, FakePackage, count_modules, make_context

MIB = 2**20
PATIENCE_S = 20.0


@pytest.fixture
def wasm() -> WasmEngine:
    """Only guests on fibers are made ahead."""
    return WasmEngine(mode="fibers")


async def until(condition, patience_s=PATIENCE_S):
    """Let the loop idle until a condition holds."""
    async with asyncio.timeout(patience_s):
        while not condition():
            await asyncio.sleep(0.002)


async def filled():
    """Return the loop's pool with an instance in it; nothing is made before a first load."""
    pool = pool_of(compiled_runner())
    await until(lambda: len(pool) > 0)
    return pool


SPY = """
    def mark(self, name):
        import builtins, sys
        seen = [getattr(builtins, "marked", None), sys.modules.get("marked")]
        builtins.marked = name
        sys.modules["marked"] = name
        return seen
"""


def test_two_modules_never_share_an_instance(run, load):
    async def main():
        places = []
        for name in range(6):
            async with load(SPY) as probe:
                assert await probe.call("mark", name) == [None, None]
                places.append(probe._pump._store)  # kept, so that no address is used twice
            await filled()
        assert len({id(store) for store in places}) == len(places)

    run(main())


def test_live_modules_of_the_pool_have_memories_of_their_own(run, wasm):
    async def main():
        probes, package = [], FakePackage({"probe.py": HEAD + SPY})
        for _ in range(6):
            probes.append(await wasm.load(package, make_context(FakeBridge())))
            await filled()
        contexts = {probe._pump._store._context for probe in probes}
        assert len(contexts) == len(probes)
        for name, probe in enumerate(probes):
            assert await probe.call("mark", name) == [None, None]
        for name, probe in enumerate(probes):
            assert await probe.call("mark", "again") == [name, name]
        for probe in probes:
            await probe.close()

    run(main())


def test_an_instance_of_the_pool_is_claimed_and_another_made_in_idle_time(run, load):
    async def main():
        async with load():
            pool = await filled()
        await until(lambda: len(pool) == _pool.SIZE)
        made = list(pool._ready)
        async with load() as probe:
            assert probe._pump._store is made[0]
            assert made[0] not in pool._ready
            await until(lambda: len(pool) == _pool.SIZE)

    run(main())


def test_nothing_is_made_before_anybody_loads_a_module(run):
    async def main():
        pool = pool_of(compiled_runner())
        await asyncio.sleep(0.1)
        assert (len(pool), pool._warming) == (0, None)

    run(main())


def test_the_pool_is_emptied_with_its_last_engine(run, load, wasm):
    async def main():
        hosts = compiled_runner().hosts
        other = WasmEngine(mode="fibers")
        async with load():
            pool = await filled()
        pool.join(other)
        await wasm.close()
        assert len(pool) > 0
        await other.close()
        assert (len(pool), pool._warming, pool._turn) == (0, None, None)
        assert not any(isinstance(host, ErrandHost) for host in hosts.values())

    run(main())


def test_what_nobody_claims_is_freed(run, load, monkeypatch):
    monkeypatch.setattr(_pool, "KEPT_S", 0.4)

    async def main():
        async with load():
            pool = pool_of(compiled_runner())
            await until(lambda: len(pool) > 0)
            await until(lambda: len(pool) == 0)

    run(main())


BODY = """
    def draw(self):
        import gc, os, random, uuid
        class Node:
            pass
        return [random.random(), os.urandom(4).hex(), str(uuid.uuid4()), list({"b", "a", "c", "zz"}), hash("x"),
                id(Node()), repr(object()), gc.get_count(), asyncio.current_task().get_name()
                if asyncio.current_task() else None]

    async def later(self):
        return asyncio.current_task().get_name()
"""


def test_a_seeded_run_is_the_same_from_the_pool_and_without_one(run, load):
    async def drawn():
        context = make_context(FakeBridge(), seed=7, clock=FakeClock())
        async with load(BODY, context=context) as probe:
            results = [await probe.call("draw"), await probe.call("later"), await probe.call("draw")]
            return results, context.monitor.usage.fuel, probe._pump._store

    async def main():
        async with load(BODY):
            """Compiled, so that both runs load from the cache."""
        pool = pool_of(compiled_runner())
        pool.close()
        without, its_fuel, _ = await drawn()
        await filled()
        ready = list(pool._ready)
        within, fuel, store = await drawn()
        assert store in ready
        assert (within, fuel) == (without, its_fuel)

    run(main())


def test_an_instance_of_the_pool_keeps_to_the_limits_of_its_module(run, load):
    async def main():
        async with load():
            pool = await filled()
        ready = list(pool._ready)
        async with load("    def grow(self):\n        return len(bytearray(30_000_000))\n") as wide:
            assert await wide.call("grow") == 30_000_000
        await filled()
        ready = list(pool._ready)
        body = "    def grow(self):\n        return len(bytearray(30_000_000))\n"
        async with load(body, max_memory_bytes=48 * MIB) as narrow:
            assert narrow._pump._store in ready
            with pytest.raises(ResourceLimitError) as caught:
                await narrow.call("grow")
            assert caught.value.resource == "memory"

    run(main())


def test_a_limit_that_no_instance_fits_is_refused_and_leaves_the_pool_as_it_is(run, load, wasm):
    async def main():
        async with load():
            pool = await filled()
        await until(lambda: len(pool) == _pool.SIZE)
        with pytest.raises(ResourceLimitError):
            await wasm.load(FakePackage({"probe.py": HEAD}), make_context(FakeBridge(), max_memory_bytes=5 * MIB))
        assert len(pool) == _pool.SIZE
        assert count_modules(compiled_runner().hosts) == 0

    run(main())


def test_a_busy_loop_makes_nothing_ahead(run, load):
    async def main():
        async with load():
            pool = pool_of(compiled_runner())
            pool.close()
        async with load():
            end = asyncio.get_running_loop().time() + 0.3
            while asyncio.get_running_loop().time() < end:
                _spin(0.006)
                await asyncio.sleep(0)
            assert (len(pool), pool._warming) == (0, None)

    run(main())


def _spin(seconds):
    import time

    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
