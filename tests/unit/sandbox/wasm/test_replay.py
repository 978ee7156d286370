"""A journal runs again to the identical outbox and fuel count, its end included, however the module ended."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import struct
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plataforma_sdk import ModuleHost
from plataforma_sdk.errors import (
    GuestError,
    IntegrityError,
    PlataformaError,
    ResourceLimitError,
    SandboxCrashedError,
    SandboxError,
    StaleRunnerError,
)
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.wasm import Journal, replay
from plataforma_sdk.sandbox.wasm._journal import BEGIN, END, INSTANCE, read_frames
from plataforma_sdk.sandbox.wasm._recorder import End

from .foreign_kit import core
from .journal_kit import PERMISSIONS, SOURCE, doctor, probe


def record(run, path, work, *, package=None, limits=None, seed=None):
    """Load the probe, recorded, let `work(handle)` use it, and return the journal's path."""

    async def main():
        async with ModuleHost(grants=PERMISSIONS, limits=limits) as host:
            await work(await host.load(package or probe(), record=path, seed=seed))

    run(main())
    return path


async def use(handle):
    """Use whatever the host gives: answers, time, randomness, events, timers, errors, windows."""
    for number in range(5):
        assert await handle.call("add", number) == sum(range(number + 1))
        await handle.call("say", f"word {number}")
        await handle.call("draw")
    await asyncio.sleep(0.01)
    assert len(await handle.call("heard")) == 5
    assert await handle.call("keep", "k", {"n": 1.5}) == [{"n": 1.5}, None, {"n": 1.5}]
    assert await asyncio.gather(handle.call("nap", 0.01), handle.call("nap", 0.005)) == ["slept", "slept"]
    await handle.call("ask")
    await handle.render()
    assert len(await handle.call("say_a_lot", 100_000)) == 100_000
    with pytest.raises(GuestError):
        await handle.call("fail")


def test_a_replay_is_identical_in_every_outbox_and_in_fuel(run, tmp_path):
    usage = {}

    async def work(handle):
        await use(handle)
        usage["fuel"] = handle.usage.fuel

    path = record(run, tmp_path / "j", work)
    first, again = replay(path), replay(path)
    assert first.difference is None
    assert (first.pumps, first.fuel) == (again.pumps, again.fuel)
    assert first.fuel >= usage["fuel"] > 0
    assert (first.module, first.version, first.instances, first.is_torn, first.notes) == (
        "probe",
        "1.0.0",
        1,
        False,
        (),
    )


def test_the_fault_is_raised_again_with_the_guests_traceback(run, tmp_path):
    """A production fault becomes a local test."""
    fault = replay(record(run, tmp_path / "j", use)).fault
    assert fault is not None
    assert isinstance(fault.error, GuestError)
    assert (fault.error.type_name, fault.error.text) == ("ValueError", "bad 10")
    assert "raise ValueError" in "".join(fault.error.traceback)


def test_a_seeded_run_is_the_same_run_also_without_a_journal(run, tmp_path):
    """Of one seed, two runs draw the same."""
    drawn = []

    async def work(handle):
        drawn.append((await handle.call("draw"))[:4])

    for name in ("a", "b"):
        assert replay(record(run, tmp_path / name, work, seed=7)).is_identical
    record(run, tmp_path / "c", work, seed=8)
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("method", "limits", "resource"),
    [
        ("spin", {"max_fuel": 100_000_000}, "fuel"),
        ("grow", {"max_memory_bytes": 48 * 2**20}, "memory"),
        ("recurse", {}, "stack"),
    ],
    ids=["fuel", "memory", "stack"],
)
def test_a_limit_is_reached_again_at_the_same_pump_with_the_same_fuel(run, tmp_path, method, limits, resource):
    async def work(handle):
        await handle.call("add")
        with pytest.raises(ResourceLimitError):
            await handle.call(method)
        assert await handle.call("add", 5) == 5  # of the instance that took over

    report = replay(record(run, tmp_path / "j", work, limits=ResourceLimits(**limits)))
    assert report.difference is None
    assert report.instances == 2
    assert isinstance(report.fault.error, ResourceLimitError)
    assert (report.fault.error.resource, report.fault.pump) == (resource, 3)


def test_a_module_that_its_host_ended_replays_to_the_slice(run, tmp_path):
    """The step limit is the host's, in processor time: the replay runs as many slices, of a fixed amount of fuel."""

    async def work(handle):
        with pytest.raises(ResourceLimitError):
            await handle.call("spin")

    report = replay(record(run, tmp_path / "j", work, limits=ResourceLimits(max_step_ms=5)))
    assert report.is_identical
    assert "ended module 'probe' in the middle" in str(report.fault.error)


def test_a_reload_is_replayed_beside_the_old_version(run, tmp_path):
    async def work(handle):
        await handle.call("add", 3)
        await handle.reload(probe(version="1.1.0"))
        await handle.call("draw")

    report = replay(record(run, tmp_path / "j", work))
    assert (report.difference, report.instances, report.version) == (None, 2, "1.1.0")


def test_a_module_whose_code_fails_to_load_leaves_a_journal_that_says_so(run, tmp_path):
    async def main():
        async with ModuleHost() as host:
            with pytest.raises(GuestError):
                await host.load(ModulePackage.from_source("1 // 0", id="bad"), record=tmp_path / "j")

    run(main())
    report = replay(tmp_path / "j")
    assert (report.is_identical, report.fault.pump, report.fault.error.type_name) == (True, 0, "ZeroDivisionError")


def test_until_stops_after_a_pump(run, tmp_path):
    path = record(run, tmp_path / "j", use)
    assert replay(path, until=4).pumps == 4


def test_a_module_in_another_language_replays_too(run, tmp_path):
    """It answers call 1 with 7, and call 2 with the same line, which is no answer to it: repeated as it was."""
    files = {"m.wasm": core(), "module.toml": b'id = "m"\nversion = "1.0.0"\nentry = "m.wasm"\nrestart = false\n'}

    async def work(handle):
        with pytest.raises(SandboxCrashedError, match="broke the wire"):
            await handle.call("anything")

    report = replay(record(run, tmp_path / "j", work, package=ModulePackage.from_files(files)))
    assert (report.difference, report.pumps, report.module) == (None, 2, "m")
    assert report.fuel > 0


def test_a_killed_process_leaves_a_journal_that_replays(tmp_path):
    """The operating system keeps what was written, also of a process that dies by SIGKILL."""
    script = f"""
        import asyncio, os, signal
        from plataforma_sdk import ModuleHost
        from plataforma_sdk.package import ModulePackage
        async def main():
            async with ModuleHost(grants={PERMISSIONS!r}) as host:
                package = ModulePackage.from_source(SOURCE, id="probe", permissions={PERMISSIONS!r})
                handle = await host.load(package, record="j")
                for n in range(20):
                    await handle.call("draw")
                os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    code = f"SOURCE = {SOURCE!r}\n" + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    report = replay(tmp_path / "j")
    assert (report.difference, report.pumps, report.is_torn) == (None, 21, False)
    with (tmp_path / "j").open("r+b") as file:
        file.truncate((tmp_path / "j").stat().st_size - 3)
    torn = replay(tmp_path / "j")
    assert (torn.is_identical, torn.is_torn, torn.pumps) == (True, True, 21)


# --- differences ---------------------------------------------------------------------------------------------------


def nth_end(number, change):
    """Return a doctor's change of the n-th END frame."""
    seen = iter(range(10**6))

    def doctored(_: int, frame) -> bytes | None:
        return change(frame.body) if frame.kind == END and next(seen) == number else None

    return doctored


def test_another_fuel_count_is_a_difference_and_names_the_pump(run, tmp_path):
    def one_more(body):
        return body[:2] + struct.pack("<Q", struct.unpack_from("<Q", body, 2)[0] + 1) + body[10:]

    report = replay(doctor(record(run, tmp_path / "j", use), nth_end(3, one_more)))
    assert (report.difference.pump, report.difference.what, report.pumps) == (3, "fuel", 3)
    assert "pump 3: the fuel differs: recorded" in str(report.difference)


def test_another_outbox_is_a_difference(run, tmp_path):
    path = record(run, tmp_path / "j", use)
    report = replay(doctor(path, nth_end(2, lambda body: body.replace(b"r2 0", b"r2 9"))))
    assert (report.difference.pump, report.difference.what) == (2, "outbox")
    assert (report.difference.recorded, report.difference.replayed) == ("'r2 9'", "'r2 0'")


def test_a_question_that_was_not_recorded_is_a_difference(run, tmp_path):
    def without_events(body):
        end = End.read(type("F", (), {"body": body}))
        return body[: len(body) - len(end.events)]

    report = replay(doctor(record(run, tmp_path / "j", use), nth_end(1, without_events)))
    assert (report.difference.pump, report.difference.what) == (1, "host")
    assert "events.subscribe" in report.difference.replayed


def test_an_inbox_that_was_changed_is_a_difference(run, tmp_path):
    def change(_, frame):
        return frame.body.replace(b"add [3]", b"add [4]") if frame.kind == BEGIN else None

    report = replay(doctor(record(run, tmp_path / "j", use), change))
    assert report.difference.what == "outbox"


def test_the_journal_of_another_runner_is_refused_with_the_way_out(run, tmp_path):
    def change(_, frame):

        return (
            re.sub(rb'"runner":"\w+"', b'"runner":"%s"' % (b"0" * 64), frame.body) if frame.kind == INSTANCE else None
        )

    path = doctor(record(run, tmp_path / "j", use), change)
    with pytest.raises(StaleRunnerError, match=r"from the wheel that recorded it \(plataforma engine info"):
        replay(path)


def test_a_journal_of_nothing_says_so(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.open()
    journal.close()
    with pytest.raises(IntegrityError, match="holds no instance"):
        replay(tmp_path / "j")


@given(data=st.data())
@settings(max_examples=60)
def test_a_journal_that_was_forged_is_an_error_or_a_difference(forged, data):
    """Its checksums hold, its frames say anything: nothing but errors of the library comes of it."""
    frames, path = forged
    number = data.draw(st.integers(0, len(frames) - 1))
    body = bytearray(frames[number].body)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path.unlink(missing_ok=True)
    journal = Journal(path)
    journal.open()
    for index, frame in enumerate(frames):
        journal.write(frame.kind, frame.instance, bytes(body) if index == number else frame.body)
    journal.close()
    with contextlib.suppress(PlataformaError):
        replay(path)


@pytest.fixture(scope="module")
def forged(tmp_path_factory):
    """The frames of a short journal, and where to write another."""
    directory = tmp_path_factory.mktemp("forged")

    async def work(handle):
        await handle.call("add", 1)
        await handle.call("draw")

    return list(read_frames(record(asyncio.run, directory / "j", work))), directory / "forged"


# --- another version -----------------------------------------------------------------------------------------------


def test_a_mended_version_runs_on_what_the_faulty_one_was_given(run, tmp_path):
    path = record(run, tmp_path / "j", use)
    mended = probe(SOURCE.replace('raise ValueError(f"bad {self.count}")', 'self.log("warning", "odd"); return -1'))
    report = replay(path, package=mended)
    assert (report.difference, report.faults) == (None, ())


def test_a_version_that_asks_for_more_is_told_what_the_journal_lacks(run, tmp_path):
    other = probe(SOURCE.replace('self.emit("said", word)', 'self.emit("said", word); self.emit("said", word)'))
    report = replay(record(run, tmp_path / "j", use), package=other)
    assert report.difference.what == "host"
    assert "asked events.emit" in report.difference.replayed


# --- what may be recorded ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["trusted", "restricted"])
def test_only_the_tier_whose_runs_repeat_is_recorded(run, tmp_path, tier):
    async def main():
        async with ModuleHost(engine=tier, grants=PERMISSIONS) as host:
            with pytest.raises(SandboxError, match=f"this one is '{tier}'"):
                await host.load(probe(), record=tmp_path / "j")
            assert host.modules == {}

    run(main())
    assert not (tmp_path / "j").exists()


def test_a_journal_is_free_again_when_its_module_is_unloaded(run, tmp_path):
    async def main():
        async with ModuleHost(grants=PERMISSIONS) as host:
            for _ in range(2):
                handle = await host.load(probe(), record=tmp_path / "j")
                await handle.call("draw")
                await handle.unload()

    run(main())
    report = replay(tmp_path / "j")
    assert (report.difference, report.instances) == (None, 2)


def test_a_module_outlives_its_journals_size(run, tmp_path):
    async def main():
        async with ModuleHost(grants=PERMISSIONS) as host:
            handle = await host.load(probe(), record=Journal(tmp_path / "j", max_bytes=20_000))
            for _ in range(200):
                await handle.call("draw")
            assert await handle.call("add") == 1

    run(main())
    assert (tmp_path / "j").stat().st_size < 21_000
    report = replay(tmp_path / "j")
    assert report.is_identical
    assert 10 < report.pumps < 200


def test_host_answers_are_in_the_journal(run, tmp_path):
    """What the guide says of secrets is true: whatever the module saw stands in the file."""
    path = record(run, tmp_path / "j", use)
    assert any(b'"n":1.5' in frame.body for frame in read_frames(path))
