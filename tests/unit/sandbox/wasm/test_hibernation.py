"""A parked guest is put away and comes back as it was, whatever wakes it; where that cannot be, it stays live."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import pytest

from plataforma_sdk.errors import ModuleStateError, PlataformaError, ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox import Parkable
from plataforma_sdk.sandbox.wasm import WasmEngine, _hibernation, _hibernation_check, _memory, _parking, _pool
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._hibernation import write_back
from plataforma_sdk.sandbox.wasm._pages import PAGE, give_back_unchanged, private_runs

from .conftest import FakeBridge, count_modules, make_context

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memories are put away on Linux only")

BODY = """
    def keep(self, n):
        self.kept = {f"key-{i}": [i, str(i) * 5] for i in range(n)}
        return len(self.kept)

    def tell(self):
        return [self.count, len(getattr(self, "kept", ())), hash(tuple(getattr(self, "kept", ())))]

    def grow(self):
        self.grown = bytearray(b"x" * 8_000_000)
        return len(self.grown)

    async def ask(self, key):
        return [await self.storage.get(key), self.count]

    async def both(self):
        return await asyncio.gather(self.storage.get("a"), self.storage.get("b"))

    async def nap(self, seconds):
        await asyncio.sleep(seconds)
        self.count += 100
        return self.count

    def nap_later(self, seconds):
        self.task = asyncio.create_task(self.nap(seconds))

    def spin(self):
        while True:
            pass
"""


@pytest.fixture
def wasm() -> WasmEngine:
    """Only guests on fibers are parked."""
    return WasmEngine(mode="fibers")


def pages_of(probe):
    return sum(run.count for run in private_runs(probe._pump._store.memory))


def test_a_parked_guest_holds_no_pages_and_wakes_as_it_was(run, load):
    async def main():
        context = make_context(FakeBridge())
        async with load(BODY, context=context) as probe:
            assert isinstance(probe, Parkable)
            await probe.call("keep", 3_000)
            for number in range(1, 4):
                told, live = await probe.call("tell"), context.monitor.usage.memory_bytes
                assert await probe.park()
                assert (probe.is_parked, pages_of(probe)) == (True, 0)
                assert 0 < context.monitor.usage.memory_bytes < live / 10
                assert await probe.call("tell") == told
                assert (probe.is_parked, context.monitor.usage.memory_bytes) == (False, live)
                assert await probe.call("add") == number

    run(main())


def test_parking_a_parked_guest_changes_nothing(run, load):
    async def main():
        async with load(BODY) as probe:
            assert [await probe.park(), await probe.park(), probe.is_parked] == [True, True, True]
            assert await asyncio.gather(*(probe.call("add") for _ in range(3))) == [1, 2, 3]

    run(main())


def test_a_guest_that_awaits_its_host_is_woken_by_the_answer(run, load, bridge):
    async def main():
        answer = asyncio.Event()

        async def get(key):
            await answer.wait()
            return key * 2

        bridge.answers["storage.get"] = get
        async with load(BODY) as probe:
            asking, both = asyncio.create_task(probe.call("ask", "k")), asyncio.create_task(probe.call("both"))
            await asyncio.sleep(0.02)
            assert await probe.park()
            assert not asking.done()
            answer.set()
            assert await asyncio.gather(asking, both) == [["kk", 0], ["aa", "bb"]]
            assert not probe.is_parked

    run(main())


def test_a_timer_of_its_own_wakes_it(run, load):
    async def main():
        async with load(BODY) as probe:
            await probe.call("nap_later", 0.3)
            assert await probe.park()
            async with asyncio.timeout(10):
                while probe.is_parked:
                    await asyncio.sleep(0.01)
            assert (await probe.call("tell"))[0] == 100

    run(main())


def test_a_cancelled_call_reaches_a_parked_guest(run, load):
    async def main():
        async with load(BODY) as probe:
            napping = asyncio.create_task(probe.call("nap", 60))
            await asyncio.sleep(0.02)
            assert await probe.park()
            napping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await napping
            await asyncio.sleep(0.3)
            assert not probe.is_poisoned
            assert (await probe.call("tell"))[0] == 0

    run(main())


def test_a_quiet_guest_alone_is_parked_by_itself(run, load):
    async def main():
        async with load(BODY) as probe:
            napping = asyncio.create_task(probe.call("nap", 0.2))
            await asyncio.sleep(0.02)
            assert not await probe.park(quiet_s=0.01)
            await napping
            await probe.call("nap_later", 5)
            assert not await probe.park(quiet_s=10)
            assert await probe.park(quiet_s=1)

    run(main())


def test_running_code_is_not_parked(run, load):
    async def main():
        async with load(BODY, max_step_ms=300) as probe:
            spinning = asyncio.create_task(probe.call("spin"))
            await asyncio.sleep(0.02)
            assert not await probe.park()
            with pytest.raises(ResourceLimitError):
                await spinning
            assert not await probe.park()

    run(main())


def test_memory_that_it_grows_after_waking_is_parked_too(run, load):
    async def main():
        async with load(BODY) as probe:
            for _ in range(3):
                assert await probe.park()
                assert await probe.call("grow") == 8_000_000
            assert await probe.park()
            assert (await probe.call("tell"))[:2] == [0, 0]

    run(main())


def test_closing_a_parked_guest_leaks_nothing(run, load):
    async def main():
        hosts, taken = compiled_runner().hosts, set(_memory._TAKEN)
        before = count_modules(hosts)
        async with load(BODY) as probe:
            asking = asyncio.create_task(probe.call("nap", 60))
            await asyncio.sleep(0.02)
            parking = probe._pump.parking
            assert await probe.park()
        with pytest.raises(ModuleStateError):
            await asking
        assert (parking._asleep, parking._waking) == (None, None)
        assert not await probe.park()
        assert count_modules(hosts) == before
        return taken

    taken = run(main())
    assert {address for address in _memory._TAKEN if address not in taken} <= _addresses_of_pools()


def _addresses_of_pools():
    pools = [pool for pools in _pool._POOLS.values() for pool in pools.values()]
    return {store.memory.base for pool in pools for store in (*pool._ready, pool._warming) if store is not None}


def test_a_guest_that_is_closed_while_it_wakes_is_freed(run, load):
    async def main():
        before = count_modules(compiled_runner().hosts)
        async with load(BODY) as probe:
            assert await probe.park()
            adding = asyncio.create_task(probe.call("add"))
            await asyncio.sleep(0)
        with pytest.raises(ModuleStateError):
            await adding
        assert count_modules(compiled_runner().hosts) == before

    run(main())


def test_a_memory_that_is_not_the_one_put_away_ends_the_instance(run, load):
    async def main():
        async with load(BODY) as probe:
            assert await probe.park()
            probe._pump.parking._asleep.size_bytes += PAGE
            with pytest.raises(SandboxCrashedError, match="could not be woken"):
                await probe.call("add")
            assert probe.is_poisoned

    run(main())


def test_where_the_trial_does_not_hold_guests_stay_live_and_the_log_says_why(run, load, monkeypatch, caplog):
    monkeypatch.setattr(_parking, "hibernation_refusal", lambda _memory: "the trial ended with exit code -11: ")
    _parking._warn.cache_clear()

    async def main():
        async with load(BODY) as probe:
            assert [await probe.park(), await probe.park(), probe.is_parked] == [False, False, False]
            assert await probe.call("add") == 1

    run(main())
    assert [record.message for record in caplog.records if "not parked" in record.message] == [
        "Modules are not parked here, and stay live: the trial ended with exit code -11: "
    ]


# --- the trial -------------------------------------------------------------------------------------------------------


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """Count the processes that are started; each says what is left in the list of answers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(_hibernation, "_ASSUMED", [])
    started, answers = [], []

    def start(command, **_):
        started.append(command)
        code, said = answers.pop(0)
        return subprocess.CompletedProcess(command, code, stdout=said, stderr="")

    monkeypatch.setattr(_hibernation.subprocess, "run", start)
    _hibernation._refusal.cache_clear()
    yield started, answers
    _hibernation._refusal.cache_clear()


def test_a_trial_that_held_is_remembered_on_disk(trials, tmp_path):
    started, answers = trials
    answers.append((0, _hibernation.SAYS_YES))
    assert _hibernation._refusal(tmp_path / "a.cwasm") is None
    _hibernation._refusal.cache_clear()  # as another process
    assert _hibernation._refusal(tmp_path / "a.cwasm") is None
    assert len(started) == 1


def test_another_runner_is_tried_anew(trials, tmp_path):
    started, answers = trials
    answers += [(0, _hibernation.SAYS_YES)] * 2
    for name in ("a.cwasm", "b.cwasm"):
        assert _hibernation._refusal(tmp_path / name) is None
    assert len(started) == 2


@pytest.mark.parametrize("answer", [(-11, ""), (1, _hibernation.SAYS_YES), (0, "")], ids=["crash", "raised", "silent"])
def test_a_trial_that_did_not_hold_is_refused_and_tried_again_by_the_next_process(trials, tmp_path, answer):
    started, answers = trials
    answers += [answer, answer]
    assert "exit code" in _hibernation._refusal(tmp_path / "a.cwasm")
    assert "exit code" in _hibernation._refusal(tmp_path / "a.cwasm")
    assert len(started) == 1
    _hibernation._refusal.cache_clear()
    assert _hibernation._refusal(tmp_path / "a.cwasm") is not None
    assert len(started) == 2


def _write_nothing(_memory, _asleep, _changes):
    """Leave the pages as the kernel gives them."""


def _write_half(memory, asleep, changes):
    """Leave out more than the last run, which may hold nothing that the trial asks for: that depends on the runner."""
    most = sum(run.count for run in asleep.runs) // 2
    while sum(run.count for run in asleep.runs) > most:
        asleep.runs.pop()
    write_back(memory, asleep, changes)


@pytest.mark.parametrize("write", [_write_nothing, _write_half], ids=["nothing", "not-all"])
def test_the_trial_raises_where_a_guest_does_not_wake_as_it_was(monkeypatch, write):
    monkeypatch.setattr(_hibernation, "_ASSUMED", [])
    monkeypatch.setattr(_parking, "write_back", write)
    try:
        with pytest.raises((AssertionError, PlataformaError)):
            _hibernation_check.main()
    finally:
        _hibernation._refusal.cache_clear()
        gc.collect()  # nobody has closed what it loaded


# --- pages that did not change ---------------------------------------------------------------------------------------


def test_pages_that_hold_what_they_held_are_given_back_and_the_state_is_as_it_was(run, load):
    async def main():
        async with load(BODY) as probe:
            await probe.call("keep", 2_000)
            told, before = await probe.call("tell"), pages_of(probe)
            freed = give_back_unchanged(probe._pump._store.memory)
            assert freed > 50 * PAGE
            assert pages_of(probe) == before - freed // PAGE
            assert give_back_unchanged(probe._pump._store.memory) == 0
            assert await probe.call("tell") == told

    run(main())


def test_a_module_that_has_settled_gives_them_back_by_itself(run, load):
    async def main():
        async with load(BODY) as probe:
            before = pages_of(probe)
            async with asyncio.timeout(10):
                while pages_of(probe) == before:
                    await asyncio.sleep(0.05)
            assert pages_of(probe) < before
            assert await probe.call("add") == 1

    run(main())
