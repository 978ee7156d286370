"""Records as JSON: one form, sealed where it may rot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry._json import from_json, seal, to_json, unseal

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_what_was_sealed_is_read_back(data):
    assert unseal(seal(data), what="it") == data


@given(PLAIN, st.data())
def test_no_byte_of_a_seal_can_be_another(data, draw):
    sealed = bytearray(seal(data))
    place = draw.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(IntegrityError, match="it is damaged"):
        unseal(bytes(sealed), what="it")


def test_equal_data_gives_equal_bytes():
    assert to_json({"b": 1, "a": "é"}) == to_json({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"[" * 100_000, b'"\\ud800"', b'{"\\uDC00": 1}', b"1" * 5_000],
    ids=["empty", "cut", "no UTF-8", "deep", "half a pair", "half a key", "huge number"],
)
def test_what_is_no_json_is_damage(text):
    with pytest.raises(IntegrityError, match="the index is damaged: it is no JSON"):
        from_json(text, what="the index")
