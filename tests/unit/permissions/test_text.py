"""A module's words, made harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.permissions import clean_text, quote

CASES = [
    pytest.param("Lê clientes", "Lê clientes", id="plain"),
    pytest.param("a\n\tb\r\n  c\u2028d\xa0e", "a b c d e", id="white space becomes one space"),
    pytest.param("a\x1b[31mb\x07\x00", "a[31mb", id="terminal control (CVE-2021-25743)"),
    pytest.param("\u202eabc\u202c\u2066d\u2069\u200f", "abcd", id="bidi (CVE-2021-42574)"),
    pytest.param("a\u200bb\u200dc\ufeffd\u00ade", "abcde", id="zero width"),
    pytest.param("a\u3164\u115f\u2800\u034fb", "ab", id="invisible letters (UTS #39)"),
    pytest.param("a\U000e0041\U000e0100\ufe0fb", "ab", id="tags and variation selectors"),
    pytest.param("a\ue000\U0010ffffb\ud800", "ab", id="private, unassigned, surrogate"),
    pytest.param("Z" + "\u0335" * 50 + "x", "Z" + "\u0335" * 3 + "x", id="stacked marks"),
    pytest.param("cafe\u0301", "caf\u00e9", id="composed"),
    pytest.param("", "", id="empty"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_cleaning(text, expected):
    assert clean_text(text) == expected


def test_long_texts_are_cut():
    assert clean_text("ab " * 100_000) == "ab " * 66 + "a…"
    assert len(clean_text("x" * 300)) == 200
    assert clean_text("x" * 200) == "x" * 200


@given(text=st.text())
def test_nothing_harmful_is_left(text):
    cleaned = clean_text(text)
    assert len(cleaned) <= 200
    assert all(char == " " or unicodedata.category(char)[0] not in "CZ" for char in cleaned)
    assert clean_text(cleaned) == cleaned


@given(text=st.text())
def test_a_quotation_cannot_be_closed_from_inside(text):
    assert quote(text)[1:-1].count('"') == 0
    assert not set("“”„‟«»＂") & set(quote(text))
