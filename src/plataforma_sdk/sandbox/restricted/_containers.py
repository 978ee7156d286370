"""What a module may nest without end: types whose instances CPython can free, and makers that refuse the others.

CPython frees what an object holds from within the freeing of the object. Lists, tuples, dicts and instances of classes
made in Python do it in stretches; some types of C's do not, and a chain of 300,000 of those overruns the stack of C.
Source: CPython's ``Py_TRASHCAN_BEGIN``, which ``deque``, ``defaultdict``, ``slice``, ``property``, ``staticmethod`` and
``classmethod`` lack in 3.11 to 3.13; each was crashed by a loop of one line.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import types
from collections.abc import Callable
from typing import Any, Final, NoReturn

from plataforma_sdk.sandbox.restricted._sealed import SealedType, seal_type

__all__ = ["DefaultDict", "Deque", "OrderedDict", "check_link", "make_slice", "seal_descriptors", "slicer"]


class Deque(collections.deque[Any]):
    """`collections.deque`, freed in stretches: the class is made in Python."""

    __slots__ = ()


class DefaultDict(collections.defaultdict[Any, Any]):
    """`collections.defaultdict`, freed in stretches."""

    __slots__ = ()


class OrderedDict(collections.OrderedDict[Any, Any]):
    """`collections.OrderedDict` without attributes, and compared as lists of items.

    The comparison in C goes on with a key that a module's ``__eq__`` has deleted. Source: CPython gh-119004.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, collections.OrderedDict):
            return list(dict.items(self)) == list(dict.items(other))
        return dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("an OrderedDict takes no attributes in the restricted tier")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("an OrderedDict takes no attributes in the restricted tier")


for _cls, _name in ((Deque, "deque"), (DefaultDict, "defaultdict"), (OrderedDict, "OrderedDict")):
    _cls.__name__ = _cls.__qualname__ = _name
    _cls.__module__ = "collections"


# --- what is refused inside of its own kind --------------------------------------------------------------------------

_PARTS: Final = frozenset({
    int, float, bool, str, bytes, complex, type(None), decimal.Decimal, datetime.datetime, datetime.date, datetime.time,
    datetime.timedelta,
})  # fmt: skip
_LINKS: Final = frozenset({property, staticmethod, classmethod})


def check_link(value: Any) -> Any:
    """Return `value` where it cannot be a link of a chain that crashes when it is freed.

    Raises:
        TypeError: what cannot be called, a staticmethod, or a method of something that is no function.
    """
    kind = type(value)
    is_callable = value is None or callable(value)
    if (
        not is_callable
        or kind in _LINKS
        or (kind is types.MethodType and type(value.__func__) is not types.FunctionType)
    ):
        raise TypeError(f"a {kind.__name__} cannot stand inside of a descriptor in the restricted tier")
    return value


def _make_property(fget: Any = None, fset: Any = None, fdel: Any = None, doc: Any = None) -> property:
    return property(check_link(fget), check_link(fset), check_link(fdel), doc if type(doc) is str else None)


def make_slice(*parts: Any) -> slice:
    """``slice(...)``, of plain values and of objects of the module's own classes: C compares and hashes what it holds.

    Raises:
        TypeError: a container, or another slice.
    """
    for part in parts:
        if type(part) not in _PARTS and type(type(part)) is type:
            raise TypeError(f"a slice does not hold a {type(part).__name__} in the restricted tier")
    return slice(*parts)


def slicer(grown: Callable[[Any], Any], sliced: frozenset[type]) -> Callable[[Any, Any, Any, Any], Any]:
    """Build ``container[start:stop:step]``: charged by what it copies; an own class is handed a slice object.

    Args:
        grown: charges what was made.
        sliced: types that take numbers alone.
    """

    def apply(container: Any, start: Any, stop: Any, step: Any) -> Any:
        if type(container) not in sliced:
            make_slice(start, stop, step)
        return grown(container[start:stop:step])

    return apply


def seal_descriptors() -> dict[str, SealedType]:
    """Make the stand-ins of ``property``, ``staticmethod`` and ``classmethod``."""
    return {
        "property": seal_type(property, _make_property),
        "staticmethod": seal_type(staticmethod, lambda function: staticmethod(check_link(function))),
        "classmethod": seal_type(classmethod, lambda function: classmethod(check_link(function))),
    }
