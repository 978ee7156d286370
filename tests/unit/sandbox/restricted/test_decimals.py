"""The Decimals of a sandbox: what each operation costs, and that none of the host's own is among them."""

from __future__ import annotations

import decimal

import pytest

from plataforma_sdk.errors import CodecError
from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._decimals import make_decimal_type
from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner

IMPORT = "from decimal import Decimal\n"
LONG = IMPORT + "i = 1 << 30_000\ne = Decimal(5)\n"
IN_C = {
    "count": "([e] * 10_000).count(i)",
    "in": "i in [e] * 10_000",
    "sort": "sorted([i, e] * 5_000)",
    "min": "min([i, e] * 5_000)",
}
RESULTS = {
    "sum": "Decimal(1) + 1",
    "reflected": "1 - Decimal(1)",
    "quotient": "Decimal(1) / 3",
    "power": "Decimal(2) ** 3",
    "negative": "-Decimal(2)",
    "absolute": "abs(Decimal(2))",
    "divmod": "divmod(Decimal(7), 2)[1]",
    "round": "round(Decimal('1.25'), 1)",
    "builtin sum": "sum([Decimal(1)] * 3)",
    "quantize": "Decimal(1).quantize(Decimal('0.01'))",
    "max": "Decimal(1).max(2)",
    "copy_abs": "Decimal(1).copy_abs()",
    "radix": "Decimal(1).radix()",
    "imag": "Decimal(1).imag",
    "real": "Decimal(1).real",
    "conjugate": "Decimal(1).conjugate()",
    "copy": "Decimal(Decimal(1))",
}


@pytest.mark.parametrize("expression", IN_C.values(), ids=IN_C)
def test_c_code_that_compares_decimals_with_long_integers_is_charged(expression):
    """Each comparison makes a Decimal of 30,000 bits, 1 ms, wherever C compares: nothing passes the meter by."""
    with pytest.raises(LimitReached):
        Runner().run(LONG + expression, fuel=200_000)


@pytest.mark.parametrize("expression", RESULTS.values(), ids=RESULTS)
def test_every_result_is_of_the_class_that_is_charged(expression):
    """One Decimal of the host's own class would be free of charge for ever."""
    made = Runner().run(f"{IMPORT}made = {expression}\n", fuel=100_000)["made"]
    assert isinstance(made, decimal.Decimal)
    assert type(made) is not decimal.Decimal


def test_every_method_that_returns_a_decimal_is_wrapped():
    """A Decimal method that a later Python, or a longer allow-list, adds does not return the host's class unseen."""
    kind = make_decimal_type(lambda _: None)
    number = kind("2")
    for name in dir(decimal.Decimal):
        if name.startswith("__") or name in REFUSED:
            continue
        found = getattr(number, name)
        if callable(found):
            found = found(*[1] * ARGUMENTS.get(name, 0))
        assert type(found) is not decimal.Decimal, name


REFUSED = frozenset(
    """as_tuple as_integer_ratio canonical compare_signal compare_total compare_total_mag fma from_float logical_and
    logical_invert logical_or logical_xor max_mag min_mag next_toward rotate shift from_number""".split()  # noqa: SIM905
)
ARGUMENTS = dict.fromkeys("compare copy_sign max min quantize remainder_near same_quantum scaleb".split(), 1)  # noqa: SIM905


def test_a_decimal_crosses_as_the_class_of_each_side():
    """The host gets its own class, the module the one that is charged, and neither changes the number."""
    kind = make_decimal_type(lambda _: None)
    crossing = Crossing(lambda _: None, iter, lambda _: None, lambda _: None, kind)
    number = decimal.Decimal("1.50")
    inside = crossing.inward({"price": [number]})["price"][0]
    outside = crossing.outward([inside])[0]
    assert (type(inside), type(outside)) == (kind, decimal.Decimal)
    assert str(inside) == str(outside) == "1.50"


@pytest.mark.parametrize("value", [["x" * (8 << 20)] * 9, [10**4300], {-(10**4300): 1}], ids=["texts", "number", "key"])
def test_what_a_host_could_not_write_does_not_cross(value):
    """A text that is shared 10,000 times is 80 GB as JSON, and no text shows a number of more than 4,300 digits."""
    crossing = Crossing(lambda _: None, iter, lambda _: None, lambda _: None)
    with pytest.raises(CodecError):
        crossing.outward(value)


@pytest.mark.parametrize("source", ["2 ** i", "1 << i", "x = 3\nx **= i", "'xy' * i", "bytes(i)", "'x'.ljust(i)"])
def test_a_limit_that_was_passed_by_far_tells_of_an_amount_that_is_a_number(source):
    """An amount of 32,000 bits is no float and no text: the host's error would fail while it is made."""
    with pytest.raises(LimitReached) as caught:
        Runner().run(f"i = 1 << 32_000\n{source}\n")
    assert 0 < float(caught.value.used) < 1e19
