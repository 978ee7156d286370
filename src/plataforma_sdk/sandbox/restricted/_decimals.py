"""The Decimal of one sandbox: a subclass whose every operation is charged, wherever it comes from.

An integer beside a Decimal becomes one first, in quadratic time: 1 ms for 30,000 bits. A guard at each operator would
not see the most of them: ``list.count``, a sort, a look-up in a dict and the cases of a ``match`` compare in C. What
they call is the type's own operator, and that is here.

::

    e < i           charge(2), and the square of the bits of `i` where it is a long integer
    e + i           as above, charge(8); the result is of this class again
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import Any, Final

__all__ = ["charge_conversion", "make_decimal_type"]

_Charge = Callable[[int], None]
_Binary = Callable[[Any, Any], Any]

_WORD: Final = 1 << 256
_COMPARISON_UNITS: Final = 2
_OPERATION_UNITS: Final = 8
"""A division, or a root, of numbers of 28 digits, and what is written here around it."""

_COMPARISONS: Final = ("eq", "ne", "lt", "le", "gt", "ge")
_ARITHMETIC: Final = ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow")
_UNARY: Final = ("neg", "pos", "abs")
_METHODS: Final = (
    "quantize",
    "compare",
    "copy_sign",
    "exp",
    "ln",
    "log10",
    "logb",
    "max",
    "min",
    "next_minus",
    "next_plus",
    "normalize",
    "remainder_near",
    "scaleb",
    "sqrt",
    "to_integral",
    "to_integral_exact",
    "to_integral_value",
    "copy_abs",
    "copy_negate",
    "radix",
)
"""Methods that return Decimals; the others that a module may call return numbers, texts or truth."""


def charge_conversion(charge: _Charge, operand: Any) -> None:
    """Charge what a Decimal pays for an operand: ``Decimal(1 << 30_000)`` takes 1 ms."""
    if type(operand) is int and not -_WORD < operand < _WORD:
        charge(operand.bit_length() ** 2 >> 20)


def make_decimal_type(charge: _Charge) -> type[decimal.Decimal]:
    """Make the class of one sandbox's Decimals; ``charge(units)`` is its meter's."""
    made: type[decimal.Decimal]

    def own(value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(own, value))
        return made(value) if type(value) is decimal.Decimal else value

    body: dict[str, Any] = {
        "__slots__": (),
        "__module__": "decimal",
        "__hash__": decimal.Decimal.__hash__,
        "__round__": lambda self, *digits: own(decimal.Decimal.__round__(self, *digits)),
        "imag": property(lambda _: made(0)),
    }
    body |= {f"__{name}__": _comparison(charge, f"__{name}__") for name in _COMPARISONS}
    body |= {
        f"__{side}{name}__": _operation(charge, own, f"__{side}{name}__") for name in _ARITHMETIC for side in ("", "r")
    }
    body |= {name: _method(own, name) for name in (*(f"__{name}__" for name in _UNARY), *_METHODS)}
    made = type("Decimal", (decimal.Decimal,), body)
    return made


def _comparison(charge: _Charge, name: str) -> _Binary:
    native = getattr(decimal.Decimal, name)

    def compare(self: Any, other: Any) -> Any:
        charge(_COMPARISON_UNITS)
        if type(other) is int and not -_WORD < other < _WORD:
            charge_conversion(charge, other)
        return native(self, other)

    return compare


def _operation(charge: _Charge, own: Callable[[Any], Any], name: str) -> _Binary:
    """Guard an operator; there is no modulus here: ``pow`` takes as long as its exponent is."""
    native = getattr(decimal.Decimal, name)

    def operate(self: Any, other: Any) -> Any:
        charge(_OPERATION_UNITS)
        if type(other) is int and not -_WORD < other < _WORD:
            charge_conversion(charge, other)
        return own(native(self, other))

    return operate


def _method(own: Callable[[Any], Any], name: str) -> Callable[..., Any]:
    native = getattr(decimal.Decimal, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return own(native(self, *args, **kwargs))

    return call
