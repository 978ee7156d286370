"""Instances made ahead: each for one module, freed when nobody wants them, and no different to a seeded run."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import ResourceLimitError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.sandbox import ModuleSandbox, ResourceLimits
from plataforma_sdk.sandbox.wasm import WasmEngine, _pool
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
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
        ready = [store._context for store in pool._ready]
        await other.close()
        assert (len(pool), pool._warming, pool._turn) == (0, None, None)
        assert not set(ready) & set(hosts)

    run(main())


def test_engines_that_are_compiled_in_two_ways_have_pools_of_their_own(run, wasm):
    async def main():
        package, by_epoch = FakePackage({"probe.py": HEAD}), WasmEngine(metering="epoch")
        for engine in (wasm, by_epoch, wasm, by_epoch):
            probe = await engine.load(package, make_context(FakeBridge()))
            assert probe._pump._store._compiled is engine._launcher.fibers
            await until(lambda engine=engine: len(pool_of(engine._launcher.fibers)) > 0)
            await probe.close()
        await wasm.close()
        assert len(pool_of(by_epoch._launcher.fibers)) > 0
        await by_epoch.close()
        assert not pool_of(by_epoch._launcher.fibers)

    run(main())


def test_what_nobody_claims_is_freed(run, load, monkeypatch):
    async def main():
        async with load():
            pool = await filled()
            monkeypatch.setattr(_pool, "KEPT_S", 0.0)
            ready = [store._context for store in pool._ready]
            await until(lambda: len(pool) == 0 and pool._warming is None)
            assert not set(ready) & set(compiled_runner().hosts)

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
        before = count_modules(compiled_runner().hosts)
        with pytest.raises(ResourceLimitError):
            await wasm.load(FakePackage({"probe.py": HEAD}), make_context(FakeBridge(), max_memory_bytes=5 * MIB))
        assert len(pool) == _pool.SIZE
        assert count_modules(compiled_runner().hosts) == before

    run(main())


SPINS = """
from plataforma_sdk import ModuleFramework, ui

class Probe(ModuleFramework):
    async def on_load(self):
        self.count = 0

    def render(self):
        return ui.text("probe")

    def add(self):
        self.count += 1
        return self.count

    def spin(self):
        while True:
            pass
"""


def test_a_poisoned_instance_is_replaced_by_one_of_the_pool_and_loads_anew(run, wasm):
    async def main():
        package = ModulePackage.from_source(SPINS, id="probe")
        async with ModuleSandbox(package, engine=wasm, limits=ResourceLimits(max_fuel=50_000_000)) as sandbox:
            await filled()
            assert await sandbox.call("add") == 1
            ready = list(pool_of(compiled_runner())._ready)
            with pytest.raises(ResourceLimitError) as caught:
                await sandbox.call("spin")
            assert caught.value.replaced
            assert sandbox._supervisor.instance._pump._store in ready
            assert (sandbox.restarts, await sandbox.call("add")) == (1, 1)

    run(main())


def test_where_the_manifest_forbids_it_a_poisoned_instance_is_not_replaced(run, wasm):
    async def main():
        package = ModulePackage.from_source(SPINS, id="probe", restart=False)
        async with ModuleSandbox(package, engine=wasm, limits=ResourceLimits(max_fuel=50_000_000)) as sandbox:
            pool = await filled()
            await until(lambda: len(pool) == _pool.SIZE)
            with pytest.raises(ResourceLimitError) as caught:
                await sandbox.call("spin")
            assert not caught.value.replaced
            assert (sandbox.state, len(pool)) == ("failed", _pool.SIZE)

    run(main())


def test_a_busy_loop_makes_nothing_ahead(run, load):
    async def main():
        async with load():
            pool = pool_of(compiled_runner())
            pool.close()
            assert pool.take(2**40) is None  # and it would have one made now
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
