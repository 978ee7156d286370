"""A module goes on after its process was killed, and under another host: by its journal, its state or its memory."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import attrs
import pytest
from wasmtime import wat2wasm

from plataforma_sdk import ModuleFramework, ModuleHost
from plataforma_sdk.errors import (
    IntegrityError,
    ModuleStateError,
    PermissionDeniedError,
    ResourceLimitError,
    SandboxError,
    StaleRunnerError,
)
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.plugins import hookimpl
from plataforma_sdk.runtime import Snapshot
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.wasm import _resume_memory, replay
from plataforma_sdk.sandbox.wasm._player import Player

pytestmark = pytest.mark.timeout(180)  # the first use of a machine builds and compiles the runner

SOURCE = """
import asyncio
from plataforma_sdk import ModuleFramework, ui

class Secret:
    pass

class Desk(ModuleFramework):
    async def on_load(self):
        self.orders, self.seen, self.ticks = [], [], 0
        self.loads = getattr(self, "loads", 0) + 1
        self._secret = Secret()
        self.subscribe("module.desk.said", self.on_said)
        self.register_endpoint("/desk/orders", self.list_orders)
        self.timer = self.every(0.01, self.on_tick)
        self.create_window(id="main", title="Desk")

    async def on_reload(self, old):
        self.orders = old["orders"]

    def render(self):
        return ui.text(f"{len(self.orders)} orders")

    def on_said(self, event):
        self.seen.append(event.data)

    def on_tick(self):
        self.ticks += 1

    async def list_orders(self, request):
        return self.orders

    def place(self, order):
        self.orders.append(order)
        return len(self.orders)

    def say(self, word):
        self.emit("said", word)

    def heard(self):
        return self.seen

    def ticked(self):
        return self.ticks

    def stop(self):
        self.timer.unsubscribe()

    def secret(self):
        return str(self._secret)

    def draw(self):
        import random
        return random.random()

    def retitle(self, title):
        self.windows["main"].update(title=title)

    async def rest(self, seconds):
        self._task = asyncio.create_task(self._rest(seconds))

    async def _rest(self, seconds):
        await asyncio.sleep(seconds)
        self.orders.append("rested")

    async def fetch(self):
        self.outcome = "asking"
        try:
            self.outcome = await self.storage.get("slow")
        except Exception as error:
            self.outcome = str(error)

    def result(self):
        return self.outcome
"""

PERMISSIONS = ("events.subscribe[module.desk.said]", "events.emit", "window.create", "system.storage")


def desk(source=SOURCE, **settings):
    return ModulePackage.from_source(source, id="desk", permissions=PERMISSIONS, **settings)


def new_host(**settings):
    return ModuleHost(grants=PERMISSIONS, **settings)


async def record_and_kill(path, work, **settings):
    """Run `work` in a recorded module and leave a copy of its journal as a kill would: nothing is said at the end."""
    async with new_host(**settings) as host:
        handle = await host.load(desk(), record=path)
        await work(handle)
        data = path.read_bytes()
    path.write_bytes(data)


async def use(handle):
    for order in ("a", "b", "c"):
        await handle.call("place", order)
    await handle.call("say", "hello")
    await asyncio.sleep(0.03)


# --- by replay -----------------------------------------------------------------------------------------------------


def test_a_module_goes_on_from_its_journal_where_it_stood(run, tmp_path):
    """Exactly: what no state carries is there too, and `on_load` does not run again."""
    seen = {}

    async def work(handle):
        await use(handle)
        seen["secret"] = await handle.call("secret")
        seen["ticks"] = await handle.call("ticked")

    async def main():
        path = tmp_path / "desk.journal"
        await record_and_kill(path, work)
        async with new_host() as host:
            handle = await host.restore(path)
            assert (handle.restored_by, handle.state, handle.restarts) == ("replay", "active", 0)
            assert await handle.call("place", "d") == 4
            assert await handle.call("secret") == seen["secret"]
            assert await handle.call("heard") == ["hello"]

    run(main())


def test_what_it_had_registered_is_registered_again(run, tmp_path):
    """Subscriptions, endpoints, timers and windows live in the host, and went with the old one."""

    async def work(handle):
        await use(handle)
        await handle.call("retitle", "Orders")

    async def main():
        path = tmp_path / "desk.journal"
        await record_and_kill(path, work)
        async with new_host() as host:
            handle = await host.restore(path)
            ticks = await handle.call("ticked")
            await handle.call("say", "again")
            await asyncio.sleep(0.1)
            assert await handle.call("heard") == ["hello", "again"]
            assert await handle.call("ticked") > ticks
            assert [window.title for window in host.windows] == ["Orders"]
            assert (await handle.render())["props"]["value"] == "3 orders"

    run(main())


def test_what_it_had_taken_back_is_not(run, tmp_path):
    async def work(handle):
        await handle.call("stop")
        await handle.close_window("main")

    async def main():
        path = tmp_path / "desk.journal"
        await record_and_kill(path, work)
        async with new_host() as host:
            handle = await host.restore(path)
            ticks = await handle.call("ticked")
            await asyncio.sleep(0.05)
            assert await handle.call("ticked") == ticks
            assert len(host.windows) == 0

    run(main())


def test_a_task_that_slept_goes_on_sleeping(run, tmp_path):
    """Its clock goes on from where it stood, whatever the new host's says."""

    async def work(handle):
        await handle.call("rest", 0.05)

    async def main():
        path = tmp_path / "desk.journal"
        await record_and_kill(path, work)
        async with new_host() as host:
            handle = await host.restore(path)
            assert await handle.call("place", "x") == 1
            await asyncio.sleep(0.15)
            assert await handle.call("place", "y") == 3

    run(main())


class SlowStorage:
    """A plugin's service that does not answer."""

    @hookimpl
    def plataforma_services(self):
        async def get(_key):
            await asyncio.sleep(3600)

        return {"storage.get": get}


def test_what_it_awaited_of_its_old_host_fails_as_interrupted(run, tmp_path):
    """Nobody knows whether it was done, so it is not asked again."""

    async def main():
        path = tmp_path / "desk.journal"
        async with new_host(plugins=[SlowStorage()]) as host:
            handle = await host.load(desk(), record=path)
            waiting = asyncio.create_task(handle.call("fetch"))
            await asyncio.sleep(0.05)
            data = path.read_bytes()
            waiting.cancel()
        path.write_bytes(data)
        async with new_host() as host:
            handle = await host.restore(path)
            await asyncio.sleep(0.05)
            assert "Interrupted" in await handle.call("result")
            assert await handle.call("place", 1) == 1  # the call that nobody waits for has ended in order

    run(main())


def test_a_restored_module_is_recorded_further_in_the_same_journal(run, tmp_path):
    """Killed again, it goes on again; and the whole of it replays."""
    path = tmp_path / "desk.journal"

    async def main():
        await record_and_kill(path, use)
        drawn = []
        for number in (4, 5, 6):
            async with new_host() as host:
                handle = await host.restore(path, record=path)
                assert await handle.call("place", number) == number
                drawn.append(await handle.call("draw"))
                data = path.read_bytes()
            path.write_bytes(data)
        assert len(set(drawn)) == 3

    run(main())
    report = replay(path)
    assert (report.difference, report.instances) == (None, 1)


def test_it_may_go_on_in_another_journal(run, tmp_path):
    async def main():
        await record_and_kill(tmp_path / "a", use)
        async with new_host() as host:
            handle = await host.restore(tmp_path / "a", record=tmp_path / "b")
            await handle.call("place", "d")

    run(main())
    assert replay(tmp_path / "b").difference is None
    assert replay(tmp_path / "b").pumps > replay(tmp_path / "a").pumps


def test_a_torn_journal_restores_to_its_last_whole_pump(run, tmp_path):
    async def main():
        path = tmp_path / "desk.journal"
        await record_and_kill(path, use)
        path.write_bytes(path.read_bytes()[:-5])
        async with new_host() as host:
            handle = await host.restore(path, record=path)
            assert await handle.call("place", "d") == 4
        assert replay(path).is_identical

    run(main())


def test_a_trap_after_a_restoration_replaces_the_module_as_any_other(run, tmp_path):
    source = SOURCE + "\n    def grow(self):\n        return 'x' * 10**9\n"

    async def main():
        path = tmp_path / "desk.journal"
        async with new_host() as host:
            await (await host.load(desk(source), record=path)).call("place", 1)
            data = path.read_bytes()
        path.write_bytes(data)
        async with new_host() as host:
            handle = await host.restore(path)
            with pytest.raises(SandboxError):
                await handle.call("grow")
            assert (await handle.call("place", 1), handle.restarts) == (1, 1)

    run(main())


def test_a_module_that_was_unloaded_in_order_is_not_restored(run, tmp_path):
    async def main():
        async with new_host() as host:
            await host.load(desk(), record=tmp_path / "j")
        async with new_host() as host:
            with pytest.raises(ModuleStateError, match="unloaded in order"):
                await host.restore(tmp_path / "j")
            assert host.modules == {}

    run(main())


def test_permissions_are_those_of_the_restoring_host(run, tmp_path):
    async def main():
        await record_and_kill(tmp_path / "j", use)
        async with ModuleHost() as host:
            with pytest.raises(PermissionDeniedError):
                await host.restore(tmp_path / "j")
            assert host.modules == {}

    run(main())


def test_a_module_in_another_language_goes_on_from_its_journal(run, tmp_path):
    """Its handlers' numbers and its memory are its own, whatever it is written in."""
    grants = ("window.create", "events.subscribe[contador.zerar]", "events.emit")
    example = Path(__file__).parents[3] / "examples" / "wat-counter"
    files = {
        "contador.wasm": bytes(wat2wasm((example / "contador.wat").read_text())),
        "module.toml": (example / "module.toml").read_bytes(),
    }

    async def main():
        path = tmp_path / "j"
        async with ModuleHost(grants=grants) as host:
            handle = await host.load(ModulePackage.from_files(files), record=path)
            assert [await handle.call("somar") for _ in range(3)] == [1, 2, 3]
            data = path.read_bytes()
            with pytest.raises(ModuleStateError, match="written in another language"):
                await handle.snapshot(kind="memory")
        path.write_bytes(data)
        async with ModuleHost(grants=grants) as host:
            handle = await host.restore(path, record=path)
            assert await handle.call("somar") == 4
            host.events.emit("contador.zerar")
            await asyncio.sleep(0.05)
            assert await handle.call("somar") == 1
        assert replay(path).is_identical

    run(main())


def test_a_restoration_that_is_cancelled_leaves_nothing(run, tmp_path, monkeypatch):
    """Its thread is inside the guest then; the guest is freed after it."""
    is_playing = threading.Event()
    play = Player.play

    def slow(player, begin, end):
        is_playing.set()
        time.sleep(0.01)
        return play(player, begin, end)

    async def work(handle):
        for number in range(50):
            await handle.call("place", number)

    async def main():
        await record_and_kill(tmp_path / "j", work)
        async with new_host() as host:
            with monkeypatch.context() as patch:
                patch.setattr(Player, "play", slow)
                restoring = asyncio.create_task(host.restore(tmp_path / "j", record=tmp_path / "j"))
                await asyncio.to_thread(is_playing.wait, 10)
                restoring.cancel()
                await asyncio.wait([restoring])
            assert restoring.cancelled()
            assert host.modules == {}
            assert await (await host.restore(tmp_path / "j", record=tmp_path / "j")).call("place", "last") == 51

    run(main())


# --- by state ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["wasm", "restricted", "trusted"])
def test_a_state_goes_on_in_any_tier(run, tmp_path, tier):
    """`on_load` runs, then `on_reload` with what the module handed over."""

    async def main():
        async with new_host() as host:
            handle = await host.load(desk())
            await use(handle)
            snapshot = await handle.snapshot(kind="state")
        snapshot.write(tmp_path / "desk.snapshot")
        async with new_host(engine=tier) as host:
            handle = await host.restore(tmp_path / "desk.snapshot")
            assert (handle.restored_by, handle.engine) == ("state", tier)
            assert await handle.call("place", "d") == 4
            assert await handle.call("heard") == []
            assert [window.title for window in host.windows] == ["Desk"]

    run(main())


def test_a_state_that_does_not_cross_is_no_snapshot_and_the_journal_is(run, tmp_path):
    source = SOURCE + "\n    def __getstate__(self):\n        return object()\n"

    async def main():
        async with new_host() as host:
            handle = await host.load(desk(source), record=tmp_path / "j")
            with pytest.raises(ModuleStateError, match="by state: its state does not cross"):
                await handle.snapshot(kind="state")
            await handle.call("place", 1)
            snapshot = await handle.snapshot(kind="replay")
        async with new_host() as host:
            handle = await host.restore(snapshot)
            assert (handle.restored_by, await handle.call("place", 2)) == ("replay", 2)

    run(main())


def test_a_module_that_cannot_be_written_down_says_why(run):
    class Local(ModuleFramework):
        async def on_load(self):
            """Nothing."""

        def render(self):
            """Nothing."""

    async def main():
        async with ModuleHost(engine="trusted") as host:
            handle = await host.load(Local)
            with pytest.raises(ModuleStateError, match=r"by memory: .*by state: .*class of the host.*by replay: it is"):
                await handle.snapshot()
            with pytest.raises(ValueError, match="kind is one of memory, state, replay"):
                await handle.snapshot(kind="magic")

    run(main())


# --- by memory -----------------------------------------------------------------------------------------------------

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a guest's memory is found on Linux")


@linux_only
def test_a_memory_goes_on_exactly_and_is_the_first_choice(run, tmp_path):
    """What no state carries, a task that sleeps, what was registered: all of it, and the old one goes on too."""

    async def main():
        async with new_host(state_dir=tmp_path) as host:
            old = await host.load(desk())
            await use(old)
            await old.call("retitle", "Orders")
            await old.call("rest", 0.05)
            snapshot = await old.snapshot()
            secret = await old.call("secret")
            await old.unload()
            new = await host.restore(snapshot)
            assert (snapshot.kind, new.restored_by) == ("memory", "memory")
            assert await new.call("secret") == secret
            await new.call("say", "again")
            ticks = await new.call("ticked")
            await asyncio.sleep(0.15)
            assert await new.call("ticked") > ticks
            assert await new.call("heard") == ["hello", "again"]
            assert await new.call("place", "d") == 5  # the task has woken and added one
            assert [window.title for window in host.windows] == ["Orders"]

    run(main())


@linux_only
def test_a_large_memory_goes_on_too(run, tmp_path):
    """A new guest has to grow to the size of the old one first."""
    source = SOURCE + "\n    def fill(self, n):\n        self._held = [str(i) for i in range(n)]\n"
    source += "\n    def sum_up(self):\n        return sum(map(len, self._held))\n"

    async def main():
        async with new_host(state_dir=tmp_path, limits=ResourceLimits(max_step_ms=10_000)) as host:
            old = await host.load(desk(source))
            await old.call("fill", 400_000)
            total = await old.call("sum_up")
            assert old.usage.memory_bytes > 36 * 2**20
            snapshot = await old.snapshot(kind="memory")
            await old.unload()
            new = await host.restore(snapshot)
            assert await new.call("sum_up") == total
            await new.call("fill", 1_000)
            assert await new.call("sum_up") == 2_890
            await new.unload()
            with pytest.raises(ResourceLimitError, match="memory limit"):
                await host.restore(snapshot, limits=ResourceLimits(max_memory_bytes=34 * 2**20))

    run(main())


@linux_only
def test_the_memory_of_another_host_is_taken_on_trust_only(run, tmp_path):
    """Whoever wrote it decides what the module does. Source: CWE-502, deserialisation of untrusted data."""

    async def main():
        async with new_host(state_dir=tmp_path / "a") as host:
            snapshot = await (await host.load(desk())).snapshot(kind="memory")
        changed = attrs.evolve(snapshot, facts={**snapshot.facts, "registrations": []})
        async with new_host(state_dir=tmp_path / "a") as host:
            with pytest.raises(IntegrityError, match="another host, or changed since"):
                await host.restore(changed)
            await (await host.restore(snapshot)).unload()
        async with new_host(state_dir=tmp_path / "b") as host:
            with pytest.raises(IntegrityError, match="trusted=True"):
                await host.restore(snapshot)
            assert await (await host.restore(snapshot, trusted=True)).call("place", 1) == 1

    run(main())


@linux_only
def test_what_a_guest_awaits_fails_as_interrupted_after_memory_too(run, tmp_path):
    async def main():
        async with new_host(plugins=[SlowStorage()], state_dir=tmp_path) as host:
            handle = await host.load(desk())
            waiting = asyncio.create_task(handle.call("fetch"))
            await asyncio.sleep(0.05)
            snapshot = await handle.snapshot(kind="memory")
            waiting.cancel()
        async with new_host(state_dir=tmp_path) as host:
            handle = await host.restore(snapshot)
            await asyncio.sleep(0.05)
            assert "Interrupted" in await handle.call("result")

    run(main())


@linux_only
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"runner": "0" * 64}, StaleRunnerError),
        ({"calls": "abc"}, IntegrityError),
        ({"registrations": [1]}, IntegrityError),
        ({"now": "0"}, IntegrityError),
    ],
    ids=["runner", "calls", "registrations", "now"],
)
def test_a_memory_with_other_facts_is_refused(run, tmp_path, change, error):
    async def main():
        async with new_host() as host:
            handle = await host.load(desk())
            snapshot = await handle.snapshot(kind="memory")
            await handle.unload()
            with pytest.raises(error):
                await host.restore(attrs.evolve(snapshot, facts={**snapshot.facts, **change}), trusted=True)
            assert host.modules == {}

    run(main())


@linux_only
def test_where_the_trial_does_not_hold_there_is_no_memory_and_the_state_is_taken(run, monkeypatch):
    """The trial runs in a process of its own, which may crash; here it is told to say no."""
    monkeypatch.setattr(_resume_memory, "hibernation_refusal", lambda _memory: "the trial ended with exit code -11")

    async def main():
        async with new_host() as host:
            handle = await host.load(desk())
            with pytest.raises(ModuleStateError, match=r"by memory: .*exit code -11"):
                await handle.snapshot(kind="memory")
            assert (await handle.snapshot()).kind == "state"

    run(main())


@linux_only
def test_a_parked_module_is_written_down_too(run, tmp_path):
    """It is woken for it; and one that was restored can be parked."""
    source = SOURCE.replace("self.timer = self.every(0.01, self.on_tick)", "self.timer = None")

    async def main():
        async with new_host(state_dir=tmp_path) as host:
            old = await host.load(desk(source))
            await old.call("place", 1)
            assert await old.park()
            snapshot = await old.snapshot()
            assert (snapshot.kind, old.state, await old.call("place", 2)) == ("memory", "active", 2)
            await old.unload()
            new = await host.restore(snapshot)
            assert await new.park()
            assert await new.call("place", 3) == 2

    run(main())


@linux_only
def test_a_module_restored_from_memory_is_not_recorded(run, tmp_path):
    async def main():
        async with new_host() as host:
            handle = await host.load(desk())
            snapshot = await handle.snapshot(kind="memory")
            await handle.unload()
            with pytest.raises(SandboxError, match="would lack its beginning"):
                await host.restore(snapshot, record=tmp_path / "j")

    run(main())


@linux_only
def test_a_module_that_computes_has_no_memory_to_write_down(run):
    source = SOURCE + "\n    async def spin(self):\n        for _ in range(3_000_000): pass\n"

    async def main():
        async with new_host(limits=ResourceLimits(max_step_ms=60_000)) as host:
            handle = await host.load(desk(source))
            spinning = asyncio.create_task(handle.call("spin"))
            await asyncio.sleep(0)
            with pytest.raises(ModuleStateError, match="by memory: it is computing now"):
                await handle.snapshot(kind="memory")
            await spinning
            assert (await handle.snapshot(kind="memory")).kind == "memory"

    run(main())


# --- after kill -9 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["state", "replay", "memory", "journal"])
def test_a_module_survives_its_process(run, tmp_path, kind):
    """The process dies by SIGKILL; another one goes on from what it left."""
    taken = "" if kind == "journal" else f"(await handle.snapshot(kind={kind!r})).write('left')"
    script = f"""
        import asyncio, os, signal
        from plataforma_sdk import ModuleHost
        from plataforma_sdk.package import ModulePackage
        async def main():
            async with ModuleHost(grants={PERMISSIONS!r}, state_dir="state") as host:
                package = ModulePackage.from_source(SOURCE, id="desk", permissions={PERMISSIONS!r})
                handle = await host.load(package, record={"left" if kind == "journal" else "journal"!r})
                for n in range(10):
                    await handle.call("place", n)
                {taken}
                os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    if kind == "memory":
        script = script.replace(", record='journal'", "")
    code = f"SOURCE = {SOURCE!r}\n" + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL

    async def main():
        async with new_host(state_dir=tmp_path / "state") as host:
            handle = await host.restore(tmp_path / "left")
            assert handle.restored_by == {"journal": "replay"}.get(kind, kind)
            assert await handle.call("place", "more") == 11

    run(main())


# --- what is not taken ---------------------------------------------------------------------------------------------


def a_snapshot(**changes):
    package = desk()
    given = {
        "kind": "state",
        "module": "desk",
        "version": package.version,
        "digest": package.digest,
        "made": 1.5,
        "facts": {"tier": "wasm"},
        "package": package.to_bytes(),
        "content": b'{"orders":[1,2]}',
    }
    return Snapshot(**{**given, **changes})


def test_a_snapshot_is_read_as_it_was_written(tmp_path):
    snapshot = a_snapshot().sealed(b"k" * 32)
    assert Snapshot.read(snapshot.write(tmp_path / "s")) == snapshot
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
    assert snapshot.is_sealed_by(b"k" * 32)
    assert not snapshot.is_sealed_by(b"j" * 32)


@pytest.mark.parametrize("at", [30, 60, 400, -70, -40], ids=["sizes", "header", "package", "content", "checksum"])
def test_a_damaged_snapshot_is_refused(at):
    data = bytearray(a_snapshot().to_bytes())
    data[at] ^= 1
    with pytest.raises(IntegrityError):
        Snapshot.from_bytes(bytes(data))


@pytest.mark.parametrize("size", [0, 10, 40, 100, -1])
def test_a_snapshot_that_was_cut_is_refused(size):
    with pytest.raises(IntegrityError):
        Snapshot.from_bytes(a_snapshot().to_bytes()[:size])


def test_a_snapshot_with_another_package_than_it_names_is_refused(run):
    async def main():
        async with new_host() as host:
            for changes in ({"digest": "sha256:0"}, {"module": "other"}, {"kind": "spell"}):
                with pytest.raises(IntegrityError):
                    await host.restore(a_snapshot(**changes))
            assert (await (await host.restore(a_snapshot())).call("place", 3)) == 3

    run(main())


def test_a_module_is_restored_once(run):
    async def main():
        async with new_host() as host:
            await host.restore(a_snapshot())
            with pytest.raises(ModuleStateError, match="is loaded already"):
                await host.restore(a_snapshot())

    run(main())


def test_another_file_is_neither_a_snapshot_nor_a_journal(run, tmp_path):
    (tmp_path / "x").write_text("#!/bin/sh")

    async def main():
        async with new_host() as host:
            with pytest.raises(IntegrityError, match="no snapshot that this version reads"):
                await host.restore(tmp_path / "x")
            with pytest.raises(IntegrityError, match="There is no file"):
                await host.restore(tmp_path / "missing")

    run(main())


def test_the_key_of_a_host_is_its_own_and_stays(run, tmp_path):
    async def main():
        keys = []
        for directory in ("a", "a", "b", None):
            async with new_host(state_dir=directory and tmp_path / directory) as host:
                keys.append(host._state.seal_key())
        assert keys[0] == keys[1]
        assert len(set(keys)) == 3
        assert (tmp_path / "a" / "snapshot.key").stat().st_mode & 0o777 == 0o600
        (tmp_path / "a" / "snapshot.key").chmod(0o644)
        async with new_host(state_dir=tmp_path / "a") as host:
            with pytest.raises(IntegrityError, match="no key of this user's alone"):
                host._state.seal_key()

    run(main())
