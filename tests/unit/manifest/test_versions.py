"""Versions and ranges: semantic versioning 2.0.0, and npm's ranges against a naive reading of their definition."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.manifest import Version, VersionRange

ORDERED = [
    # Source: Semantic Versioning 2.0.0, section 11, and the examples of its prerelease rules
    "0.0.1-0",
    "0.0.1",
    "1.0.0-0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-11",
    "1.0.0--",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
]


@pytest.mark.parametrize(("low", "high"), list(itertools.pairwise(ORDERED)))
def test_precedence(low: str, high: str) -> None:
    assert Version.parse(low) < Version.parse(high)
    assert not Version.parse(high) < Version.parse(low)


def test_build_metadata_has_no_part_in_precedence() -> None:
    assert Version.parse("1.0.0+a") == Version.parse("1.0.0+b")
    assert str(Version.parse("1.0.0-rc.1+b.7")) == "1.0.0-rc.1+b.7"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "1.2.3-01",
        "1.2.3-",
        "1.2.3+",
        "1.2.3-a..b",
        "v1.2.3",
        " 1.2.3",
        "1.2.3\n",
        "１.2.3",
        "1.2.3-é",
        "-1.2.3",
        "1.2.99999999999999999",
        "1.2.3-" + "a" * 300,
    ],
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        Version.parse(text)


MATCHES = [
    # Source: the tables of npm's node-semver, README and test fixtures
    ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 2.0.0-beta 1.2.3-beta 1.3.0-beta"),
    ("^1.2", "1.2.0 1.9.9", "1.1.9 2.0.0"),
    ("^1", "1.0.0 1.9.9", "0.9.9 2.0.0"),
    ("^1.x", "1.0.0 1.9.9", "2.0.0"),
    ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.2"),
    ("^0.0", "0.0.0 0.0.9", "0.1.0"),
    ("^0", "0.0.0 0.9.9", "1.0.0"),
    ("^0.0.0", "0.0.0", "0.0.1"),
    ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
    ("~1.2", "1.2.0 1.2.9", "1.3.0"),
    ("~1", "1.0.0 1.9.9", "2.0.0 0.9.9"),
    ("~0.2.3", "0.2.3 0.2.9", "0.3.0"),
    ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.9"),
    ("1.2.*", "1.2.0 1.2.9", "1.3.0"),
    ("1", "1.0.0 1.9.9", "2.0.0"),
    ("*", "0.0.0 9.9.9", "1.0.0-beta"),
    ("", "0.0.0 9.9.9", "1.0.0-beta"),
    ("1.2.3", "1.2.3 1.2.3+build", "1.2.4"),
    ("=1.2.3", "1.2.3", "1.2.4"),
    ("v1.2.3", "1.2.3", "1.2.4"),
    (">1.2", "1.3.0", "1.2.9 1.3.0-beta"),
    (">1", "2.0.0", "1.9.9 2.0.0-beta"),
    (">1.2.3", "1.2.4", "1.2.3"),
    (">=1.2", "1.2.0", "1.1.9"),
    ("<1.2", "1.1.9", "1.2.0 1.2.0-beta"),
    ("<2", "1.9.9", "2.0.0 2.0.0-beta"),
    ("<=1.2", "1.2.9", "1.3.0"),
    ("<=1.2.3", "1.2.3", "1.2.4"),
    (">=1,<2", "1.0.0 1.9.9", "2.0.0 0.9.9"),
    (">= 1.2  < 1.4", "1.2.0 1.3.9", "1.4.0"),
    (">=0.1,<1", "0.1.0 0.9.9", "0.0.9 1.0.0"),
    ("1.2 - 1.4", "1.2.0 1.4.9", "1.5.0 1.1.9"),
    ("1.2.3 - 2.3.4", "1.2.3 2.3.4", "2.3.5 1.2.2"),
    ("1.2.3 - 2", "2.9.9", "3.0.0"),
    ("^1 || ^3", "1.2.0 3.0.0", "2.0.0"),
    ("^1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.3 1.3.0", "1.2.3-beta.1 1.2.4-beta.2 2.0.0"),
    ("~1.2.3-beta.2", "1.2.3-beta.4 1.2.9", "1.2.4-beta.2 1.3.0"),
    (">=1.0.0-rc.1 <2", "1.0.0-rc.1 1.0.0", "1.5.0-rc.1"),
    (">*", "", "0.0.0 1.0.0"),
    ("<*", "", "0.0.0 1.0.0"),
    (">=*", "0.0.0", ""),
]


@pytest.mark.parametrize(("text", "inside", "outside"), MATCHES)
def test_a_range_matches_as_in_npm(text: str, inside: str, outside: str) -> None:
    versions = VersionRange.parse(text)
    assert [version for version in inside.split() if not versions.matches(version)] == []
    assert [version for version in outside.split() if versions.matches(version)] == []


@pytest.mark.parametrize(
    "text",
    ["one", "^", "1.2.3.4", "^^1", ">=1 <", "1 -", "1..2", "1.2.3 4 x.y", "!1", "^1.2 - 2", "1" * 300, "^1.2beta"],
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="range"):
        VersionRange.parse(text)


def test_a_range_keeps_its_text() -> None:
    assert str(VersionRange.parse("^1.2 || 3.x")) == "^1.2 || 3.x"
    assert VersionRange.parse("^1") == VersionRange.parse("^1")


numbers = st.integers(0, 3)
triples = st.tuples(numbers, numbers, numbers)
partials = st.lists(numbers, min_size=1, max_size=3).map(tuple)
operators = st.sampled_from(["^", "~", ">=", ">", "<=", "<", "="])


def naive(operator: str, partial: tuple[int, ...], version: tuple[int, int, int]) -> bool:
    """The definition in words, by comparing only the numbers that are written."""
    head = version[: len(partial)]
    if operator == "=":
        return head == partial
    if operator in ("<", "<="):
        return head < partial or (operator == "<=" and head == partial)
    if operator in (">", ">="):
        return head > partial or (operator == ">=" and head == partial)
    if operator == "~":
        return head >= partial and version[: min(len(partial), 2)] == partial[:2]
    significant = next((place for place, number in enumerate(partial) if number), len(partial) - 1) + 1
    return head >= partial and version[:significant] == partial[:significant]


@given(operators, partials, triples)
def test_every_comparator_equals_its_definition(operator: str, partial: tuple[int, ...], version: Any) -> None:
    text = operator + ".".join(map(str, partial))
    assert VersionRange.parse(text).matches(Version(*version)) is naive(operator, partial, version)


@given(st.lists(st.lists(st.tuples(operators, partials), min_size=1, max_size=3), min_size=1, max_size=3), triples)
def test_ranges_are_alternatives_of_conjunctions(alternatives: Any, version: Any) -> None:
    text = " || ".join(
        " ".join(operator + ".".join(map(str, partial)) for operator, partial in parts) for parts in alternatives
    )
    expected = any(all(naive(operator, partial, version) for operator, partial in parts) for parts in alternatives)
    assert VersionRange.parse(text).matches(Version(*version)) is expected


@given(st.text(alphabet="0123.xX*^~<>=|, -v+a", max_size=20))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    try:
        versions = VersionRange.parse(text)
    except ValueError:
        return
    assert versions.matches("1.2.3") in (True, False)


@given(st.text(alphabet="01.a-+", max_size=14))
def test_a_version_that_is_read_is_written_alike(text: str) -> None:
    try:
        version = Version.parse(text)
    except ValueError:
        return
    assert str(version) == text
