"""Enumerations: what C takes for the value of a member is the value, whatever the module defines beside it."""

from __future__ import annotations

import pytest

from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner

HIDDEN = """
from enum import IntEnum
ran = []
class N(IntEnum):
    A = 2
    @property
    def value(self):
        ran.append(1)
        return 10 ** 9
    @value.setter
    def value(self, given):
        pass
"""


def test_an_index_runs_no_code_of_the_module():
    """``[...][N.A]`` uses the number that the engine kept: a property named `value` would run inside of C."""
    found = Runner().run(HIDDEN + "result = 'abcd'[N.A], 'ab' * N.A, range(N.A), N.A + 1, N.A == 2\n")

    assert found["result"] == ("c", "abab", range(2), 3, True)
    assert found["ran"] == []


@pytest.mark.parametrize(
    ("base", "value", "error"),
    [
        ("IntEnum", "'x'", "an int"),
        ("IntEnum", "1.5", "an int"),
        ("StrEnum", "[1]", "a str"),
        ("StrEnum", "1", "a str"),
    ],
)
def test_values_of_a_mixed_enumeration_are_of_its_kind(base, value, error):
    """An `IntEnum` of texts, as in CPython, is refused when the class is made."""
    with pytest.raises(TypeError, match=error):
        Runner().run(f"from enum import {base}\nclass E({base}):\n    A = {value}\n")


@pytest.mark.parametrize(
    "expression",
    ["'x'.ljust(N.A)", "'x' * N.A", "[0] * N.A", "'x'.zfill(N.A)", "'\\t'.expandtabs(N.A)", "(1).to_bytes(N.A, 'big')"],
)
def test_a_member_is_as_dear_as_its_number(expression):
    """A member of `IntEnum` as a width or a count is sized as the plain number is."""
    with pytest.raises(LimitReached):
        Runner().run(f"from enum import IntEnum\nclass N(IntEnum):\n    A = 2_500_000_000\n{expression}\n")


def test_factorial_of_a_member_is_bounded():
    """`math` looks at the number behind a member."""
    source = "import math\nfrom enum import IntEnum\nclass N(IntEnum):\n    A = 20_000_000\nmath.factorial(N.A)\n"

    with pytest.raises(ValueError, match="not available"):
        Runner().run(source)


@pytest.mark.parametrize("method", ["__repr__", "__str__", "__hash__", "__eq__", "__add__"])
def test_methods_of_enum_refuse_foreign_objects(method):
    """Called unbound, they take members only."""
    arguments = "Other(), 1" if method in ("__eq__", "__add__") else "Other()"
    source = (
        "from enum import IntEnum\nclass Other:\n    name = value = 'x'\n"
        f"try:\n    IntEnum.{method}({arguments})\n    ended = 'ran'\nexcept TypeError:\n    ended = 'refused'\n"
    )

    assert Runner().run(source)["ended"] == "refused"


def test_a_namedtuple_with_an_endless_iter_does_not_cross():
    """A subclass of a `namedtuple` is read with fuel, by its own ``__iter__``."""
    source = (
        "from collections import namedtuple\nclass P(namedtuple('P', 'x')):\n    def __iter__(self):\n"
        "        return iter(range(10 ** 12))\nresult = P(1)\n"
    )
    runner = Runner()
    made = runner.run(source)["result"]

    with pytest.raises(LimitReached):
        type(made)._sdk_member_value(made)
