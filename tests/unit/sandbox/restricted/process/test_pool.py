"""Workers start before they are needed, serve one module, and leave nothing: no process, no zombie, no descriptor."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time

import pytest

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.errors import ModuleStateError, PlataformaError, SandboxError
from plataforma_sdk.sandbox.restricted.process import ProcessEngine, WorkerPool, _engine, _pool, _spawn

from .process_kit import children, descriptors, is_alive, loading, make_context, make_package, until

pytestmark = [
    pytest.mark.usefixtures("bytecode"),
    pytest.mark.skipif(sys.platform != "linux", reason="counts processes and descriptors in /proc"),
]
MODULE = make_package().sources["vendas.py"]


@pytest.fixture
def before(monkeypatch) -> tuple[set[int], set[str]]:
    """The processes and descriptors that were there already; the pool that other tests keep open stays out of it."""
    while _pool.shared_pool()._starting:
        time.sleep(0.005)
    own = WorkerPool()
    monkeypatch.setattr(_engine, "shared_pool", lambda: own)
    return children(), descriptors()


def left(before):
    """What has been added to them."""
    return children() - before[0], descriptors() - before[1]


def ready_pids(pool):
    return [worker.pid for worker in pool._ready]


def test_spares_start_with_the_pool_and_end_with_it(before):
    with WorkerPool(spares=2) as pool:
        deadline = time.monotonic() + 10
        while len(pool._ready) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(children() - before[0]) == 2
    assert left(before) == (set(), set())


def test_a_worker_is_never_used_twice(run, before):
    async def main():
        with WorkerPool(spares=1) as pool:
            engine = ProcessEngine(pool)
            seen = []
            for _ in range(3):
                instance = await engine.load(make_package("def probe(self): return 1"), make_context())
                seen.append(instance.pid)
                await instance.close()
            await engine.close()
            return seen

    assert len(set(run(main()))) == 3
    assert left(before) == (set(), set())


@pytest.mark.timeout(180)
def test_two_hundred_loads_leave_nothing(run, before):
    async def load(engine, package):
        instance = await engine.load(package, make_context())
        assert await instance.call("probe") == 1
        await instance.close()

    async def main():
        engine, package = ProcessEngine(WorkerPool(spares=2)), make_package("def probe(self): return 1")
        await load(engine, package)
        after_one = len(descriptors())
        for _ in range(199):
            await load(engine, package)
        after_all = len(descriptors())
        await engine.close()
        return after_all - after_one

    assert run(main()) < 10  # spares that start just then, not two hundred
    assert left(before) == (set(), set())


def test_closing_a_host_kills_every_worker(run, before):
    async def main():
        async with ModuleHost(engine="restricted", isolation="process") as host:
            for name in ("one", "two"):
                await host.load(ModulePackage.from_source(MODULE, id=name))
            instances = [handle._live._supervisor.instance for handle in host.modules.values()]
            assert len({instance.pid for instance in instances} & children()) == 2

    run(main())
    assert left(before) == (set(), set())


def test_a_load_that_fails_or_is_cancelled_leaves_nothing(run, before):
    async def main():
        engine = ProcessEngine(WorkerPool(spares=0))
        with pytest.raises(PlataformaError):
            await engine.load(make_package(head="import os"), make_context())
        loading_ = asyncio.create_task(engine.load(make_package(), make_context()))
        await asyncio.sleep(0.01)
        loading_.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading_
        await engine.close()

    run(main())
    assert left(before) == (set(), set())


@pytest.mark.parametrize("is_loop_closed", [False, True], ids=["in its loop", "after its loop"])
def test_an_instance_that_nobody_closed_leaves_nothing(run, before, is_loop_closed):
    async def main(kept):
        pool = WorkerPool(spares=0)
        pool.open()
        kept += [pool, await ProcessEngine(pool).load(make_package(), make_context())]
        if not is_loop_closed:
            kept.pop()
            gc.collect()
            await until(lambda: left(before)[0] == set())

    kept = []
    run(main(kept))
    pool = kept[0]
    del kept[1:]
    gc.collect()
    pool.close()
    assert left(before) == (set(), set())


def test_a_spare_that_has_died_is_not_handed_out(run):
    async def main():
        with WorkerPool(spares=1) as pool:
            await until(lambda: ready_pids(pool))
            os.kill(ready_pids(pool)[0], signal.SIGKILL)
            await asyncio.sleep(0.05)
            async with loading("def probe(self): return 1", engine=ProcessEngine(pool)) as vendas:
                return await vendas.call("probe")

    assert run(main()) == 1


def test_one_pool_serves_the_loops_of_several_threads(before):
    """A worker outlives the thread that asked for it: the kernel ends it with the thread that made it."""
    results = []

    async def main():
        async with loading("def probe(self): return 1", engine=ProcessEngine(pool)) as vendas:
            await asyncio.sleep(0.05)
            results.append(await vendas.call("probe"))

    with WorkerPool(spares=1) as pool:
        threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [1, 1, 1]
    assert left(before) == (set(), set())


def test_a_pool_ends_with_its_last_user():
    pool = WorkerPool(spares=1)
    with pool:
        pool.open()
        pool.close()
        deadline = time.monotonic() + 10
        while not ready_pids(pool) and time.monotonic() < deadline:
            time.sleep(0.005)
        (spare,) = ready_pids(pool)
        assert is_alive(spare)
    assert not is_alive(spare)
    pool.close()


def test_a_pool_that_is_not_open_gives_nothing(run):
    with pytest.raises(ModuleStateError, match="not open"):
        run(WorkerPool().take())


def test_a_number_of_spares_is_checked():
    with pytest.raises(ValueError, match="0 or more"):
        WorkerPool(spares=-1)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_leaves_the_workers_to_its_parent(run, before):
    """The child can neither use nor kill them, and holds no descriptor of theirs."""

    async def main():
        with WorkerPool(spares=1) as pool:
            async with loading("def probe(self): return 1", engine=ProcessEngine(pool)) as vendas:
                await until(lambda: ready_pids(pool))
                spare, taken = ready_pids(pool)[0], vendas.instance.pid
                child = os.fork()
                if child == 0:
                    os._exit(_in_child(pool, vendas.instance))
                _, status = os.waitpid(child, 0)
                return os.waitstatus_to_exitcode(status), is_alive(spare), is_alive(taken), await vendas.call("probe")

    def _in_child(pool, instance):
        try:
            sockets = {item for item in descriptors() - before[1] if "socket:" in item}
            pool.close()
            instance._talk.end(ModuleStateError("closed in the child"))
            return 10 * len(ready_pids(pool)) + len(sockets & worker_sockets)
        except BaseException:
            return 99

    worker_sockets: set[str] = set()
    assert run(main()) == (0, True, True, 1)


def test_no_interpreter_to_start_is_said(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(SandboxError, match=r"sys\.executable"):
        ProcessEngine()


def test_a_platform_without_limits_is_said(monkeypatch):
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(SandboxError, match="use engine='wasm'"):
        _spawn.check_platform()


def test_a_worker_that_cannot_be_started_is_said(run, monkeypatch, before):
    async def main():
        engine = ProcessEngine(WorkerPool(spares=0))
        try:
            with pytest.raises(SandboxError, match="could not be started"):
                await engine.load(make_package(), make_context())
        finally:
            await engine.close()

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    run(main())
    assert left(before) == (set(), set())


def test_the_process_has_one_pool_of_its_own():
    assert _pool.shared_pool() is _pool.shared_pool()
