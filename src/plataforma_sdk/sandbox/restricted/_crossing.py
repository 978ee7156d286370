"""What passes between a module and host code on the same stack: plain data is copied, everything else is sealed.

Inwards: exact builtin values, copied; host objects as `Box`. Outwards: copies of plain data; a box opens; a function of
the module becomes a `Handler`. Nothing that the module made is ever called or iterated over by host code unmetered.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import datetime
import decimal
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

from plataforma_sdk.errors import CodecError
from plataforma_sdk.sandbox.restricted._containers import Deque
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta
from plataforma_sdk.sandbox.restricted._weights import DICTS
from plataforma_sdk.ui import Element

__all__ = ["Box", "Crossing"]

_MAX_NODES: Final = 500_000
_MAX_DEPTH: Final = 64
_FREE_TEXT: Final = 4096
_MAX_TEXTS: Final = 64 << 20
"""Characters of all texts in one value: one text that is shared 10,000 times is written 10,000 times as JSON."""

_MAX_DIGITS: Final = 4_300
_MAX_INTEGER: Final = 10**_MAX_DIGITS
_FLAT: Final = frozenset({float, bool, type(None)})
_SCALARS: Final = frozenset({
    int, float, bool, str, bytes, type(None), decimal.Decimal, datetime.datetime, datetime.date, datetime.time,
    datetime.timedelta,
})  # fmt: skip
_SEQUENCES: Final = frozenset({list, tuple, Deque, type({}.keys()), type({}.values()), type({}.items())})
_FUNCTIONS: Final = (types.FunctionType, types.MethodType)


class Box(metaclass=SealedMeta):
    """A host object in a module's hands: it can be passed back, and shows nothing; an element shows what it is."""

    __slots__ = ("_sdk_value",)

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_sdk_value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self!r} is read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __repr__(self) -> str:
        value = self._sdk_value  # type: ignore[attr-defined]
        return repr(value) if type(value) is Element else "<host object>"


class Crossing:
    """Copies values over the boundary of one sandbox.

    Args:
        charge: charges fuel.
        listed: makes a bounded list of an iterator, with fuel.
        handler: makes a host function of a function of the module.
        alloc: charges bytes of memory: of what the host hands in.
        number: makes a Decimal of the sandbox's own of one of the host's.
    """

    def __init__(
        self,
        charge: Callable[[int], None],
        listed: Callable[[Any], Iterator[Any]],
        handler: Callable[[Any], Any],
        alloc: Callable[[int], None],
        number: Callable[[decimal.Decimal], Any] = decimal.Decimal,
    ) -> None:
        self._charge = charge
        self._listed = listed
        self._handler = handler
        self._alloc = alloc
        self._number = number
        self._count = self._size = 0

    def outward(self, value: Any) -> Any:
        """Return what host code may hold of a module's value.

        Raises:
            CodecError: something that does not cross.
        """
        if type(value) in _FLAT:
            return value
        self._count = self._size = 0
        return self._out(value, 0)

    def _out(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _SCALARS:
            if kind is str or kind is bytes:
                self._size += len(value)
                if self._size > _MAX_TEXTS:
                    raise CodecError(f"Texts of more than {_MAX_TEXTS:,} characters together; send less at a time")
            elif kind is int and not -_MAX_INTEGER < value < _MAX_INTEGER:
                raise CodecError(
                    f"An integer of more than {_MAX_DIGITS:,} digits, which no text can show; send it as hex"
                )
            return value
        self._count += 1
        if self._count > _MAX_NODES or depth > _MAX_DEPTH:
            raise CodecError(f"More than {_MAX_NODES:,} containers, or nested deeper than {_MAX_DEPTH}; send less")
        if kind in _SEQUENCES:
            self._charge(1 + len(value))
            return [self._out(item, depth + 1) for item in value]
        if kind in DICTS or kind is types.MappingProxyType:
            self._charge(1 + 2 * len(value))
            items = dict.items if kind in DICTS else types.MappingProxyType.items
            return {self._key(key): self._out(item, depth + 1) for key, item in items(value)}
        return self._out_object(value, kind, depth)

    def _key(self, key: Any) -> Any:
        return key if type(key) in _FLAT else self._out(key, _MAX_DEPTH)

    def _out_object(self, value: Any, kind: type, depth: int) -> Any:
        if isinstance(value, decimal.Decimal):  # of the sandbox's own class
            return decimal.Decimal(value)
        if isinstance(value, Box):
            return value._sdk_value  # type: ignore[attr-defined]
        if kind is types.GeneratorType:
            return [self._out(item, depth + 1) for item in self._listed(value)]
        if kind in _FUNCTIONS or getattr(kind, "_sdk_is_callable", False):
            return self._handler(value)
        member = getattr(kind, "_sdk_member_value", None)
        if member is not None:
            return self._out(member(value), depth + 1)
        raise CodecError(
            f"A {kind.__name__} does not cross a boundary; send JSON values, bytes, Decimal, date or datetime"
        )

    def inward(self, value: Any) -> Any:
        """Return what a module may hold of a host's value: copies of plain data, boxes for the rest."""
        kind = type(value)
        if kind in _SCALARS or isinstance(kind, SealedMeta):
            if (kind is str or kind is bytes) and len(value) > _FREE_TEXT:
                self._alloc(len(value))
            return self._number(value) if kind is decimal.Decimal else value
        if kind is list:
            self._alloc(len(value) * 8)
            return [self.inward(item) for item in value]
        if kind is tuple:
            return tuple([self.inward(item) for item in value])
        if kind is dict or kind is types.MappingProxyType:
            self._alloc(len(value) * 64)
            return {key: self.inward(item) for key, item in value.items()}
        if isinstance(value, str):
            return str.__getitem__(value, slice(None))
        return Box(value)
