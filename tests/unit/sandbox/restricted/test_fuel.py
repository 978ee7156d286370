"""Fuel: deterministic, fail-closed, uncatchable."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import pytest

from plataforma_sdk.sandbox.restricted._fuel import SLICE, Account, LimitReached, Meter


def count_until_trip(runner, source, fuel):
    """Run `source`, which appends to `done`, until it trips; return how far it came."""
    done = []
    with pytest.raises(LimitReached) as caught:
        runner.run(source, fuel=fuel, done=done)
    return len(done), caught.value.resource


LOOPS = {
    "while": "while True:\n    done.append(1)",
    "for": "for i in range(10**9):\n    done.append(1)",
    "comprehension": "x = [done.append(1) for i in range(10**9)]",
    "call": "def f():\n    done.append(1)\nwhile True:\n    f()",
    "lambda": "f = lambda: done.append(1)\nwhile True:\n    f()",
    "generator": "def g():\n    while True:\n        done.append(1)\n        yield 1\nfor x in g():\n    pass",
    "charged": "while True:\n    done.append(1)\n    x = sorted(range(500))",
}


@pytest.mark.parametrize("source", LOOPS.values(), ids=LOOPS.keys())
@pytest.mark.parametrize("fuel", [1_000, 12_345])
def test_two_runs_with_one_budget_stop_at_the_same_turn(source, fuel):
    from tests.unit.sandbox.restricted.restricted_kit import Runner

    first = count_until_trip(Runner(), source, fuel)
    second = count_until_trip(Runner(), source, fuel)

    assert first == second
    assert first[1] == "fuel"


@pytest.mark.parametrize("warm_up", [0, 1, SLICE - 1, SLICE, SLICE + 1, 1_000])
def test_where_a_slice_ends_does_not_move_the_trip_point(warm_up):
    """Work on another account before shifts the slices, and must not shift the end."""
    from tests.unit.sandbox.restricted.restricted_kit import Runner

    runner = Runner()
    runner.run(f"for i in range({warm_up}):\n    pass")

    assert count_until_trip(runner, LOOPS["while"], 5_000) == count_until_trip(Runner(), LOOPS["while"], 5_000)


def test_a_unit_is_a_turn(runner):
    assert count_until_trip(runner, LOOPS["while"], 777) == (777, "fuel")


def test_after_the_first_trip_nothing_runs(runner):
    count_until_trip(runner, LOOPS["while"], 100)

    with pytest.raises(LimitReached):
        runner.run("for i in range(3):\n    pass")


@pytest.mark.parametrize(
    "handler",
    ["except Exception:\n            pass", "except:\n            pass", "finally:\n            done.append(2)"],
    ids=["except Exception", "bare except", "finally"],
)
def test_a_limit_cannot_be_swallowed(runner, handler):
    source = f"while True:\n    try:\n        while True:\n            pass\n    {handler.replace(chr(10) + '    ', chr(10))}"

    with pytest.raises(LimitReached):
        runner.run(source, fuel=1_000, done=[])


def test_charge_takes_from_the_account():
    meter = Meter(1 << 20)
    outer = meter.enter(Account(10_000, 10_000))
    meter.charge(3_000)
    next(meter.fuel)
    meter.leave(outer)

    assert meter.fuel_used == 3_001


def test_an_account_keeps_what_a_step_did_not_use():
    meter = Meter(1 << 20)
    account = Account(1_000, 1_000)
    for _ in range(3):
        outer = meter.enter(account)
        next(meter.fuel)
        meter.leave(outer)

    assert account.left == 997


def test_a_background_account_is_renewed_at_each_step():
    meter = Meter(1 << 20)
    account = Account(100, 100, is_renewed=True)
    for _ in range(5):
        outer = meter.enter(account)
        meter.charge(60)
        meter.leave(outer)

    assert meter.fuel_used == 300


def test_steps_nest():
    meter = Meter(1 << 20)
    outside, inside = Account(1_000, 1_000), Account(500, 500)
    first = meter.enter(outside)
    meter.charge(10)
    second = meter.enter(inside)
    meter.charge(20)
    meter.leave(second)
    meter.charge(30)
    meter.leave(first)

    assert (outside.left, inside.left, meter.fuel_used) == (960, 480, 60)


def test_charged_memory_trips():
    meter = Meter(1_000)
    meter.alloc(900)

    with pytest.raises(LimitReached, match="memory"):
        meter.alloc(200)


def test_processor_time_trips(runner):
    outer = runner.meter.enter(Account(10**9, 10**9, step_ms=5.0))
    with pytest.raises(LimitReached) as caught:
        runner.sandbox.run_source("while True:\n    pass", "m.py")
    runner.meter.leave(outer)

    assert caught.value.resource == "step_time"
