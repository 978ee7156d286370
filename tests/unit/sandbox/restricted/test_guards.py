"""Guards: operators and builtins answer as Python's, and what would be too much trips."""

# ruff: noqa: B023, E501 - lambdas are called at once; modules and expressions read best on one line

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner

VALUES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.booleans(),
    st.lists(st.integers(0, 9), max_size=3),
    st.tuples(st.integers(0, 9)),
    st.sets(st.integers(0, 9), max_size=3),
    st.dictionaries(st.integers(0, 9), st.text(max_size=2), max_size=3),
    st.none(),
)
OPERATORS = [
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "<<",
    ">>",
    "|",
    "&",
    "^",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "not in",
    "is",
]


def outcome(function):
    try:
        return "value", function()
    except Exception as error:
        return "error", type(error)


def is_small(a, b, operator):
    """Leave out what is too large on purpose."""
    numbers = [abs(x) for x in (a, b) if isinstance(x, int)]
    return operator not in ("**", "<<", "*") or all(number < 200 for number in numbers)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_operators_are_pythons(a, b):
    runner = Runner()
    for operator in OPERATORS:
        if is_small(a, b, operator):
            plain = outcome(lambda: eval(f"a {operator} b", {"a": a, "b": b}))
            guarded = outcome(lambda: runner.value(f"a {operator} b", a=a, b=b))
            assert guarded == plain, operator


@settings(max_examples=40, deadline=None)
@given(VALUES, VALUES)
def test_augmented_assignment_is_pythons(a, b):
    import copy

    runner = Runner()
    for operator in ("+", "-", "*", "//", "%", "|", "&", "^", ">>"):
        if not is_small(a, b, operator):
            continue
        source = f"def f(a, b):\n    c = a\n    a {operator}= b\n    return a, c, a is c\nr = f(x, y)"
        plain_names, names = ({"x": copy.deepcopy(a), "y": copy.deepcopy(b)} for _ in range(2))
        plain = outcome(lambda: (exec(source, plain_names), plain_names["r"])[1])
        assert outcome(lambda: runner.run(source, **names)["r"][:2]) == (
            plain if plain[0] == "error" else ("value", plain[1][:2])
        )


EXPRESSIONS = [
    "sorted([3, 1, 2], reverse=True), min(3, 1), max('ab', key=ord), sum([0.1] * 3), sum([[1], [2]], [])",
    "list(zip('ab', [1, 2])), dict(zip('ab', [1, 2])), list(enumerate('ab', 1)), list(map(str, [1])), list(filter(None, [0, 1]))",
    "[*range(3), *'ab'], {**{'a': 1}, 'b': 2}, (*[1], 2), {*[1, 1]}",
    "any(x > 1 for x in [1, 2]), all([]), next(iter([1])), list(reversed([1, 2])), round(2.567, 2), divmod(-7, 3), pow(2, 5, 7)",
    "f'{3.14159:.2f}|{1:>5}|{\"a\"!r:^7}|{1_000:,}', '%s %d %05.1f %%' % ('a', 1, 2.5), '%(a)s' % {'a': 1}",
    "isinstance(1, (int, str)), isinstance('a', int), isinstance(True, int), issubclass(bool, int), callable(len)",
    "int('ff', 16), float('1.5'), bool([]), str(1.0), bytes([1]), list('ab'), tuple([1]), set([1, 1]), frozenset([1]), complex(1, 2)",
    "'abcdef'[1:-1:2], [1, 2, 3][::-1], (1, 2)[0], {'a': {'b': 1}}['a']['b'], {(1, 2): 3}[(1, 2)]",
    "hash((1, 2)) == hash((1, 2)), repr([1, 'a', None]), ascii('é'), chr(97), ord('a'), hex(255), bin(5), abs(-3)",
    "2**100, -7 // 2, 7 % -3, 1 << 10, 10**20 // 3, 0.1 + 0.2, True + True, 5 & 3 | 8 ^ 1, ~5",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_builtins_are_pythons(runner, expression):
    assert runner.value(expression) == eval(expression)


TOO_MUCH = [
    "'a' * 10**10", "[0] * 10**9", "2**2**40", "10**10**6", "1 << 10**9", "f'{1:10000000000}'", "'%1000000000d' % 1",
    "bytes(10**10)", "list(range(10**9))", "' '.join(map(str, range(10**9)))", "'a'.ljust(10**10)", "range(10**30)",
    "'\\t'.expandtabs(10**9)", "'a'.replace('a', 'b' * 8000000).replace('b', 'cc')", "max(range(10**12))",
]  # fmt: skip


@pytest.mark.parametrize("expression", TOO_MUCH)
def test_one_operation_cannot_take_everything(runner, expression):
    with pytest.raises(LimitReached):
        runner.value(expression)


BOMB = "a = [1]\nb = [1]\nfor i in range(60):\n    a = [a, a]\n    b = [b, b]\n"


@pytest.mark.parametrize(
    "use", ["a == b", "repr(a)", "f'{a}'", "a in [b]", "sorted([a, b])", "str(ValueError(a))", "[a].index(b)"]
)
def test_shared_structure_is_weighed_before_c_walks_it(runner, use):
    with pytest.raises(LimitReached):
        runner.run(f"{BOMB}x = {use}")


def test_recursion_without_end_is_a_limit(runner):
    with pytest.raises((LimitReached, RecursionError)):
        runner.run("def f():\n    try:\n        f()\n    except Exception:\n        f()\nf()")


def test_memory_is_what_is_retained(runner):
    """A text made and dropped a thousand times is one text, once the step is over."""
    for _ in range(40):
        runner.run("x = 'a' * 4_000_000")
        retained = runner.sandbox.memory.settle()

    assert retained < 3 * 16_000_000
