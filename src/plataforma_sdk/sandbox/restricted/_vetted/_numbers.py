"""`math`, `decimal` and `random`: exact functions on bounded arguments."""

from __future__ import annotations

import decimal
import math
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._guards import MAX_BITS
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, namespace, seal_type
from plataforma_sdk.sandbox.restricted._weights import exact_number

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["make_decimal", "make_math", "make_random"]

_FLOAT_FUNCTIONS: Final = [
    "sqrt",
    "cbrt",
    "sin",
    "cos",
    "tan",
    "atan",
    "atan2",
    "asin",
    "acos",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "log",
    "log2",
    "log10",
    "log1p",
    "exp",
    "exp2",
    "expm1",
    "isnan",
    "isinf",
    "isfinite",
    "fabs",
    "fmod",
    "hypot",
    "degrees",
    "radians",
    "copysign",
    "isclose",
    "modf",
    "frexp",
    "ldexp",
    "erf",
    "erfc",
    "gamma",
    "lgamma",
    "remainder",
    "nextafter",
    "ulp",
    "pow",
]
_ROUNDING: Final = ("floor", "ceil", "trunc")
_MAX_FACTORIAL: Final = 2_000
_MAX_DIGITS: Final = 1_000


def make_math(sandbox: Sandbox) -> Any:
    """`math` without what takes iterables of any size unbounded; big integers are bounded as elsewhere."""
    members: dict[str, Any] = {name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")}
    members |= {name: getattr(math, name) for name in _FLOAT_FUNCTIONS if hasattr(math, name)}
    members |= {name: SealedFunction(_finite(sandbox, getattr(math, name)), name) for name in _ROUNDING}
    members |= {name: SealedFunction(_bounded(sandbox, getattr(math, name)), name) for name in ("gcd", "lcm", "isqrt")}
    for name in ("factorial", "comb", "perm"):
        members[name] = SealedFunction(_small(sandbox, getattr(math, name)), name)
    for name in ("fsum", "prod", "dist", "sumprod"):
        if hasattr(math, name):
            members[name] = SealedFunction(_over(sandbox, getattr(math, name), name), name)
    return namespace("math", members)


def _finite(sandbox: Sandbox, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(number: Any) -> Any:
        sandbox.builtins.check_exponent(number)
        return function(number)

    return call


def _bounded(sandbox: Sandbox, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*numbers: Any) -> Any:
        numbers = tuple(map(exact_number, sandbox.iterables.star(numbers)))
        total = sum(item.bit_length() for item in numbers if type(item) is int)
        if total > MAX_BITS:
            sandbox.meter.trip("memory", total, MAX_BITS, "bits")
        sandbox.meter.charge((total >> 5) ** 2 >> 8)
        return sandbox.operators.grown(function(*numbers))

    return call


def _small(sandbox: Sandbox, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*numbers: Any) -> Any:
        numbers = tuple(map(exact_number, numbers))
        for number in numbers:
            if type(number) is int and abs(number) > _MAX_FACTORIAL:
                raise ValueError(f"numbers above {_MAX_FACTORIAL:,} are not available in the restricted tier")
        sandbox.meter.charge(64)
        return sandbox.operators.grown(function(*numbers))

    return call


def _over(sandbox: Sandbox, function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*iterables: Any, start: Any = 1) -> Any:
        items = [sandbox.iterables.star(item) for item in iterables]
        if name == "sumprod" and all(type(number) is int for item in items for number in item):
            return _sum_of_products(sandbox, *items)
        if name != "prod":
            return function(*[[float(number) for number in item] for item in items])
        result = start
        for item in items[0]:
            result = sandbox.operators.mul(result, item)
            sandbox.meter.charge(1)
        return result

    return call


def _sum_of_products(sandbox: Sandbox, left: Any, right: Any) -> Any:
    """``math.sumprod`` of integers, which stays one."""
    total = 0
    for one, other in zip(left, right, strict=True):
        total = sandbox.operators.add(total, sandbox.operators.mul(one, other))
        sandbox.meter.charge(1)
    return total


def make_decimal(sandbox: Sandbox) -> Any:
    """`decimal.Decimal`, its rounding modes and its errors; contexts are the host's, so there are none."""

    kind = sandbox.decimal_type

    def make(value: Any = "0") -> decimal.Decimal:
        if type(value) is str and len(value) > _MAX_DIGITS:
            raise ValueError(f"a Decimal of more than {_MAX_DIGITS:,} characters")
        if type(value) is int and value.bit_length() > _MAX_DIGITS * 3:
            raise ValueError(f"a Decimal of more than {_MAX_DIGITS:,} digits")
        if type(value) not in (str, int, float, bool, kind):
            raise TypeError("Decimal() takes a text or a number")
        sandbox.meter.charge(1)
        return kind(value)

    members: dict[str, Any] = {name: getattr(decimal, name) for name in dir(decimal) if name.startswith("ROUND_")}
    members["Decimal"] = seal_type(kind, make, {"from_float": SealedFunction(make, "from_float")})
    for name in ("DecimalException", "InvalidOperation", "DivisionByZero", "Inexact", "Rounded", "Overflow"):
        members[name] = seal_type(getattr(decimal, name), _not_made)
    return namespace("decimal", members)


def _not_made(*_: Any) -> Any:
    raise TypeError("raise ValueError or ArithmeticError")


def make_random(sandbox: Sandbox) -> Any:
    """`random` with a generator of the sandbox's own, seeded by the host where a run must be repeatable."""
    generator = random.Random(sandbox.seed)  # noqa: S311
    members: dict[str, Any] = {name: _of_numbers(getattr(generator, name)) for name in _DISTRIBUTIONS}
    own = _Dice(sandbox, generator)
    members |= {name: getattr(own, name) for name in _DICE}
    return namespace("random", members)


_MAX_SHAPE: Final = 1e15


_DISTRIBUTIONS: Final = (
    "random",
    "uniform",
    "gauss",
    "expovariate",
    "triangular",
    "betavariate",
    "normalvariate",
)


def _of_numbers(function: Callable[..., float]) -> Callable[..., float]:
    """Take finite numbers only: ``betavariate(inf, 2)`` has no end, and ``uniform`` adds whatever it is given."""

    def call(*args: Any) -> float:
        if not all(type(item) in (int, float) and math.isfinite(item) for item in args):
            raise ValueError("a distribution takes finite numbers")
        if function.__name__ == "betavariate" and any(abs(item) > _MAX_SHAPE for item in args):
            raise ValueError("betavariate() takes numbers up to 1e15")  # beyond, it may accept no draw at all
        return function(*args)

    return call


_DICE: Final = ("randint", "randrange", "choice", "choices", "sample", "shuffle", "getrandbits", "seed")
_MAX_RANDOM: Final = 2**64


class _Dice:
    """The functions of `random` that take integers or sequences."""

    def __init__(self, sandbox: Sandbox, generator: random.Random) -> None:
        self._sandbox = sandbox
        self._generator = generator

    def _check(self, *numbers: Any) -> None:
        for number in numbers:
            if type(number) is not int or abs(number) > _MAX_RANDOM:
                raise ValueError("an integer of at most 64 bits")

    def randint(self, low: int, high: int) -> int:
        self._check(low, high)
        return self._generator.randint(low, high)

    def randrange(self, *args: int) -> int:
        self._check(*args)
        return self._generator.randrange(*args)

    def choice(self, items: Any) -> Any:
        size = len(items)
        if not size:
            raise IndexError("choice() of nothing")
        return items[self._generator.randrange(size)]

    def choices(self, items: Any, *, k: int = 1) -> list[Any]:
        self._check(k)
        return [self.choice(items) for _ in self._sandbox.builtins.counted(k)]

    def sample(self, items: Any, k: int) -> list[Any]:
        self._check(k)
        pool = list(self._sandbox.iterables.star(items))
        if not 0 <= k <= len(pool):
            raise ValueError("a sample larger than what it is taken from")
        self._sandbox.meter.charge(k)
        return self._generator.sample(pool, k)

    def shuffle(self, items: list[Any]) -> None:
        if type(items) is not list:
            raise TypeError("shuffle() takes a list")
        self._sandbox.meter.charge(len(items))
        self._generator.shuffle(items)

    def getrandbits(self, bits: int) -> int:
        if type(bits) is not int or not 0 <= bits <= 4096:  # noqa: PLR2004
            raise ValueError("at most 4,096 bits")
        return self._generator.getrandbits(bits)

    def seed(self, value: Any = None) -> None:
        if type(value) not in (int, str, float, type(None)):
            raise TypeError("a seed is a number or a text")
        self._generator.seed(self._sandbox.operators.grown(value))
