"""Methods of builtin types: an allow-list of (type, method), each with what it costs.

`COSTS` maps a type to its methods and each method to a cost function, which runs before the method: it charges,
refuses, or rewrites the arguments, and returns them. What is not in the table is not there: a method that a later
Python adds does not exist in a module until somebody writes down what it costs. The result is charged by its size.

Source: two escapes of the prototype, which listed what to refuse: sixty times `bytes.hex` on 8 MB, and `str.strip` of
two million characters by four thousand.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import types
import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from plataforma_sdk.sandbox.restricted._containers import DefaultDict, Deque, OrderedDict, check_link
from plataforma_sdk.sandbox.restricted._decimals import charge_conversion
from plataforma_sdk.sandbox.restricted._fuel import LARGE_TEXT
from plataforma_sdk.sandbox.restricted._tables import compact, compact_sometimes
from plataforma_sdk.sandbox.restricted._texts import check_codec
from plataforma_sdk.sandbox.restricted._weights import CONTAINERS, DICTS, HASH_TABLES, MAX_TEXT, exact_number, is_aware

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._methods import Methods

__all__ = ["COSTS"]

_Args: TypeAlias = tuple[Any, ...]
Cost: TypeAlias = Callable[["Methods", Any, _Args], _Args]
"""``cost(methods, receiver, arguments) -> arguments``."""


# --- cost functions ----------------------------------------------------------------------------------------------


def _free(_: Methods, __: Any, args: _Args) -> _Args:
    return args


def _linear(methods: Methods, receiver: Any, args: _Args) -> _Args:
    """One pass over a text, with short arguments or with arguments that are looked at once."""
    methods.meter.charge((len(receiver) >> 9) + sum(len(item) >> 9 for item in args if type(item) in _TEXTS))
    return args


def _prefix(methods: Methods, receiver: Any, args: _Args) -> _Args:
    if args and type(args[0]) is tuple:
        longest = max(map(len, args[0]), default=0) if methods.meter.largest >= LARGE_TEXT else 0
        methods.meter.charge((len(args[0]) >> 4) + len(args[0]) * (min(longest, len(receiver)) >> 12))
    return _linear(methods, receiver, args)


def _places(receiver: Any, args: _Args) -> int:
    """Characters of the needle times the places where it may stand."""
    needle = len(args[0]) if args and type(args[0]) in _TEXTS else 1
    return len(receiver) * max(min(needle, len(receiver) - needle + 1), 1)


def _search(methods: Methods, receiver: Any, args: _Args) -> _Args:
    """Searching forwards is linear but for short needles."""
    methods.meter.charge((_places(receiver, args) >> 14) + (len(receiver) >> 9))
    return args


def _search_back(methods: Methods, receiver: Any, args: _Args) -> _Args:
    """Searching backwards may compare each character of the needle at each place."""
    methods.meter.charge(_places(receiver, args) >> 6)
    return args


def _strip(methods: Methods, receiver: Any, args: _Args) -> _Args:
    """Each character stripped is looked up in the whole set of characters."""
    characters = len(args[0]) if args and type(args[0]) in _TEXTS else 8
    methods.meter.charge(len(receiver) * max(characters, 1) >> 8)
    return args


def _pad(methods: Methods, _: Any, args: _Args) -> _Args:
    width = args[0] if args else 0
    if type(width) is not int:
        width = exact_number(width)
        args = (width, *args[1:])
    if type(width) is int and width > MAX_TEXT:
        methods.meter.trip("memory", width, MAX_TEXT, "bytes")
    return args


def _expand_tabs(methods: Methods, receiver: Any, args: _Args) -> _Args:
    args = tuple(map(exact_number, _linear(methods, receiver, args)))
    size = args[0] if args and type(args[0]) is int else 8
    tab = "\t" if type(receiver) is str else b"\t"
    return _pad(methods, receiver, (receiver.count(tab) * size + len(receiver),)) and args


def _replace(methods: Methods, receiver: Any, args: _Args) -> _Args:
    if len(args) > 1 and type(args[0]) is type(receiver) and type(args[1]) is type(receiver):
        old, new = args[:2]
        count = receiver.count(old) if old else len(receiver) + 1
        size = len(receiver) + count * max(len(new) - len(old), 0)
        _pad(methods, receiver, (size,))
    return _search(methods, receiver, args)


def _join(methods: Methods, receiver: Any, args: _Args) -> _Args:
    parts = methods.iterables.star(args[0])
    if type(parts) not in (list, tuple):
        parts = list(parts)
    size = len(receiver) * len(parts) + sum(len(item) for item in parts if type(item) in _TEXTS)
    _pad(methods, receiver, (size,))
    methods.meter.charge((len(parts) >> 5) + (size >> 12))
    return (parts, *args[1:])


def _split(methods: Methods, receiver: Any, args: _Args) -> _Args:
    """Each part is a text of some 56 bytes: a text of single letters grows fiftyfold."""
    _search_back(methods, receiver, args)
    separator = args[0] if args and type(args[0]) is type(receiver) else None
    count = receiver.count(separator) if separator else len(receiver) >> 1
    if count > 64:  # noqa: PLR2004
        methods.meter.charge(count >> 5)
        methods.meter.reserve(count * 64)
        methods.meter.alloc(count * 32)
    return args


def _encode(methods: Methods, receiver: Any, args: _Args) -> _Args:
    check_codec(*args)
    if len(args) > 1 and args[1] not in _HANDLERS:
        raise LookupError(f"errors= takes {', '.join(_HANDLERS)}; others write many characters for one")
    return _linear(methods, receiver, args[:2])


_HANDLERS: Final = ("strict", "ignore", "replace")


def _translate(methods: Methods, receiver: Any, args: _Args) -> _Args:
    table = args[0] if args else None
    if type(receiver) is str:
        if type(table) is not dict:
            raise TypeError("translate() takes a dict here: {ord('a'): 'b'}")
        methods.meter.charge((len(table) >> 5) + (len(receiver) >> 5))
        longest = max((len(item) for item in table.values() if type(item) is str), default=1)
        _pad(methods, receiver, (len(receiver) * max(longest, 1),))
    return _linear(methods, receiver, args)


def _digits(methods: Methods, receiver: Any, args: _Args) -> _Args:
    methods.meter.charge(len(receiver) >> 8)
    _pad(methods, receiver, (len(receiver) * 3,))
    if len(args) > 0 and (type(args[0]) is not str or len(args[0]) != 1):
        raise ValueError("the separator of hex() is one character")
    return args


def _to_bytes(methods: Methods, _: Any, args: _Args) -> _Args:
    args = tuple(map(exact_number, args))
    if args and type(args[0]) is int and args[0] > 65_536:  # noqa: PLR2004
        methods.meter.trip("memory", args[0], 65_536, "bytes")
    return args


def _moves(methods: Methods, receiver: Any, args: _Args) -> _Args:
    methods.meter.charge(len(receiver) >> 9)
    return args


def _sums(methods: Methods, receiver: Any, args: _Args) -> _Args:
    methods.meter.charge(len(receiver) >> 5)
    if not {int, float, bool}.issuperset(map(type, receiver.values())):
        raise TypeError("a Counter of numbers has a total")  # of texts and lists it would be one long C loop
    return args


def _copies(methods: Methods, receiver: Any, args: _Args) -> _Args:
    compact(receiver)  # C copies the table of a dict as it is
    methods.meter.charge(len(receiver) >> 6)
    methods.meter.alloc(len(receiver) * 16)
    return args


def _finds(methods: Methods, receiver: Any, args: _Args) -> _Args:
    if type(receiver) is range:
        if not args or type(args[0]) is not int:  # CPython would look at each number
            raise ValueError("a range is searched for an integer")
        return args
    methods.meter.charge(len(receiver) >> 5)
    if args and type(args[0]) in _TEXTS and methods.meter.largest >= LARGE_TEXT:
        methods.meter.charge(len(receiver) * (len(args[0]) >> 12))
    if args and is_aware(args[0]):
        methods.meter.charge(len(receiver) >> 2)
    if args and type(args[0]) in CONTAINERS:
        methods.scales.weigh(receiver)
        methods.scales.weigh(args[0])
    return args


def _extends(methods: Methods, _: Any, args: _Args) -> _Args:
    return tuple(methods.iterables.star(item) for item in args)


def _set_arguments(methods: Methods, receiver: Any, args: _Args) -> _Args:
    """A long argument becomes a set, made in batches; the operation is then linear."""
    methods.meter.charge(len(receiver) >> 5)
    made = tuple(item if type(item) in _SETS else methods.iterables.hashed_in_batches(item) for item in args)
    for item in (receiver, *made):
        if type(item) in HASH_TABLES:
            methods.scales.collisions(item)
    methods.meter.charge(sum(map(len, made)) >> 5)
    methods.meter.alloc(sum(map(len, made)) * 8)
    return made


def _updates(methods: Methods, receiver: Any, args: _Args) -> _Args:
    made = tuple(item if type(item) in DICTS else methods.iterables.mapping(item) for item in args)
    for item in (receiver, *made):
        methods.scales.collisions(item)
    return made


def _most_common(methods: Methods, receiver: Any, args: _Args) -> _Args:
    methods.meter.charge((len(receiver) * len(receiver).bit_length() >> 6) + 4)
    return args


def _key(methods: Methods, receiver: Any, args: _Args) -> _Args:
    if args:
        methods.scales.hashed(args[0])
    if type(receiver) is list:
        return _moves(methods, receiver, args)
    compact_sometimes(receiver)
    return args


def _short_pattern(methods: Methods, _: Any, args: _Args) -> _Args:
    if any(type(item) is str and len(item) > 256 for item in args):  # noqa: PLR2004
        raise ValueError("a format of more than 256 characters")
    methods.meter.charge(4)
    return args


def _decimal(methods: Methods, _: Any, args: _Args) -> _Args:
    methods.meter.charge(8)
    for item in args:
        charge_conversion(methods.meter.charge, item)
    return args


def _accessors(_: Methods, __: Any, args: _Args) -> _Args:
    return tuple(map(check_link, args))


# --- the table ---------------------------------------------------------------------------------------------------

_TEXTS: Final = frozenset({str, bytes, bytearray})
_SETS: Final = frozenset({set, frozenset}) | DICTS


def _each(cost: Cost, names: str) -> dict[str, Cost]:
    return dict.fromkeys(names.split(), cost)


_TEXT: Final[dict[str, Cost]] = (
    _each(
        _linear,
        """upper lower title swapcase capitalize isalpha isdigit isalnum isspace islower isupper istitle isascii
        removeprefix removesuffix splitlines""",
    )
    | _each(_prefix, "startswith endswith")
    | _each(_search, "find index count partition")
    | _each(_search_back, "rfind rindex rpartition")
    | _each(_strip, "strip lstrip rstrip")
    | _each(_pad, "ljust rjust center zfill")
    | _each(_split, "split rsplit splitlines")
    | {"join": _join, "replace": _replace, "expandtabs": _expand_tabs, "translate": _translate}
)
_SET: Final[dict[str, Cost]] = _each(
    _set_arguments, "union intersection difference symmetric_difference issubset issuperset isdisjoint"
) | {"copy": _copies}
_DICT: Final[dict[str, Cost]] = {"copy": _copies, "update": _updates, "pop": _key}

COSTS: Final[dict[type, dict[str, Cost]]] = {
    str: _TEXT | _each(_linear, "casefold isidentifier isdecimal isnumeric isprintable") | {"encode": _encode},
    bytes: _TEXT | {"decode": _encode, "hex": _digits},
    bytearray: _TEXT
    | _each(_moves, "insert pop reverse remove")
    | {"decode": _encode, "hex": _digits, "copy": _linear, "extend": _extends},
    int: _each(_free, "as_integer_ratio bit_count") | {"to_bytes": _to_bytes},
    bool: _each(_free, "as_integer_ratio bit_count") | {"to_bytes": _to_bytes},
    float: _each(_free, "as_integer_ratio hex"),
    complex: {},
    property: _each(_accessors, "getter setter deleter"),
    range: _each(_finds, "count index"),
    slice: {"indices": _free},
    list: _each(_finds, "count index remove")
    | _each(_moves, "insert pop reverse")
    | {"copy": _copies, "extend": _extends},
    tuple: _each(_finds, "count index"),
    Deque: _each(_finds, "count index remove")
    | _each(_moves, "insert reverse rotate pop")
    | _each(_extends, "extend extendleft")
    | {"copy": _copies},
    set: _SET
    | _each(_set_arguments, "update difference_update intersection_update symmetric_difference_update")
    | _each(_key, "remove pop discard"),
    frozenset: _SET,
    dict: _DICT,
    DefaultDict: _DICT,
    OrderedDict: _DICT | {"move_to_end": _key},
    collections.Counter: {"copy": _copies, "pop": _key, "most_common": _most_common}
    | _each(_moves, "elements")
    | _each(_sums, "total"),
    types.MappingProxyType: {"copy": _copies},
    type({}.keys()): {"isdisjoint": _set_arguments},
    type({}.items()): {"isdisjoint": _set_arguments},
    types.GeneratorType: _each(_free, "send throw close"),
    types.CoroutineType: {"close": _free},
    datetime.datetime: _each(_free, "replace astimezone isocalendar ctime") | {"strftime": _short_pattern},
    datetime.date: _each(_free, "replace isocalendar ctime") | {"strftime": _short_pattern},
    datetime.time: _each(_free, "replace") | {"strftime": _short_pattern},
    datetime.timedelta: {},
    datetime.timezone: {},
    zoneinfo.ZoneInfo: {},
    decimal.Decimal: _each(
        _decimal,
        """quantize compare copy_sign exp ln log10 logb max min next_minus next_plus normalize
        number_class remainder_near same_quantum scaleb sqrt to_eng_string
        to_integral to_integral_exact to_integral_value""",
    ),
}  # fmt: skip
"""Type -> method -> cost. A test walks ``dir()`` of every type and demands that each name stands here, is native or
hashed, or is on its list of refusals."""
