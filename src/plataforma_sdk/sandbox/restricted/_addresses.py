"""Numbers of objects in place of their addresses, which tell a module where the memory of its host lies.

CPython shows addresses in three places: ``id(x)``, ``repr(x)`` of what has no ``__repr__`` of its own, and ``hash(x)``
of what is hashed by identity. Each is answered with a number that holds for this sandbox alone.

::

    <sandbox.A object at 0x7f3c2a0b4d10>        <sandbox.A object at 0x2f94c01d7a35>
    hash(A())  ->  8746087713233                hash(A())  ->  -3307041586140921835

Source: CWE-200; with a known address, a bug of CPython's memory is an escape.
"""

from __future__ import annotations

import collections
import math
import re
import secrets
import types
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["MARK", "Addresses"]

MARK: Final = " at 0x"
"""What stands before an address, in every repr that has one."""

_ADDRESS: Final = re.compile(r"(?<= at 0x)[0-9A-Fa-f]+")
_MAX_WALK: Final = 250_000
_SCALARS: Final = frozenset({int, bool, str, bytes, type(None), complex})
_NESTED: Final = frozenset({tuple, frozenset})
_BOUND: Final = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_EMPTY: Final[tuple[dict[Any, Any], ...]] = ({}, collections.OrderedDict())
_VIEWS: Final = tuple(type(view()) for made in _EMPTY for view in (made.keys, made.values, made.items))
_SEQUENCES: Final = (list, tuple, set, frozenset, collections.deque, *_VIEWS)
_OF_OS_ERRORS: Final[tuple[Any, ...]] = (OSError.filename, OSError.filename2, OSError.strerror)


class Addresses:
    """The numbers of one sandbox's objects."""

    def __init__(self) -> None:
        self._secret = secrets.randbits(62)

    def identity(self, value: Any) -> int:
        """Return what stands for the address of an object."""
        return hash((id(value), self._secret)) & 0x7FFF_FFFF_FFFF

    def hash(self, value: Any, made: int) -> int:
        """Return `made`, the hash of `value`; another number where an address went into it."""
        return made if type(value) in _SCALARS or not _is_placed(value) else hash((made, self._secret))

    def hidden(self, text: str, value: Any) -> str:
        """Return `text`, which C made of `value`, with numbers for the addresses of what `value` holds."""
        shown = {f"{number:x}": value for number, value in _found_in(value).items()}

        def replace(found: re.Match[str]) -> str:
            key = found[0].lower().lstrip("0")
            return f"{self.identity(shown[key]):x}" if key in shown else found[0]

        return _ADDRESS.sub(replace, text)


def _is_placed(value: Any) -> bool:
    """Whether an address is part of the hash: of what compares by identity, of methods, of numbers that are none."""
    pending = [value]
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind in _NESTED:
            pending.extend(item)
        elif kind not in _SCALARS and (math.isnan(item) if kind is float else _is_hashed_by_place(kind)):
            return True
    return False


def _is_hashed_by_place(kind: type) -> bool:
    return getattr(kind, "__hash__", None) is object.__hash__ or kind in _BOUND or hasattr(kind, "is_nan")


def _found_in(value: Any) -> dict[int, Any]:
    """Return the objects that a repr of `value` may show, by their address."""
    found: dict[int, Any] = {}
    pending = [value]
    while pending and len(found) < _MAX_WALK:
        item = pending.pop()
        if type(item) in _SCALARS or id(item) in found:
            continue
        found[id(item)] = item
        pending.extend(_shown_by(item))
    return found


def _shown_by(value: Any) -> Iterable[Any]:
    """What stands in the repr of `value`."""
    if isinstance(value, dict):
        return [*value, *dict.values(value), getattr(value, "default_factory", None)]
    if isinstance(value, types.MappingProxyType):
        return [*value, *value.values()]
    if isinstance(value, BaseException):
        beside = [field.__get__(value) for field in _OF_OS_ERRORS] if isinstance(value, OSError) else []
        return [*BaseException.args.__get__(value), *beside]  # type: ignore[attr-defined]
    if isinstance(value, (slice, staticmethod, classmethod, *_BOUND)):
        return [getattr(value, name, None) for name in ("start", "stop", "step", "__func__", "__self__")]
    return value if isinstance(value, _SEQUENCES) else ()
