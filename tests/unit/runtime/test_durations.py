from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.runtime._durations import Durations


@given(st.lists(st.integers(0, 2**43), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_near_the_exact_one(values: list[int], share: float) -> None:
    durations = Durations()
    for value in values:
        durations.add(value)
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    found = durations.percentile_ms(share)
    assert found is not None
    assert found * 1e6 == pytest.approx(exact, rel=0.07, abs=0.6)


def test_nothing_counted_has_no_percentile() -> None:
    assert Durations().percentile_ms(0.5) is None


def test_what_is_beyond_all_measure_is_counted_last() -> None:
    durations = Durations()
    durations.add(2**60)
    assert durations.count == 1
    assert durations.percentile_ms(0.5) is not None
