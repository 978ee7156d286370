"""Methods of builtin types: complete, priced, and the same as Python's."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import collections
import datetime
import decimal
import types
import zoneinfo

import pytest

from plataforma_sdk.errors import PolicyError
from plataforma_sdk.sandbox.restricted._containers import DefaultDict, OrderedDict
from plataforma_sdk.sandbox.restricted._costs import COSTS
from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from plataforma_sdk.sandbox.restricted._method_names import GUARDED, HASHED, NATIVE, TYPES, public_names

REFUSED = {
    str: "format_map maketrans",
    bytes: "fromhex maketrans",
    bytearray: "fromhex maketrans",
    int: "from_bytes",
    bool: "from_bytes",
    float: "fromhex from_number",
    complex: "from_number",
    dict: "fromkeys",
    DefaultDict: "fromkeys",
    OrderedDict: "fromkeys",
    collections.Counter: "fromkeys",
    property: "fget fset fdel",
    type({}.keys()): "mapping",
    type({}.values()): "mapping",
    type({}.items()): "mapping",
    type(collections.OrderedDict().keys()): "mapping isdisjoint",
    type(collections.OrderedDict().values()): "mapping",
    type(collections.OrderedDict().items()): "mapping isdisjoint",
    datetime.datetime: """combine fromisocalendar fromisoformat fromordinal fromtimestamp max min now resolution strptime
        timetuple today utcfromtimestamp utcnow utctimetuple""",
    datetime.date: "fromisocalendar fromisoformat fromordinal fromtimestamp max min resolution strptime timetuple today",
    datetime.time: "fromisoformat max min resolution strptime",
    datetime.timedelta: "max min resolution",
    datetime.timezone: "fromutc max min utc",
    zoneinfo.ZoneInfo: "clear_cache from_file fromutc no_cache",
    decimal.Decimal: """as_integer_ratio as_tuple canonical compare_signal compare_total compare_total_mag fma from_float
        from_number is_canonical logical_and logical_invert logical_or logical_xor max_mag min_mag next_toward rotate
        shift""",
    types.GeneratorType: "gi_code gi_frame gi_running gi_suspended gi_yieldfrom",
    types.CoroutineType: "cr_await cr_code cr_frame cr_origin cr_running cr_suspended send throw",
    types.AsyncGeneratorType: "aclose ag_await ag_code ag_frame ag_running ag_suspended asend athrow",
}
"""Type -> methods that a module does not get, on purpose. Names that a Python lacks are allowed to stand here."""

STEPS = ("async_generator_asend", "async_generator_athrow")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_method_of_every_type_is_classified(kind):
    """A method that a new Python adds fails here, until somebody writes down what it costs or that it is refused."""
    refused = set(REFUSED.get(kind, "").split()) | ({"close", "send", "throw"} if kind.__name__ in STEPS else set())
    known = NATIVE | HASHED | set(COSTS.get(kind, ())) | refused | ({"format"} if kind is str else set())
    known |= {list: {"sort"}, collections.Counter: {"update", "subtract"}}.get(kind, set())

    assert public_names(kind) - known == set()


@pytest.mark.parametrize("kind", COSTS, ids=lambda kind: kind.__name__)
def test_no_method_is_priced_that_does_not_exist(kind):
    assert set(COSTS[kind]) - public_names(kind) == set()


def test_native_names_need_no_guard():
    assert not (NATIVE | HASHED) & GUARDED


CALLS = {
    "str": "'a-b-c'.split('-'), 'abc'.replace('b', 'xx'), ' a '.strip(), 'a,b'.partition(','), 'abc'.rfind('c'), 'A'.lower()",
    "str 2": "'{:>5}|{a}'.format(1, a=2), 'ab'.center(6, '*'), 'x'.join(c for c in 'abc'), 'a\\tb'.expandtabs(4), 'ab'.translate({97: 'b'})",
    "format": "'{0[0]} {a[k]} {b.real}'.format([1], a={'k': 2}, b=3), '{:{}}|{:>{w}}|{!r:^5}'.format('a', 3, 'b', 'c', w=2)",
    "set 2": "list({1}.union([100, 4, -5])), sorted([1, 2], reverse=1), [1].__class__ is list",
    "bytes": "b'ab'.hex(), b'ab'.decode(), b'a,b'.split(b','), b' x '.strip(), bytes([1, 2]).count(b'\\x01')",
    "list": "[3, 1, 2].index(2), [1, 1].count(1), [1, 2].copy(), [[1], [2]].index([2])",
    "dict": "{1: 2}.copy(), {1: 2}.get(1), {1: 2}.get(3, 4), list({1: 2}.items()), {1: 2}.pop(1), {1: 2}.setdefault(3, 5)",
    "set": "{1, 2}.union([3]), {1, 2}.intersection((2,)), {1}.issubset({1, 2}), sorted({1, 2} ^ {2, 3}), {1}.isdisjoint([2])",
    "int": "(5).bit_length(), (5).to_bytes(2, 'big'), (1.5).as_integer_ratio(), (2).real, (1.5).is_integer()",
    "keywords": "'a b'.split(sep=' ', maxsplit=1), 'ab'.encode(encoding='ascii'), 'a\\nb'.splitlines(keepends=True)",
    "bound": "list(map('a-b'.split, ['-'])), [f(2) for f in [[1, 2, 3].index]]",
}  # fmt: skip


@pytest.mark.parametrize("expression", CALLS.values(), ids=CALLS.keys())
def test_a_method_answers_as_in_python(runner, expression):
    assert runner.value(expression) == eval(expression)


@pytest.mark.parametrize(
    "body",
    [
        "x = []\nx.extend([1])\nx.insert(0, 2)\nx.append(3)\nx.remove(1)\nx.reverse()\nx.sort(key=lambda v: -v)\nr = x, x.pop(), x.pop(0), x",
        "x = {1: 2}\nx.update({3: 4})\nx.update([(5, 6)], a=7)\nr = x",
        "x = {1}\nx.add(2)\nx.update([3], (4,))\nx.discard(1)\nx.difference_update({2})\nr = x",
    ],
    ids=["list", "dict", "set"],
)
def test_mutation_is_as_in_python(runner, body):
    expected = {}
    exec(body, expected)

    assert runner.run(body)["r"] == expected["r"]


EXPENSIVE = {
    "hex": "b = bytes(4000000)\nwhile True:\n    b.hex()",
    "strip": "s = 'a' * 1000000\nwhile True:\n    s.strip('a' * 1000)",
    "sort": "x = list(range(100000))\nwhile True:\n    x.sort()",
    "index": "x = list(range(100000))\nwhile True:\n    x.index(99999)",
    "insert": "x = list(range(100000))\nwhile True:\n    x.insert(0, 1)\n    x.pop(0)",
    "copy": "x = list(range(100000))\nwhile True:\n    x.copy()",
    "find": "s = 'a' * 1000000\nwhile True:\n    s.find('b')",
}


@pytest.mark.parametrize("source", EXPENSIVE.values(), ids=EXPENSIVE.keys())
def test_an_expensive_method_burns_fuel_in_proportion(runner, source):
    """A turn alone is one unit: a million units would be a million calls."""
    done = []
    with pytest.raises(LimitReached):
        runner.run(source.replace("while True:", "while True:\n    done.append(1)"), fuel=100_000, done=done)

    assert len(done) < 10_000


@pytest.mark.parametrize(
    "expression",
    [
        "'a'.format_map({})",
        "(1).from_bytes(b'')",
        "{}.fromkeys([1])",
        "'a'.maketrans('a', 'b')",
        "(i for i in []).gi_code",
    ],
)
def test_what_is_not_listed_is_not_there(runner, expression):
    name = expression.rpartition(".")[2].partition("(")[0]
    receiver = expression.rpartition("." + name)[0]

    with pytest.raises(AttributeError):
        runner.value(f"getattr({receiver}, '{name}')")


WRONG = [
    "'{0.__class__}'.format(1)",
    "'{0.gi_frame}'.format(i for i in [])",
    "'{0.real.__class__}'.format(1)",
    "'{0.p0_x}'.format(1)",
]


@pytest.mark.parametrize("expression", WRONG)
def test_a_field_of_a_format_reads_through_the_guard(runner, expression):
    """Source: CVE-2023-41039, attributes in `str.format`."""
    with pytest.raises(AttributeError, match="is reserved"):
        runner.value(expression)


SAME_ERRORS = [
    "'a'.frobnicate()", "sum([1], '')", "dict([(1, 2), (3,)])", "dict([1])", "1 in 5", "bytes(2.5)", "b'a'.split('a')",
    "print(sep=b'')", "'{}{0}'.format(1)", "'{3}'.format(1)", "'{:{:{}}}'.format(1, 2, 3)", "'{!z}'.format(1)", "{**1}", "f(**1)",
    "int('x')", "1 + 'a'", "'a' % 1", "[].pop()", "{}['k']", "(1).real.x",
]  # fmt: skip


def failure(function):
    try:
        return function()
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("expression", SAME_ERRORS)
def test_what_fails_fails_in_the_words_of_python(runner, expression):
    plain = failure(lambda: eval(expression, {"f": dict}))

    assert isinstance(plain, tuple)
    assert failure(lambda: runner.value(expression, f=dict)) == plain


NATIVE_LOADS = {
    "augmented attribute": """
class V:
    def __radd__(self, loaded):
        kept.append(loaded)
        return 1
try:
    pattern.format += V()
except TypeError:
    pass
kept[0](V())
""",
    "value in a pattern": """
class V:
    def __eq__(self, loaded):
        kept.append(loaded)
        return True
match V():
    case pattern.format:
        pass
kept[0](V())
""",
    "value in a pattern of a mapping": """
match {}:
    case {pattern.format: _}:
        pass
""",
}


@pytest.mark.parametrize("source", NATIVE_LOADS.values(), ids=NATIVE_LOADS.keys())
def test_no_form_of_loading_hands_out_an_unguarded_method(runner, source):
    """Source: own finding; `str.format` walks attributes, so a load of it past the guard reads any object's."""
    with pytest.raises((AttributeError, PolicyError), match=r"is reserved|as a value"):
        runner.run(f"kept = []\npattern = '{{0.__class__.__mro__}}'\n{source}")
