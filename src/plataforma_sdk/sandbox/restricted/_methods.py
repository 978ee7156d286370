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
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._guards import Operators
from plataforma_sdk.sandbox.restricted._iterables import Iterables
from plataforma_sdk.sandbox.restricted._texts import Texts, check_codec
from plataforma_sdk.sandbox.restricted._weights import CONTAINERS, DICTS, MAX_TEXT, Scales

__all__ = ["COSTS", "Methods"]

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
        methods.meter.charge(len(args[0]) >> 4)
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
    if type(width) is int and width > MAX_TEXT:
        methods.meter.trip("memory", width, MAX_TEXT, "bytes")
    return args


def _expand_tabs(methods: Methods, receiver: Any, args: _Args) -> _Args:
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
    separator = args[0] if args and type(args[0]) in _TEXTS else None
    count = receiver.count(separator) if separator else len(receiver) >> 1
    if count > 64:  # noqa: PLR2004
        methods.meter.charge(count >> 5)
        methods.meter.reserve(count * 64)
        methods.meter.alloc(count * 32)
    return args


def _encode(methods: Methods, receiver: Any, args: _Args) -> _Args:
    check_codec(*args)
    return _linear(methods, receiver, args[:2])


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
    if args and type(args[0]) is int and args[0] > 65_536:  # noqa: PLR2004
        methods.meter.trip("memory", args[0], 65_536, "bytes")
    return args


def _moves(methods: Methods, receiver: Any, args: _Args) -> _Args:
    methods.meter.charge(len(receiver) >> 9)
    return args


def _copies(methods: Methods, receiver: Any, args: _Args) -> _Args:
    methods.meter.charge(len(receiver) >> 6)
    methods.meter.alloc(len(receiver) * 16)
    return args


def _finds(methods: Methods, receiver: Any, args: _Args) -> _Args:
    methods.meter.charge(len(receiver) >> 5)
    if args and type(args[0]) in CONTAINERS:
        methods.scales.weigh(receiver)
        methods.scales.weigh(args[0])
    return args


def _extends(methods: Methods, _: Any, args: _Args) -> _Args:
    return tuple(methods.iterables.star(item) for item in args)


def _set_arguments(methods: Methods, receiver: Any, args: _Args) -> _Args:
    """Each argument becomes a set, made in batches; the operation is then linear."""
    methods.meter.charge(len(receiver) >> 5)
    made = tuple(item if type(item) in _SETS else methods.iterables.unique(item) for item in args)
    for item in (receiver, *made):
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
    return _moves(methods, receiver, args) if type(receiver) is list else args


def _keys(methods: Methods, _: Any, args: _Args) -> _Args:
    if not args:
        raise TypeError("fromkeys() takes the keys")
    return (methods.iterables.hashable(args[0]), *args[1:])


def _short_pattern(methods: Methods, _: Any, args: _Args) -> _Args:
    if any(type(item) is str and len(item) > 256 for item in args):  # noqa: PLR2004
        raise ValueError("a format of more than 256 characters")
    methods.meter.charge(4)
    return args


def _decimal(methods: Methods, _: Any, args: _Args) -> _Args:
    methods.meter.charge(8)
    return args


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
    range: _each(_finds, "count index"),
    slice: {"indices": _free},
    list: _each(_finds, "count index remove")
    | _each(_moves, "insert pop reverse")
    | {"copy": _copies, "extend": _extends},
    tuple: _each(_finds, "count index"),
    collections.deque: _each(_finds, "count index remove")
    | _each(_moves, "insert reverse rotate pop")
    | _each(_extends, "extend extendleft")
    | {"copy": _copies},
    set: _SET
    | _each(_set_arguments, "update difference_update intersection_update symmetric_difference_update")
    | {"remove": _key, "pop": _key},
    frozenset: _SET,
    dict: _DICT,
    collections.defaultdict: _DICT,
    collections.OrderedDict: _DICT | {"move_to_end": _key},
    collections.Counter: {"copy": _copies, "pop": _key, "most_common": _most_common}
    | _each(_moves, "elements total"),
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
    decimal.Decimal: _each(
        _decimal,
        """quantize compare copy_sign exp ln log10 logb max min next_minus next_plus normalize
        number_class remainder_near same_quantum scaleb sqrt to_eng_string
        to_integral to_integral_exact to_integral_value""",
    ),
}  # fmt: skip
"""Type -> method -> cost. A test walks ``dir()`` of every type and demands that each name stands here, is native or
hashed, or is on its list of refusals."""

_PLAIN_KINDS: Final = (types.FunctionType, types.MethodType, super)


class Methods:
    """The methods of builtin values in one sandbox."""

    def __init__(  # noqa: PLR0917
        self, meter: Meter, scales: Scales, operators: Operators, iterables: Iterables, texts: Texts, sealed: type
    ) -> None:
        self.meter = meter
        self.scales = scales
        self.operators = operators
        self.iterables = iterables
        self._texts = texts
        self._sealed = sealed
        self._special: dict[tuple[type, str], Callable[..., Any]] = {
            (str, "format"): lambda receiver, *args, **kwargs: texts.str_format(receiver, args, kwargs),
            (list, "sort"): self._sort,
            (collections.Counter, "update"): self._count,
            (collections.Counter, "subtract"): self._uncount,
        }

    def call(self, receiver: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """``receiver.method(*args, **kwargs)``."""
        kind = type(receiver)
        costs = COSTS.get(kind)
        if costs is None:
            return self._native(receiver, kind, method)(*args, **kwargs)
        special = self._special.get((kind, method))
        if special is not None:
            return special(receiver, *args, **kwargs)
        cost = costs.get(method)
        if cost is None:
            raise self._absent(kind, method)
        if kwargs:
            args, kwargs = self._positional(kind, method, args, kwargs)
        args = cost(self, receiver, args)
        result = getattr(receiver, method)(*args, **kwargs)
        return self.operators.grown(result)

    def _positional(self, kind: type, method: str, args: _Args, kwargs: dict[str, Any]) -> tuple[_Args, dict[str, Any]]:
        """Put keyword arguments where the cost function looks for them."""
        if method in ("update", "subtract") and kind in DICTS:
            return args, kwargs
        if method in ("encode", "decode"):
            return args or (kwargs.pop("encoding", "utf-8"),), kwargs
        if method in ("expandtabs", "split", "rsplit") and not args:
            first = kwargs.pop("tabsize", 8) if method == "expandtabs" else kwargs.pop("sep", None)
            return (first,), kwargs
        if method == "sort" or kind in (datetime.datetime, datetime.date, datetime.time, decimal.Decimal):
            return args, kwargs
        if set(kwargs) <= {"maxsplit", "keepends", "signed", "byteorder", "count", "last", "errors"}:
            return args, kwargs
        raise TypeError(f"{kind.__name__}.{method}() takes positional arguments here")

    def attribute(self, receiver: Any, name: str) -> Any:
        """``receiver.name``, not called: a bound method of a builtin value keeps its cost."""
        kind = type(receiver)
        costs = COSTS.get(kind)
        if costs is None:
            return self._native(receiver, kind, name)
        if name in costs or (kind, name) in self._special:
            return self._bound(receiver, name)
        if name in _HASHED_BOUND and hasattr(kind, name):
            native, hashed = getattr(receiver, name), self.scales.hashed
            return lambda key, *rest: native(hashed(key), *rest)
        raise self._absent(kind, name)

    def _bound(self, receiver: Any, name: str) -> Callable[..., Any]:
        call = self.call
        return lambda *args, **kwargs: call(receiver, name, *args, **kwargs)

    def _native(self, receiver: Any, kind: type, name: str) -> Any:
        """Load from what is no builtin value: the module's own objects, sealed ones, plain functions."""
        if isinstance(receiver, BaseException):
            if name in _REFUSED_OF_ERRORS and name not in vars(receiver):
                raise self._absent(kind, name)
            return getattr(receiver, name)
        if issubclass(type(kind), self._sealed):
            member = getattr(kind, "_sdk_member_value", None)
            if member is not None and not hasattr(receiver, name):  # a member of StrEnum has the methods of its text
                return self.attribute(member(receiver), name)
            return getattr(receiver, name)
        if issubclass(kind, self._sealed):  # one of the module's own classes
            if name == "mro":
                raise self._absent(kind, name)
            return getattr(receiver, name)
        if kind in _PLAIN_KINDS:
            return getattr(receiver, name)
        raise self._absent(kind, name)

    def _absent(self, kind: type, name: str) -> AttributeError:
        return AttributeError(f"{kind.__name__!r} has no attribute {name!r} in the restricted tier")

    # --- special methods -----------------------------------------------------------------------------------------

    def _count(self, receiver: Any, items: Any = (), **counts: Any) -> None:
        self.iterables.count_into(receiver, items)
        self.iterables.count_into(receiver, counts)

    def _uncount(self, receiver: Any, items: Any = (), **counts: Any) -> None:
        self.iterables.count_into(receiver, items, -1)
        self.iterables.count_into(receiver, counts, -1)

    def _sort(self, receiver: list[Any], *, key: Any = None, reverse: bool = False) -> None:
        self.sort(receiver, key, reverse=reverse)

    def sort(self, items: list[Any], key: Any, *, reverse: bool) -> None:
        """Sort in place: comparisons of containers are weighed once for each element."""
        size = len(items)
        self.meter.charge((size * max(1, size.bit_length())) >> 6)
        weigh = self.scales.weigh
        if key is None:
            if any(type(item) in CONTAINERS for item in items):
                for item in items:
                    weigh(item)
            items.sort(reverse=bool(reverse))
        else:
            items.sort(key=lambda item: weigh(key(item)), reverse=bool(reverse))

    # --- the hottest methods ---------------------------------------------------------------------------------------

    def join(self, receiver: Any, *args: Any) -> Any:
        """``receiver.join(parts)``."""
        if type(receiver) is str and len(args) == 1 and type(args[0]) is list and len(args[0]) < 64:  # noqa: PLR2004, SIM102
            if len(receiver) < _SHORT:
                result = receiver.join(args[0])
                return result if len(result) < _SHORT else self.operators.grown(result)
        return self.call(receiver, "join", *args)

    def replace(self, receiver: Any, *args: Any) -> Any:
        """``receiver.replace(old, new)``."""
        if type(receiver) is str and len(receiver) < 1024 and len(args) == 2:  # noqa: PLR2004
            old, new = args
            if type(old) is str and type(new) is str and len(new) < 64:  # noqa: PLR2004
                return receiver.replace(old, new)
        return self.call(receiver, "replace", *args)

    def split(self, receiver: Any, *args: Any) -> Any:
        """``receiver.split(separator)``."""
        if type(receiver) is str and len(receiver) < _SHORT:
            return receiver.split(*args)
        return self.call(receiver, "split", *args)


_SHORT: Final = 4096
_HASHED_BOUND: Final = frozenset(["get", "add", "setdefault", "discard"])
_REFUSED_OF_ERRORS: Final = frozenset(["obj", "object", "add_note", "with_traceback"])
