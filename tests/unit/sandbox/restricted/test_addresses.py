"""No address of the host's memory is shown to a module."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.restricted.restricted_kit import Runner

CLASS = """
class A:
    def m(self):
        return super().__repr__()

    def own(self):
        return super().__hash__()

f = lambda: 1
a = A()
"""
SHOWN = {
    "repr": ("repr(a)", "a"),
    "str": ("str(a)", "a"),
    "f-string": ("f'{a}'", "a"),
    "f-string, converted and padded": ("f'{a!r:>80}'", "a"),
    "percent": ("'%r' % [a]", "a"),
    "format": ("'{0!s}'.format(a)", "a"),
    "ascii": ("ascii({1: a})", "a"),
    "super": ("a.m()", "a"),
    "bound method": ("repr(a.m)", "a"),
    "function": ("repr((f,))", "f"),
    "argument of an error": ("str(KeyError(a))", "a"),
}


@pytest.mark.parametrize(("expression", "name"), SHOWN.values(), ids=SHOWN)
def test_a_repr_shows_the_number_that_id_returns(expression, name):
    """An address tells where the host's memory lies; the number in its place is the one of ``id``, in every text."""
    made = Runner().run(f"{CLASS}text = {expression}\nnumber = id({name})\n")
    assert f" at 0x{made['number']:x}" in made["text"]
    assert f"{id(made[name]):x}" not in made["text"]


@pytest.mark.parametrize("expression", ["hash(a)", "hash((1, a))", "hash(f)", "a.own()", "a.__hash__()"])
def test_a_hash_by_identity_is_another_number(expression):
    """``hash(object())`` is its address, rotated; what is hashed by identity gets a number of the sandbox's."""
    made = Runner().run(f"{CLASS}first = {expression}\nsecond = {expression}\n")
    assert made["first"] == made["second"]
    assert made["first"] not in (hash(made["a"]), hash((1, made["a"])), hash(made["f"]))


@pytest.mark.parametrize("value", [3, "x", 1.5, (1, "x"), frozenset([1]), True, None])
def test_a_hash_by_value_is_that_of_python(value):
    """What is hashed by its value keeps its hash, which a program may rely on within one run."""
    assert Runner().value("hash(value)", value=value) == hash(value)


def test_a_text_of_the_modules_that_looks_like_an_address_stays():
    """Only the address of what is shown is replaced."""
    assert Runner().value("repr(['<A at 0x7f00deadbeef>'])") == "['<A at 0x7f00deadbeef>']"


def test_the_key_of_a_mapping_pattern_is_weighed_and_found():
    """Dotted keys are read before the cases; they match as they did."""
    source = """
    class K:
        NAME = "name"
        SIZE = ("size", 1)

    def look(value):
        match value:
            case {K.NAME: name, K.SIZE: size}:
                return (name, size)
            case {K.NAME: name, **rest}:
                return (name, rest)
            case {"plain": {K.SIZE: size}}:
                return size
        return None

    found = [look({"name": 1, ("size", 1): 2}), look({"name": 1, 3: 4}), look({"plain": {("size", 1): 5}}), look(7)]
    """
    assert Runner().run(source)["found"] == [(1, 2), (1, {3: 4}), 5, None]
