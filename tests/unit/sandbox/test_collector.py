"""Collections of the whole process's heap are not what a step is measured by."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from plataforma_sdk.sandbox._collector import MOST_FORGIVEN, forgiven_s, watch_collections
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached
from plataforma_sdk.sandbox.wasm._steps import StepClock
from tests.unit.sandbox.restricted.restricted_kit import Runner


@pytest.fixture(scope="module")
def big_host():
    """A heap of half a million objects that a full collection has to walk: some 50 ms of it."""
    rows = [[i] for i in range(500_000)]
    yield rows
    rows.clear()


@pytest.fixture(autouse=True)
def quiet():
    """No collection but those that the test forces."""
    watch_collections()
    gc.disable()
    yield
    gc.enable()


def timed(function):
    began = time.thread_time()
    function()
    return began, time.thread_time()


def test_full_collections_are_counted_to_their_thread(big_host):
    began, ended = timed(gc.collect)

    assert 0.9 * (ended - began) < forgiven_s(began, ended) <= ended - began
    assert forgiven_s(ended, ended + 1) == 0.0


def test_young_collections_are_the_steps_own_work(big_host):
    began, ended = timed(lambda: gc.collect(1))

    assert forgiven_s(began, ended) == 0.0


def test_only_the_first_ones_are_forgiven(big_host):
    began, ended = timed(lambda: [gc.collect() for _ in range(MOST_FORGIVEN * 3)])

    assert forgiven_s(began, ended) < 0.6 * (ended - began)


def test_collections_of_another_thread_are_not_ours(big_host):
    began = time.thread_time()
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()

    assert forgiven_s(0.0, began + 1_000) == pytest.approx(forgiven_s(0.0, began))


def test_watching_twice_counts_once():
    watch_collections()
    before = list(gc.callbacks)
    watch_collections()

    assert gc.callbacks == before


# --- restricted ----------------------------------------------------------------------------------------------------


def run_step(runner, source, step_ms, **names):
    outer = runner.meter.enter(Account(10**9, 10**9, step_ms=step_ms))
    try:
        runner.sandbox.run_source(source, "m.py", names)
    finally:
        runner.meter.leave(outer)


def test_a_collection_of_the_hosts_heap_does_not_end_a_step(big_host):
    """The step may take 20 ms; the collection that falls into it takes more. Its units cost a few."""
    began, ended = timed(gc.collect)
    assert ended - began > 0.02
    runner = Runner()
    before = runner.meter.cpu_s
    run_step(runner, "collect()\nfor i in range(20_000):\n    pass", 20.0, collect=gc.collect)

    assert runner.meter.tripped is None
    assert runner.meter.cpu_s - before < 0.02


def test_a_step_that_collects_again_and_again_pays(big_host):
    runner = Runner()
    with pytest.raises(LimitReached) as caught:
        run_step(
            runner, "while True:\n    collect()\n    for i in range(3_000):\n        pass", 20.0, collect=gc.collect
        )

    assert caught.value.resource == "step_time"


def test_garbage_of_its_own_is_the_steps_own_time():
    """Cycles by the hundred thousand are collected young, as they come, and that counts."""
    gc.enable()
    runner = Runner(memory=1 << 30)
    with pytest.raises(LimitReached) as caught:
        run_step(runner, "class N:\n    pass\nwhile True:\n    n = N()\n    n.me = n", 50.0)

    assert caught.value.resource == "step_time"


def test_a_pause_of_the_hosts_takes_its_collections_with_it(big_host):
    """What is collected while the host works is the host's once, not once more in the module's favour."""
    runner = Runner()
    meter = runner.meter
    outer = meter.enter(Account(10**6, 10**6, step_ms=1_000.0))
    until = time.thread_time() + 0.03
    while time.thread_time() < until:
        pass
    since = meter.pause()
    gc.collect()
    meter.resume(since)
    own = meter.source.clock.own_s()
    meter.leave(outer)

    assert 0.03 <= own < 0.05


def test_a_collection_before_a_pause_is_forgiven_as_well(big_host):
    runner = Runner()
    meter = runner.meter
    outer = meter.enter(Account(10**6, 10**6, step_ms=1_000.0))
    gc.collect()
    meter.resume(meter.pause())
    own = meter.source.clock.own_s()
    meter.leave(outer)

    assert own < 0.01


# --- wasm ------------------------------------------------------------------------------------------------------------


def test_a_collection_in_a_guests_slice_does_not_count(big_host):
    clock = StepClock()
    clock.begin_pump()
    clock.begin_slice()
    gc.collect()
    slice_ms = clock.end_slice()

    assert clock.step_ms < 5.0
    assert slice_ms < 5.0


def test_a_guests_own_time_counts():
    clock = StepClock()
    clock.begin_pump()
    for _ in range(2):
        clock.begin_slice()
        until = time.thread_time() + 0.01
        while time.thread_time() < until:
            pass
        clock.end_slice()

    assert clock.step_ms >= 20.0
