"""The guest's own loop and finder, which are plain Python and run here as well."""

from __future__ import annotations

import asyncio
import sys

import pytest

from plataforma_sdk.sandbox.wasm.guest._finder import ROOT, BundleFinder
from plataforma_sdk.sandbox.wasm.guest._loop import PumpLoop
from plataforma_sdk.sandbox.wasm.guest._seal import LogStream


@pytest.fixture
def loop():
    loop = PumpLoop()
    asyncio._set_running_loop(loop)
    yield loop
    asyncio._set_running_loop(None)
    loop._closed = True  # it says that it runs for ever, so `close` would refuse


def test_it_runs_what_is_ready_and_tells_the_next_timer(loop):
    trace = []

    async def work():
        trace.append("begin")
        await asyncio.sleep(0)
        trace.append("again")
        await asyncio.sleep(5)
        trace.append("end")

    task = asyncio.Task(work(), loop=loop)
    assert (loop.step(), trace) == (5.0, ["begin", "again"])
    loop.now = 4.9
    assert loop.step() == 5.0
    loop.now = 5.0
    assert (loop.step(), trace[-1], task.done()) == (None, "end", True)


def test_each_step_but_the_first_is_announced(loop):
    steps = []
    loop._begin_step = lambda: steps.append(None)
    for _ in range(3):
        loop.call_soon(int)
    loop.step()
    assert len(steps) == 2


def test_endless_work_comes_back_at_once(loop):
    async def forever():
        while True:
            await asyncio.sleep(0)

    task = asyncio.Task(forever(), loop=loop)
    loop.now = 7.0
    assert loop.step() == 7.0
    task.cancel()
    while not task.done():
        loop.step()


def test_cancelled_timers_do_not_pile_up(loop):
    for _ in range(10_000):
        loop.call_later(3_600, int).cancel()
        loop.step()
    assert len(loop._scheduled) < 200


def test_a_module_that_exits_does_not_end_the_loop(loop):
    async def leave():
        raise SystemExit(1)

    task = asyncio.Task(leave(), loop=loop)
    loop.step()
    assert isinstance(task.exception(), SystemExit)


@pytest.mark.parametrize("call", [lambda loop: loop.run_forever(), lambda loop: loop.run_in_executor(None, int)])
def test_what_a_guest_has_not_is_refused(loop, call):
    with pytest.raises(RuntimeError):
        call(loop)


def test_a_stream_logs_whole_lines_and_the_rest_at_the_end():
    lines = []
    stream = LogStream(lines.append)
    print("one\ntwo", file=stream)
    stream.write("three")
    assert lines == ["one", "two"]
    stream.end_turn()
    stream.end_turn()
    assert lines == ["one", "two", "three"]


@pytest.fixture
def finder():
    finder = BundleFinder()
    sys.meta_path.append(finder)
    yield finder
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name.partition(".")[0] == ROOT]:
        del sys.modules[name]


def test_files_of_a_bundle_import_each_other(finder):
    finder.add(
        {"main.py": "from .pkg import b\nfrom . import pkg", "pkg/a.py": "x = 1", "pkg/b.py": "from .a import x\ny = x"}
    )
    module = finder.run("main.py")
    assert (module.b.y, module.__file__ if hasattr(module, "__file__") else None) == (1, None)
    assert (finder.owns("pkg/a.py"), finder.owns("json/__init__.py")) == (True, False)


def test_nothing_outside_the_bundle_is_found(finder):
    finder.add({"main.py": "import json"})
    assert finder.find_spec("json") is None
    assert finder.find_spec(f"{ROOT}.other") is None
