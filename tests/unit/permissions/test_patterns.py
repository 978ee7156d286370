"""The wildcard language, and the index over it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.permissions._patterns import PatternIndex, covers, is_pattern, meet, overlaps

from .naive import matches
from .strategies import patterns

ALPHABET = ("a", "b", "zz")


def language(pattern: str) -> set[tuple[str, ...]]:
    """All words of up to four segments that a pattern stands for."""
    import itertools

    words = (word for length in range(1, 5) for word in itertools.product(ALPHABET, repeat=length))
    return {word for word in words if matches(tuple(pattern.split(".")), word)}


@given(first=patterns, second=patterns)
def test_covers_compares_languages(first, second):
    assert covers(first, second) == (language(second) <= language(first))


@given(first=patterns, second=patterns)
def test_meet_is_the_intersection(first, second):
    both = meet(first, second)
    assert (language(both) if both else set()) == language(first) & language(second)
    assert overlaps(first, second) == (both is not None)


@given(first=patterns, second=patterns)
def test_meet_does_not_care_for_order(first, second):
    assert meet(first, second) == meet(second, first)


@given(held=st.lists(patterns, unique=True), removed=st.sets(st.integers(0, 20)), text=patterns)
def test_index_finds_what_a_scan_finds(held, removed, text):
    index: PatternIndex[str] = PatternIndex()
    for pattern in held:
        index.add(pattern, pattern)
    for place in removed:
        if place < len(held):
            index.remove(held[place])
    left = [pattern for place, pattern in enumerate(held) if place not in removed]
    assert set(index.covering(text)) == {pattern for pattern in left if covers(pattern, text)}
    assert set(index.overlapping(text)) == {pattern for pattern in left if overlaps(pattern, text)}
    assert set(index.inside(text)) == {pattern for pattern in left if covers(text, pattern)}


def test_index_forgets_shapes_with_their_last_pattern():
    index: PatternIndex[int] = PatternIndex()
    index.add("a.*.b", 1)
    index.add("a.*.b", 2)
    index.add("a.*", 3)
    index.remove("a.*.b")
    index.remove("a.*")
    assert (index.entries, index._fixed, index._open) == ({}, {}, {})


class CountingDict(dict):
    """Counts how often it is asked."""

    asked = 0

    def __contains__(self, key):
        self.asked += 1
        return super().__contains__(key)


@pytest.mark.parametrize("count", [10, 1_000, 100_000])
def test_a_lookup_never_scans(count):
    index: PatternIndex[int] = PatternIndex(CountingDict())
    for number in range(count):
        index.add(f"api.g{number}.*", number)
        index.add(f"api.*.g{number}", number)
    index.entries.asked = 0
    assert list(index.covering("api.g1.x")) == [1]
    assert index.entries.asked == 3  # itself, the inner star, the trailing star


@pytest.mark.parametrize(("text", "expected"), [("a.b", False), ("a.*", True), ("*", True)])
def test_is_pattern(text, expected):
    assert is_pattern(text) is expected
