"""`operator`, written in the restricted language itself."""

# ruff: noqa: D103 - written as the original is

from typing import Any


def itemgetter(*keys: Any) -> Any:
    if len(keys) == 1:
        return lambda value: value[keys[0]]
    return lambda value: tuple([value[key] for key in keys])


def attrgetter(*names: str) -> Any:
    def read(value: Any, name: str) -> Any:
        for part in name.split("."):
            value = getattr(value, part)
        return value

    if len(names) == 1:
        return lambda value: read(value, names[0])
    return lambda value: tuple([read(value, name) for name in names])


def methodcaller(name: str, *args: Any, **kwargs: Any) -> Any:
    return lambda value: getattr(value, name)(*args, **kwargs)


def add(a: Any, b: Any) -> Any:
    return a + b


def sub(a: Any, b: Any) -> Any:
    return a - b


def mul(a: Any, b: Any) -> Any:
    return a * b


def truediv(a: Any, b: Any) -> Any:
    return a / b


def eq(a: Any, b: Any) -> Any:
    return a == b


def ne(a: Any, b: Any) -> Any:
    return a != b


def lt(a: Any, b: Any) -> Any:
    return a < b


def gt(a: Any, b: Any) -> Any:
    return a > b


def neg(a: Any) -> Any:
    return -a


def not_(a: Any) -> Any:
    return not a


def contains(a: Any, b: Any) -> Any:
    return b in a


def le(a: Any, b: Any) -> Any:
    return a <= b


def ge(a: Any, b: Any) -> Any:
    return a >= b


def is_(a: Any, b: Any) -> Any:
    return a is b


def is_not(a: Any, b: Any) -> Any:
    return a is not b


def truth(a: Any) -> Any:
    return bool(a)


def floordiv(a: Any, b: Any) -> Any:
    return a // b


def mod(a: Any, b: Any) -> Any:
    return a % b


def and_(a: Any, b: Any) -> Any:
    return a & b


def or_(a: Any, b: Any) -> Any:
    return a | b


def xor(a: Any, b: Any) -> Any:
    return a ^ b


def getitem(a: Any, b: Any) -> Any:
    return a[b]


def setitem(a: Any, b: Any, c: Any) -> None:
    a[b] = c


def delitem(a: Any, b: Any) -> None:
    del a[b]


def index(a: Any) -> int:
    if not isinstance(a, int):
        raise TypeError(f"'{type(a).__name__}' object cannot be interpreted as an integer")
    return int(a)


def pos(a: Any) -> Any:
    return +a


def invert(a: Any) -> Any:
    return ~a


def pow(a: Any, b: Any) -> Any:  # noqa: A001
    return a**b


def lshift(a: Any, b: Any) -> Any:
    return a << b


def rshift(a: Any, b: Any) -> Any:
    return a >> b


def matmul(a: Any, b: Any) -> Any:
    return a @ b
