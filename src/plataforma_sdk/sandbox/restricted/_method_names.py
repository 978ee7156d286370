"""Names of methods, by what a call of them may cost. Generated from the types themselves, so it fails closed.

A name is *guarded* where some builtin type that a module can hold has it: a load of it goes through ``_attr_``, a call
through ``_meth_``, and there only what `_costs` lists is answered. What a later Python adds to a type is therefore
refused until somebody gives it a cost. The exceptions are listed here: *native* names cost O(1), or no more than the
memory that was already charged, on every type that has them; *hashed* ones cost O(1) beside the hash of their argument.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import types
import zoneinfo
from collections.abc import AsyncGenerator
from typing import Final

from plataforma_sdk.sandbox.restricted._containers import DefaultDict, Deque, OrderedDict

__all__ = ["COPYING", "GROWING", "GUARDED", "HASHED", "NATIVE", "PREFIXED", "QUICK", "TYPES", "public_names"]


async def _async_generator() -> AsyncGenerator[None, None]:
    yield None


def _async_generator_steps() -> tuple[type, ...]:
    """The types of what ``asend``, ``athrow`` and ``aclose`` return; CPython gives them no names."""
    generator = _async_generator()
    steps = (generator.asend(None), generator.athrow(ValueError))
    for step in steps:
        step.close()
    return tuple(map(type, steps))


TYPES: Final[tuple[type, ...]] = (
    str, bytes, bytearray, int, float, bool, complex, list, tuple, dict, set, frozenset, range, slice, property,
    type({}.keys()), type({}.values()), type({}.items()), type(None), type(NotImplemented), type(...),
    Deque, DefaultDict, collections.Counter, OrderedDict,
    type(collections.OrderedDict().keys()), type(collections.OrderedDict().values()),
    type(collections.OrderedDict().items()), types.MappingProxyType,
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone,
    zoneinfo.ZoneInfo, decimal.Decimal, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
    *_async_generator_steps(),
    staticmethod, classmethod, types.FunctionType, types.MethodType, types.BuiltinFunctionType,
)  # fmt: skip
"""Every type of CPython's own whose instances a module can hold, exceptions and iterators without methods aside."""


def public_names(kind: type) -> frozenset[str]:
    """The attributes of a type that a module can write."""
    return frozenset(name for name in dir(kind) if not name.startswith("_"))


NATIVE: Final = frozenset(
    [
        "append",
        "appendleft",
        "popleft",
        "items",
        "keys",
        "values",
        "popitem",
        "clear",
        "real",
        "imag",
        "numerator",
        "denominator",
        "conjugate",
        "is_integer",
        "bit_length",
        "start",
        "stop",
        "step",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "microsecond",
        "days",
        "seconds",
        "microseconds",
        "tzinfo",
        "fold",
        "weekday",
        "isoweekday",
        "date",
        "time",
        "timetz",
        "timestamp",
        "total_seconds",
        "toordinal",
        "isoformat",
        "utcoffset",
        "dst",
        "tzname",
        "key",
        "maxlen",
        "default_factory",
        "is_nan",
        "is_finite",
        "is_infinite",
        "is_zero",
        "is_signed",
        "is_qnan",
        "is_snan",
        "is_normal",
        "is_subnormal",
        "adjusted",
        "copy_abs",
        "copy_negate",
        "radix",
    ]
)
"""Names that stay native loads on every type."""

HASHED: Final = frozenset(["get", "add", "setdefault"])

_EXCEPTION_NAMES: Final = frozenset(["obj", "object", "add_note", "with_traceback", "mro"])
"""Source: CVE-2024-47532, `AttributeError.obj` hands out the object that lacked an attribute."""

GUARDED: Final = (frozenset().union(*map(public_names, TYPES)) | _EXCEPTION_NAMES) - NATIVE - HASHED
"""Names whose every load goes through a guard."""

COPYING: Final = frozenset(
    [
        "upper",
        "lower",
        "title",
        "casefold",
        "swapcase",
        "capitalize",
        "strip",
        "lstrip",
        "rstrip",
        "removeprefix",
        "removesuffix",
        "partition",
        "replace",
        "split",
        "isalpha",
        "isdigit",
        "isalnum",
        "isspace",
        "islower",
        "isupper",
        "isidentifier",
        "isdecimal",
        "isnumeric",
        "istitle",
        "isascii",
        "find",
        "splitlines",
    ]
)
"""Methods of str that stay native on a short text with short constants for arguments."""

PREFIXED: Final = frozenset(["startswith", "endswith"])
"""Methods that cost no more than their argument, which is a short constant where they stay native."""

GROWING: Final = frozenset(["replace", "split"])
"""Of these, the ones whose result is many times as large as the text, so that it has to be shorter."""

QUICK: Final = {"join": 1, "replace": 2, "discard": 1}
"""Methods with a guard of their own, ``_m_join_``, the hottest ones -> how many arguments it takes."""
