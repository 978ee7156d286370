"""The grammar of topics, the matcher and its index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.events import PatternIndex, check_pattern, check_topic, pattern_inside, topic_matches

SEGMENT = st.sampled_from(["a", "b", "c", "vendas"])
TOPIC = st.lists(SEGMENT, min_size=1, max_size=6).map(".".join)
PATTERN = st.lists(st.one_of(SEGMENT, st.just("*")), min_size=1, max_size=6).map(".".join)


def naive_match(wanted: list[str], given_: list[str]) -> bool:
    """The definition, segment by segment."""
    if not wanted or not given_:
        return not wanted and not given_
    if wanted == ["*"]:
        return True
    return wanted[0] in ("*", given_[0]) and naive_match(wanted[1:], given_[1:])


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("data.vendas.updated", "data.vendas.updated"),
        ("data.*", "data.vendas"),
        ("data.*", "data.vendas.updated"),
        ("data.*.updated", "data.vendas.updated"),
        ("*", "data"),
        ("*", "data.vendas.updated"),
        ("*.*", "data.vendas"),
    ],
)
def test_matches(pattern: str, topic: str) -> None:
    assert topic_matches(pattern, topic)


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("data.*", "data"),
        ("data.*", "database.x"),
        ("data.*.updated", "data.updated"),
        ("data.*.updated", "data.a.b.updated"),
        ("*.x", "a.y.x"),
        ("*.*", "data"),
        ("data", "data.vendas"),
    ],
)
def test_does_not_match(pattern: str, topic: str) -> None:
    assert not topic_matches(pattern, topic)


@pytest.mark.parametrize("topic", ["a", "a-b.c_d.0", "acme--vendas", ".".join("a" * 16), "a" * 256])
def test_a_topic_is_returned(topic: str) -> None:
    assert check_topic(topic) == topic


@pytest.mark.parametrize(
    ("topic", "advice"),
    [
        ("", "segment is empty"),
        ("a..b", "segment is empty"),
        (".a", "segment is empty"),
        ("a.", "segment is empty"),
        ("User.Login", "'user' instead of 'User'"),
        ("a b", "only a-z"),
        ("a\n", "only a-z"),
        ("vendas.café", "only a-z"),
        ("vendаs", "only a-z"),  # the fifth letter is Cyrillic
        ("a.*", "one exact topic"),
        (".".join("a" * 17), "more than 16 segments"),
        ("a" * 257, "longer than 256 bytes"),
        (7, "of type int"),
    ],
)
def test_what_is_not_a_topic_is_refused_with_advice(topic: str, advice: str) -> None:
    with pytest.raises(PlataformaError, match="Invalid topic") as caught:
        check_topic(topic)
    assert advice in caught.value.message


@pytest.mark.parametrize("pattern", ["*", "*.*", "a.*", "*.a", "a.*.b", "a.b", ".".join("*" * 16)])
def test_a_pattern_is_returned(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("a*", "mixes it with text"),
        ("a.**", "mixes it with text"),
        ("", "segment is empty"),
        ("a.*.B", "'b' instead of 'B'"),
        ("*" * 257, "longer than 256 bytes"),
        (".".join("*" * 17), "more than 16 segments"),
        (None, "of type NoneType"),
    ],
)
def test_what_is_not_a_pattern_is_refused_with_advice(pattern: str, advice: str) -> None:
    with pytest.raises(PlataformaError, match="Invalid pattern") as caught:
        check_pattern(pattern)
    assert advice in caught.value.message


@given(st.text(max_size=20))
def test_any_text_is_a_topic_or_refused(text: str) -> None:
    try:
        check_topic(text)
    except PlataformaError:
        return
    assert all(segment and set(segment) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for segment in text.split("."))


@given(PATTERN, TOPIC)
def test_the_matcher_equals_the_definition(pattern: str, topic: str) -> None:
    assert topic_matches(pattern, topic) == naive_match(pattern.split("."), topic.split("."))


@given(st.lists(PATTERN, max_size=12), st.lists(TOPIC, min_size=1, max_size=4), st.data())
def test_the_index_equals_the_matcher(patterns: list[str], topics: list[str], data: st.DataObject) -> None:
    """Through additions, removals and a memo that overflows."""
    index, live = PatternIndex(memo_size=2), set[str]()
    for pattern in patterns:
        index.add(pattern)
        live.add(pattern)
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(patterns))
            index.discard(gone)
            live.discard(gone)
        for topic in topics:
            expected = sorted(pattern for pattern in live if topic_matches(pattern, topic))
            assert expected == sorted(index.match(topic))


def test_an_emptied_index_keeps_no_nodes() -> None:
    index = PatternIndex()
    for pattern in ("a.*", "a.*.b", "*", "a.b.*"):
        index.add(pattern)
    for pattern in ("a.*", "a.*.b", "*", "a.b.*"):
        index.discard(pattern)
    assert index._root.is_empty


def test_the_memo_is_bounded() -> None:
    index = PatternIndex(memo_size=10)
    index.add("*")
    for number in range(100):
        index.match(f"topic.{number}")
    assert len(index._memo) <= 10


@given(PATTERN, PATTERN, TOPIC)
def test_a_pattern_inside_a_scope_matches_nothing_outside_it(pattern: str, scope: str, topic: str) -> None:
    if pattern_inside(pattern, scope) and topic_matches(pattern, topic):
        assert topic_matches(scope, topic)


@given(PATTERN, PATTERN)
def test_a_pattern_not_inside_a_scope_has_a_topic_outside_it(pattern: str, scope: str) -> None:
    """The witness: every `*` of the pattern read as a segment that the scope does not spell out."""
    if not pattern_inside(pattern, scope):
        witness = pattern.replace("*", "fresh")
        assert topic_matches(pattern, witness)
        assert not topic_matches(scope, witness)
