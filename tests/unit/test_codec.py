"""The one codec: what crosses arrives as it was, and everything else is refused on both sides."""

from __future__ import annotations

import datetime
import json
from collections import OrderedDict
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import codec
from plataforma_sdk.codec import MAX_DEPTH, copy_value, decode, encode
from plataforma_sdk.errors import CodecError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = texts | st.sampled_from(["$t", "v", "$", "$$", "$v", ""])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**53 - 2, 2**53 + 2),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.binary(max_size=20),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(datetime.UTC)),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


def types(value: Any) -> Any:
    """Write a value with the types of its parts, since 1 == 1.0 == True."""
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [types(item) for item in value]
    return type(value), str(value)


def nested(levels: int, leaf: Any = None) -> Any:
    for _ in range(levels):
        leaf = [leaf]
    return leaf


odd_keys = keys | st.integers() | st.booleans() | st.none() | st.floats()
anything = st.recursive(
    scalars | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_keys, inner, max_size=4) | st.tuples(inner),
    max_leaves=20,
)


@given(anything)
def test_what_c_writes_is_what_the_walk_writes(value: Any) -> None:
    """The quick way is taken where both agree, and never lets pass what the walk refuses."""
    try:
        walked = codec._dumps(codec._to_wire(value, 0))
        walked.encode()
    except (CodecError, ValueError):
        with pytest.raises(CodecError):
            encode(value)
    else:
        assert encode(value) == walked


@pytest.mark.parametrize(
    "value",
    [
        {1: 2},
        {None: 1},
        {True: 1},
        {1.5: 1},
        [{"a": {-1: 1}}],
        {"$t": "x"},
        10**16,
        [10**400],
        [["\ud800"]],
        [float("inf")],
    ],
    ids=repr,
)
def test_what_c_would_write_otherwise_goes_the_long_way(value: Any) -> None:
    test_what_c_writes_is_what_the_walk_writes.hypothesis.inner_test(value)


@given(values)
def test_what_is_encoded_decodes_to_the_same(value: Any) -> None:
    assert types(decode(encode(value))) == types(value)


@given(values)
def test_a_copy_is_what_the_other_side_would_receive(value: Any) -> None:
    assert types(copy_value(value)) == types(decode(encode(value)))


@given(values)
def test_encoded_text_is_one_line_of_json(value: Any) -> None:
    text = encode(value)
    assert "\n" not in text
    json.loads(text)


@given(values)
def test_decoding_takes_bytes_as_it_takes_text(value: Any) -> None:
    assert types(decode(encode(value).encode())) == types(value)


@given(st.text(max_size=30) | st.text(alphabet='[]{}",:$tv0e19-.\\u d', max_size=30))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    try:
        value = decode(text)
    except CodecError:
        return
    if not any("\ud800" <= char <= "\udfff" for char in text):  # see the two tests below that are expected to fail
        assert types(decode(encode(value))) == types(value)


def test_a_copy_shares_nothing_that_changes() -> None:
    inner: list[Any] = [1]
    value = {"a": inner, "b": (inner,)}
    copy = copy_value(value)
    inner.append(2)
    assert copy == {"a": [1], "b": [[1]]}


def test_a_tuple_arrives_as_a_list() -> None:
    assert copy_value((1, (2,))) == decode(encode((1, (2,)))) == [1, [2]]


class Colour(StrEnum):
    RED = "red"

    def __str__(self) -> str:
        return "not the text"


class Level(IntEnum):
    TOP = 3


class Shouting(str):
    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        raise AssertionError("behaviour must not cross")


class Half(float):
    pass


class Row(dict[str, Any]):
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "red"),
        (Level.TOP, 3),
        (Shouting("x"), "x"),
        (Half(0.5), 0.5),
        (Row(a=1), {"a": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (bytearray(b"x"), b"x"),
        ({Colour.RED: 1}, {"red": 1}),
        ({Shouting("k"): 1}, {"k": 1}),
    ],
    ids=["StrEnum", "IntEnum", "str", "float", "dict", "OrderedDict", "bytearray", "enum key", "str key"],
)
def test_a_subclass_arrives_as_its_base(value: Any, expected: Any) -> None:
    for arrived in (copy_value(value), decode(encode(value))):
        assert types(arrived) == types(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x00\xff", '{"$t":"bytes","v":"AP8="}'),
        (datetime.date(2024, 1, 31), '{"$t":"date","v":"2024-01-31"}'),
        (datetime.datetime(2024, 1, 31, 8, tzinfo=datetime.UTC), '{"$t":"datetime","v":"2024-01-31T08:00:00+00:00"}'),
        (Decimal("2328.60"), '{"$t":"decimal","v":"2328.60"}'),
        (2**53, "9007199254740992"),
        (2**53 + 1, '{"$t":"int","v":"9007199254740993"}'),
        (-(2**53) - 1, '{"$t":"int","v":"-9007199254740993"}'),
        ({"$t": 1, "$$": 2, "a$": 3}, '{"$$t":1,"$$$":2,"a$":3}'),
        ("ação", '"ação"'),
    ],
)
def test_the_wire_is_as_documented(value: Any, text: str) -> None:
    assert encode(value) == text
    assert types(decode(text)) == types(value)


REFUSED: dict[str, Any] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "Decimal NaN": Decimal("NaN"),
    "Decimal sNaN": Decimal("sNaN"),
    "Decimal infinity": Decimal("-Infinity"),
    "lone surrogate": "a\ud800",
    "lone surrogate in a key": {"\udfff": 1},
    "surrogate pair as two characters": "\ud83d\ude00",
    "number as key": {1: "a"},
    "None as key": {None: 1},
    "bytes as key": {b"a": 1},
    "tuple as key": {(1,): 1},
    "set": {1},
    "object": object(),
    "function": len,
    "class": int,
    "complex": 1j,
    "time": datetime.time(8),
    "timedelta": datetime.timedelta(1),
    "generator": iter(()),
    "range": range(3),
    "memoryview": memoryview(b"x"),
    "exception": ValueError("x"),
    "too deep": nested(MAX_DEPTH + 1),
    "tag too deep": nested(MAX_DEPTH, b"x"),
    "large integer too deep": nested(MAX_DEPTH, 2**60),
    "integer of too many digits": 10**4_300,
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("cross", [encode, copy_value])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [{"k": value}]], ids=["plain", "inside"])
def test_what_does_not_cross_is_refused_on_the_way_out(value: Any, cross: Any, wrap: Any) -> None:
    with pytest.raises(CodecError):
        cross(wrap(value))


@pytest.mark.parametrize("cross", [encode, copy_value])
def test_a_cycle_is_refused(cross: Any) -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(CodecError, match="cycle"):
        cross(cycle)


@pytest.mark.parametrize("leaf", [None, 1, "x", 2**53], ids=["none", "int", "text", "safe int"])
def test_the_deepest_value_crosses(leaf: Any) -> None:
    value = nested(MAX_DEPTH, leaf)
    assert copy_value(value) == decode(encode(value)) == value


@pytest.mark.parametrize("leaf", [b"x", Decimal(1), 2**60], ids=["bytes", "decimal", "int"])
def test_a_tag_counts_as_a_level(leaf: Any) -> None:
    value = nested(MAX_DEPTH - 1, leaf)
    assert copy_value(value) == decode(encode(value)) == value


BAD_TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "no json": "{",
    "trailing": "1 2",
    "NaN": "NaN",
    "Infinity": "[Infinity]",
    "float overflow": "1e999",
    "float overflow in capitals": "1E999",
    "float overflow with sign": "1e+0999",
    "float overflow by digits": "1" + "0" * 400 + ".0",
    "negative overflow": "[-1e999]",
    "integer of too many digits": "1" * 4_301,
    "escaped surrogate": r'"\ud800"',
    "escaped surrogate in a key": r'{"\udc00":1}',
    "two escaped surrogates in the wrong order": r'"\ude00\ud83d"',
    "one dollar": '{"$x":1}',
    "escaped dollar": r'{"\u0024x":1}',
    "unknown tag": '{"$t":"set","v":"1"}',
    "tag that is no text": '{"$t":1,"v":"1"}',
    "tag that is a list": '{"$t":[],"v":"1"}',
    "tag without value": '{"$t":"int"}',
    "tag with more": '{"$t":"int","v":"1","w":1}',
    "tag with another key": '{"$t":"int","w":"1"}',
    "value that is no text": '{"$t":"int","v":1}',
    "bad base64": '{"$t":"bytes","v":"A"}',
    "base64 with rubbish": '{"$t":"bytes","v":"AA==*"}',
    "bad date": '{"$t":"date","v":"2024-02-30"}',
    "bad datetime": '{"$t":"datetime","v":"now"}',
    "bad decimal": '{"$t":"decimal","v":"x"}',
    "decimal NaN": '{"$t":"decimal","v":"NaN"}',
    "decimal infinity": '{"$t":"decimal","v":"Infinity"}',
    "bad int": '{"$t":"int","v":"1.5"}',
    "int of too many digits": '{"$t":"int","v":"' + "1" * 4_301 + '"}',
    "too deep": "[" * 65 + "]" * 65,
    "far too deep": "[" * 200_000 + "]" * 200_000,
    "too deep in objects": '{"a":' * 65 + "1" + "}" * 65,
    "deep behind a text with brackets": '["]]]]",' + "[" * 65 + "]" * 65 + "]",
    "deep behind an escaped quote": r'["\"]",' + "[" * 65 + "]" * 65 + "]",
    "never closed": "[" * 70,
    "bytes that are no UTF-8": b'"\xff"',
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_what_does_not_cross_is_refused_on_the_way_in(text: str | bytes) -> None:
    with pytest.raises(CodecError):
        decode(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_only_utf_8_is_read(encoding: str) -> None:
    with pytest.raises(CodecError):
        decode("1e999".encode(encoding))


@pytest.mark.parametrize("text", ['"\ud800"', b'"\xed\xa0\x80"'], ids=["text", "bytes"])
def test_a_raw_lone_surrogate_is_refused(text: str | bytes) -> None:
    with pytest.raises(CodecError):
        decode(text)


def test_brackets_inside_texts_do_not_count() -> None:
    value = ["[" * 1_000, '"[{\\' * 100, {"[[": "]]"}]
    assert decode(encode(value)) == value


def test_a_refusal_names_the_type_and_the_way_out() -> None:
    with pytest.raises(CodecError, match=r"A set does not cross a boundary; send JSON values"):
        encode({"a": {1}})
