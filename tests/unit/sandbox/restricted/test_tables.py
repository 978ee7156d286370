"""A set or dict that was large does not cost what it was."""

from __future__ import annotations

import sys

import pytest

from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner

SET = "items = set(range(200_000))\n"
DICT = "items = dict.fromkeys(range(200_000), 1)\n"
TO_ONE = "for i in range(199_999):\n    "
EMPTIED = {
    "discard": SET + TO_ONE + "items.discard(i)",
    "discard, bound": SET + "drop = items.discard\n" + TO_ONE + "drop(i)",
    "remove": SET + TO_ONE + "items.remove(i)",
    "pop": SET + "items.add(-1)\nwhile len(items) > 1:\n    items.pop()\nitems.pop()\nitems.add(199_999)",
    "symmetric_difference_update": SET + "items.symmetric_difference_update(set(range(199_999)))",
    "xor in place": SET + "items ^= set(range(199_999))",
    "difference_update": SET + "items.difference_update(set(range(199_999)))",
    "dict.pop": DICT + TO_ONE + "items.pop(i)",
    "del": DICT + TO_ONE + "del items[i]",
    "Counter minus in place": "from collections import Counter\nitems = Counter(range(200_000))\n"
    "items -= Counter(range(199_999))",
}


@pytest.mark.parametrize("source", EMPTIED.values(), ids=EMPTIED)
def test_what_was_emptied_has_a_small_table(source):
    """CPython shrinks no table by itself, and walks all of it for the one item that is left."""
    items = Runner(memory=256 << 20).run(source, fuel=100_000_000)["items"]
    assert list(items) == [199_999]
    assert sys.getsizeof(items) < 20_000


def test_what_is_left_keeps_its_identity_and_its_order():
    """Another name for the dict sees the same, in the order of insertion; values stay those they were."""
    source = DICT + "same = items\nfor i in range(0, 199_990):\n    items.pop(i)\n"
    made = Runner(memory=256 << 20).run(source, fuel=100_000_000)
    assert made["same"] is made["items"]
    assert list(made["items"].items()) == [(i, 1) for i in range(199_990, 200_000)]


def test_discard_is_what_it_was():
    """It returns nothing, takes what is not there, and asks an own class's method."""
    source = """
        class C:
            def discard(self, item):
                return item
        items = {1, 2}
        results = [items.discard(2), items.discard(3), C().discard(4)]
    """
    made = Runner().run(source)
    assert made["items"] == {1}
    assert made["results"] == [None, None, 4]


@pytest.mark.parametrize("handler", ["namereplace", "xmlcharrefreplace"])
def test_an_error_handler_that_writes_many_for_one_is_refused_by_keyword(handler):
    """``encode("ascii", errors="namereplace")`` wrote eighty characters for each."""
    with pytest.raises(LookupError, match="strict, ignore, replace"):
        Runner().run(f"'x'.encode('ascii', errors={handler!r})")
    assert Runner().value("'\u4e00a'.encode('ascii', errors='ignore')") == b"a"


def test_a_long_integer_beside_a_decimal_is_charged():
    """It becomes a Decimal first, which takes a millisecond: a thousand comparisons end by the fuel."""
    source = "import decimal\nd = decimal.Decimal(1)\nn = 1 << 32_000\nfor i in range(10_000):\n    d == n\n"
    with pytest.raises(LimitReached):
        Runner().run(source)
