"""The clock of steps: what is measured exactly, and what is taken for exact because it is short."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plataforma_sdk.sandbox.wasm import _steps
from plataforma_sdk.sandbox.wasm._steps import StepClock


@pytest.fixture
def clocks(monkeypatch):
    """Wall time and processor time, set by hand."""
    clocks = SimpleNamespace(wall=100.0, processor=10.0)
    monkeypatch.setattr(
        _steps,
        "time",
        SimpleNamespace(perf_counter=lambda: clocks.wall, thread_time=lambda: clocks.processor),
    )
    return clocks


def _slice(steps, clocks, *, wall_ms, processor_ms):
    steps.begin_slice()
    clocks.wall += wall_ms / 1_000
    clocks.processor += processor_ms / 1_000
    return steps.end_slice()


def test_a_long_slice_costs_what_the_processor_did_and_not_what_passed(clocks):
    """A busy machine does not end an innocent module."""
    steps = StepClock()
    steps.begin_pump()
    assert _slice(steps, clocks, wall_ms=80.0, processor_ms=2.0) == pytest.approx(2.0)
    assert steps.step_ms == pytest.approx(2.0)


def test_of_the_first_slice_alone_a_short_wall_time_will_do(clocks):
    """What is taken for exact is wrong by less than a millisecond in a whole pump, however many slices it has."""
    steps = StepClock()
    steps.begin_pump()
    for _ in range(10):
        _slice(steps, clocks, wall_ms=0.9, processor_ms=0.1)
    assert steps.step_ms == pytest.approx(0.9 + 9 * 0.1)


def test_another_step_begins_at_nothing(clocks):
    """The guest says so in the midst of a slice."""
    steps = StepClock()
    steps.begin_pump()
    steps.begin_slice()
    clocks.wall, clocks.processor = clocks.wall + 0.003, clocks.processor + 0.003
    steps.begin_step()
    clocks.wall, clocks.processor = clocks.wall + 0.002, clocks.processor + 0.002
    assert steps.end_slice() == pytest.approx(5.0)
    assert steps.step_ms == pytest.approx(2.0)
