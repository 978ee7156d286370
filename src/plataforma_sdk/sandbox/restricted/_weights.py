"""How large a value is for C code that walks it: comparison, hashing, ``repr``.

``a = [a, a]`` sixty times over is 61 small lists and a comparison of 2**60 steps. So before C walks a container, these
walk it themselves with a budget, counting what is shared as often as it would be visited.
"""

from __future__ import annotations

import collections
import datetime
import functools
import sys
import types
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._addresses import Addresses
from plataforma_sdk.sandbox.restricted._containers import DefaultDict, Deque, OrderedDict
from plataforma_sdk.sandbox.restricted._fuel import LARGE_TEXT, Meter

__all__ = [
    "CONTAINERS",
    "DICTS",
    "HASH_TABLES",
    "MAX_ITEMS",
    "MAX_TEXT",
    "SCALARS",
    "Scales",
    "exact_number",
    "is_aware",
]

MAX_TEXT: Final = 8 << 20
"""Characters, or bytes, of one text."""

MAX_ITEMS: Final = 1 << 20
"""Elements of one container made by one operation."""

_TEXTS: Final = frozenset({str, bytes, bytearray})
_MAX_NODES: Final = 200_000
_FREE_KEYS: Final = 1_024
_MAX_HASH_NODES: Final = 20_000

DICTS: Final = frozenset({dict, DefaultDict, collections.Counter, OrderedDict})
_ORDERED: Final = collections.OrderedDict[Any, Any]()
_PLAIN: Final[dict[Any, Any]] = {}
VIEWS: Final = frozenset(type(view()) for made in (_PLAIN, _ORDERED) for view in (made.keys, made.values, made.items))
SEQUENCES: Final = frozenset({list, tuple, set, frozenset, Deque}) | VIEWS
CONTAINERS: Final = SEQUENCES | DICTS
HASH_TABLES: Final = (
    frozenset({set, frozenset, type({}.keys()), type({}.items()), type(_ORDERED.keys()), type(_ORDERED.items())})
    | DICTS
)
SCALARS: Final = frozenset({int, float, bool, str, bytes, type(None), complex})


class Scales:
    """Weighs values against one sandbox's meter.

    Attributes:
        addresses: what stands for the addresses of objects.
        answered: characters that objects of the module's own gave for the text that C is writing now.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.addresses = Addresses()
        self.answered = 0

    def weigh(self, value: Any, limit: int = _MAX_NODES) -> Any:
        """Charge what comparing or hashing `value` costs, and return it; trips where that is out of proportion."""
        if type(value) not in CONTAINERS:
            if type(value) in _TEXTS:
                self._meter.charge(len(value) >> 12)
            return value
        count = 0
        pending = [value]
        while pending:
            item = pending.pop()
            kind = type(item)
            count += 1
            if kind in CONTAINERS:
                if len(item) * 2 + count + len(pending) > limit * 4:
                    self._meter.trip("fuel")
                if kind in HASH_TABLES:
                    self.collisions(item)
                pending.extend(item)
                if kind in DICTS:
                    pending.extend(dict.values(item))
            elif kind in _TEXTS:
                count += len(item) >> 9
            if count > limit:
                self._meter.trip("fuel")
        self._meter.charge(count >> 5)
        return value

    def compared(self, value: Any, times: int) -> Any:
        """Charge what comparing `value` so often costs, as the cases of a ``match`` do, and return it."""
        if type(value) in CONTAINERS or type(value) in _TEXTS:
            for _ in range(times):
                self.weigh(value)
        elif type(value) not in SCALARS and self._meter.largest >= LARGE_TEXT:  # ``case C(x=K.long_text)``
            for held in getattr(value, "__dict__", {}).values():
                self.compared(held, times if type(held) in CONTAINERS or type(held) in _TEXTS else 0)
        return value

    def collisions(self, value: Any) -> None:
        """Charge the keys of a large set or dict that share a hash: looking up each takes as long as there are others.

        A hash table of 100,000 multiples of 2**61 - 1 is a list. Source: oCERT-2011-003, hash collisions.
        """
        size = len(value)
        if type(value) is OrderedDict:  # its table is never made smaller
            self._meter.charge(sys.getsizeof(value) >> 13)
        if size > _FREE_KEYS:
            self._meter.charge(size >> 4)
            sharing = size - len({hash(key) for key in value})
            if sharing > _FREE_KEYS:
                self._meter.charge(sharing * sharing >> 6)

    def hashed(self, key: Any) -> Any:
        """Check that hashing `key` is cheap, and return it; only a tuple or frozenset can hide more than it shows.

        A large text is charged as well: it is hashed once, but compared at each look-up that finds an equal one.
        """
        if type(key) is str or type(key) is bytes:
            self._meter.charge(len(key) >> 12)
        elif type(key) is tuple or type(key) is frozenset:
            self._meter.charge(len(key) >> 4)
            for item in key:
                if type(item) is tuple or type(item) is frozenset:
                    self.weigh(key, _MAX_HASH_NODES)
                    break
        elif type(key) is slice:
            raise TypeError("a slice object is no key here; write x[key.start:key.stop:key.step]")
        return key

    def keys(self, *keys: Any) -> types.SimpleNamespace:
        """Weigh the keys that the cases of a ``match`` look up, and return what the patterns read them from."""
        hiding = self._meter.hiding
        for key in keys:
            if type(key) in hiding:
                self.hashed(key)
        return types.SimpleNamespace(**dict(zip(_names_of_keys(len(keys)), keys, strict=True)))

    def keyed(self, subject: Any, _: types.SimpleNamespace) -> Any:
        """Return the subject of a ``match``, once the keys of its patterns are bound."""
        return subject

    def text(self, value: Any) -> Any:
        """Charge the length of ``repr(value)`` before it is made, and return `value`."""
        self.answered = 0
        size = count = digits = 0
        pending = [value]
        while pending:
            item = pending.pop()
            kind = type(item)
            size += 24
            count += 1
            if kind is str or kind is bytes or kind is bytearray:
                size += len(item) * 4
            elif kind is int:
                size += item.bit_length() >> 2
                digits += item.bit_length() >> 8
            elif kind in CONTAINERS:
                if len(item) * 2 + len(pending) > _MAX_NODES * 4:
                    self._meter.trip("memory")
                pending.extend(item)
                if kind in DICTS:
                    pending.extend(dict.values(item))
            else:
                pending.extend(_shown_inside(item))
            if count > _MAX_NODES or size > MAX_TEXT * 8:
                self._meter.trip("memory", size, MAX_TEXT * 8, "bytes")
        self._meter.charge((count >> 5) + (digits >> 1))
        self._meter.reserve(size)
        return value

    def answer(self, size: int) -> None:
        """Count what an object of the module's answered to the text that C is writing: no text is longer than one."""
        self.answered += size
        if self.answered > MAX_TEXT:
            self._meter.trip("memory", self.answered, MAX_TEXT, "bytes")


@functools.cache
def _names_of_keys(count: int) -> tuple[str, ...]:
    return tuple([f"k{number}" for number in range(count)])


def _shown_inside(value: Any) -> tuple[Any, ...]:
    """What C shows of a value that is no container when it shows the value."""
    kind = type(value)
    if isinstance(value, BaseException):
        return _shown_of_error(value)
    if kind is slice:
        return (value.start, value.stop, value.step)
    if kind is types.MethodType:
        return (value.__self__,)
    if kind is staticmethod or kind is classmethod:
        return (value.__func__,)
    return tuple(value.items()) if kind is types.MappingProxyType else ()


def _shown_of_error(error: Any) -> tuple[Any, ...]:
    """The arguments, read where C reads them, and what some errors show beside them."""
    args: tuple[Any, ...] = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    if isinstance(error, OSError):
        return (*args, *[_attribute.__get__(error) for _attribute in _OF_OS_ERRORS])
    if isinstance(error, SyntaxError):
        return (*args, SyntaxError.msg.__get__(error))  # type: ignore[attr-defined]
    if isinstance(error, UnicodeError):
        _check_position(error)
    return args


_OF_OS_ERRORS: Final[tuple[Any, ...]] = (OSError.errno, OSError.strerror, OSError.filename, OSError.filename2)


def _check_position(error: Any) -> None:
    """Refuse to show an error whose position was written later: C reads there. Source: CPython gh-123378."""
    text: Any = getattr(error, "object", None)
    if (
        type(error) is not UnicodeError
        and type(text) in (str, bytes)
        and not 0 <= error.start <= error.end <= len(text)
    ):
        raise ValueError(f"a {type(error).__name__} whose position is not in its text")


_MOMENTS: Final = frozenset({datetime.datetime, datetime.time})


def is_aware(value: Any) -> bool:
    """Whether `value` is a moment with a time zone, which C asks at each comparison: 500 ns in place of 30."""
    return type(value) in _MOMENTS and value.tzinfo is not None


def exact_number(value: Any) -> Any:
    """Return the number behind a member of an `IntEnum`, which C takes for one; anything else as it is."""
    member_value = None if type(value) in SCALARS else getattr(type(value), "_sdk_member_value", None)
    return value if member_value is None else member_value(value)
