"""What the policy's operators call: each sizes an operation before, or charges it after.

Charges are in units of fuel, about the time of one loop turn each, and in bytes.
"""

from __future__ import annotations

import collections
import itertools
import operator
import sys
from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._containers import Deque
from plataforma_sdk.sandbox.restricted._fuel import LARGE_TEXT, Meter
from plataforma_sdk.sandbox.restricted._tables import compact
from plataforma_sdk.sandbox.restricted._weights import (
    CONTAINERS,
    DICTS,
    HASH_TABLES,
    MAX_ITEMS,
    MAX_TEXT,
    SCALARS,
    SEQUENCES,
    VIEWS,
    Scales,
    is_aware,
)

__all__ = ["MAX_BITS", "Operators"]

MAX_BITS: Final = 1 << 15
"""Bits of one integer: its division, the slowest operation, then takes 0.3 ms at most."""

_PRODUCT_BITS: Final = 1 << 32
_TEXTS: Final = (str, bytes, bytearray)
_REPEATED: Final = (*_TEXTS, list, tuple, Deque)
_FREE_TEXT: Final = 512
_FREE_ITEMS: Final = 512
_HASHED_ITEM_BYTES: Final = 48
_SMALL_INT: Final = 1 << 62
_EMPTIED: Final = frozenset({set, collections.Counter})


class Operators:
    """The operators of one sandbox."""

    def __init__(self, meter: Meter, scales: Scales) -> None:
        self._meter = meter
        self._scales = scales

    # --- sizes ---------------------------------------------------------------------------------------------------

    def grown(self, value: Any) -> Any:
        """Charge a result that was just made, and return it."""
        kind = type(value)
        if kind is str or kind is bytes or kind is bytearray:
            size = len(value)
            if size > _FREE_TEXT:
                self._texts(size)
        elif kind is int:
            bits = value.bit_length()
            if bits > MAX_BITS:
                self._meter.trip("memory", bits, MAX_BITS, "bits")
            self._meter.charge(bits >> 10)
        elif kind in CONTAINERS:
            size = len(value)
            if size > _FREE_ITEMS:
                self._items(size, 8 if kind is list or kind is tuple else _HASHED_ITEM_BYTES)
        return value

    def _texts(self, size: int) -> None:
        if size > MAX_TEXT:
            self._meter.trip("memory", size, MAX_TEXT, "bytes")
        self._meter.charge(size >> 12)
        self._meter.alloc(size)

    def _items(self, count: int, each: int) -> None:
        if count > MAX_ITEMS:
            self._meter.trip("memory", count, MAX_ITEMS, "items")
        self._meter.charge(count >> (9 if each == 8 else 6))  # noqa: PLR2004
        self._meter.alloc(count * each)

    # --- arithmetic ----------------------------------------------------------------------------------------------

    def add(self, left: Any, right: Any) -> Any:
        """``left + right``."""
        return self.grown(left + right)

    def mul(self, left: Any, right: Any) -> Any:
        """``left * right``, sized before it is made."""
        self._size_product(left, right)
        return left * right

    def _size_product(self, left: Any, right: Any) -> None:
        kind = type(left)
        other = type(right)
        if kind is float or other is float:
            return
        if kind is int and other is int:
            if -_PRODUCT_BITS < left < _PRODUCT_BITS and -_PRODUCT_BITS < right < _PRODUCT_BITS:
                return
            bits = left.bit_length() + right.bit_length()
            if bits > MAX_BITS:
                self._meter.trip("memory", bits, MAX_BITS, "bits")
            self._meter.charge(bits >> 10)
            return
        if kind is int or kind is bool:
            left, right, kind, other = right, left, other, kind
        if (other is int or other is bool) and right > 0 and kind in _REPEATED:
            size = len(left) * right
            if kind in _TEXTS:
                self._texts(size)
            else:
                self._meter.alloc(size * 8)
                if size > _FREE_ITEMS:
                    self._items(size, 8)

    def pow(self, base: Any, exponent: Any, modulus: Any = None) -> Any:
        """``base ** exponent``, or the builtin ``pow``."""
        if modulus is None:
            self._size_power(base, exponent)
            return base**exponent
        if isinstance(base, int) and isinstance(exponent, int):
            self._size_power_modulo(int(base), int(exponent), modulus)
        return pow(base, exponent, modulus)

    def _size_power(self, base: Any, exponent: Any) -> None:
        if isinstance(base, int) and isinstance(exponent, int):
            bits = base.bit_length() * exponent if abs(base) > 1 else 0
            if bits > MAX_BITS:
                self._meter.trip("memory", bits, MAX_BITS, "bits")
            self._meter.charge(max(bits, 0) >> 8)

    def _size_power_modulo(self, base: int, exponent: int, modulus: Any) -> None:
        sizes = [number.bit_length() for number in (base, exponent, modulus) if type(number) is int]
        if max(sizes) > 4096:  # noqa: PLR2004
            self._meter.trip("fuel")
        self._meter.charge((max(sizes) ** 2 * sizes[1]) >> 22)

    def shl(self, left: Any, right: Any) -> Any:
        """``left << right``."""
        self._size_shift(left, right)
        return left << right

    def _size_shift(self, left: Any, right: Any) -> None:
        if isinstance(left, int) and isinstance(right, int) and right > 0 and left.bit_length() + right > MAX_BITS:
            self._meter.trip("memory", left.bit_length() + right, MAX_BITS, "bits")

    def size_rounding(self, number: Any, digits: int) -> None:
        """Look at ``round(number, -1000)``: a division by a power of ten."""
        if type(number) is int and digits < 0:
            self._meter.charge((number.bit_length() >> 5) * (-digits >> 3) >> 6)

    def _size_division(self, left: Any, right: Any) -> None:
        if type(left) is int and type(right) is int and not -_SMALL_INT < left < _SMALL_INT:
            digits = (left.bit_length() >> 5) * (right.bit_length() >> 5)
            if left.bit_length() > MAX_BITS * 2 or right.bit_length() > MAX_BITS * 2:
                self._meter.trip("memory", left.bit_length(), MAX_BITS, "bits")
            self._meter.charge(digits >> 6)

    def fdiv(self, left: Any, right: Any) -> Any:
        """``left // right``."""
        self._size_division(left, right)
        return left // right

    def divmod(self, left: Any, right: Any) -> Any:
        """``divmod(left, right)``."""
        self._size_division(left, right)
        return divmod(left, right)

    def matmul(self, left: Any, right: Any) -> Any:
        """``left @ right``: only a module's own classes define it."""
        return left @ right

    # --- sets ------------------------------------------------------------------------------------------------------

    def size_sets(self, left: Any, right: Any) -> None:
        """Look at the operands of ``-``, ``|``, ``&`` and ``^``: keys may collide, iterables have no end."""
        for side, other in ((left, right), (right, left)):  # a view of a dict takes any iterable, without end too
            if type(side) in VIEWS and type(other) not in HASH_TABLES and type(other) not in SCALARS:
                raise TypeError(f"an operation of a view of a dict with a {type(other).__name__}; write set(...)")
        if type(left) in HASH_TABLES and type(right) in HASH_TABLES:
            self._meter.charge((sys.getsizeof(left) + sys.getsizeof(right)) >> 10)
            if type(left) in VIEWS or type(right) in VIEWS:  # colliding keys, and a table that a view does not show
                self._meter.charge((len(left) + len(right)) >> 3)
            self._scales.collisions(left)
            self._scales.collisions(right)

    def set_operator(self, apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Guard ``-``, ``|``, ``&`` or ``^``."""
        size, grown = self.size_sets, self.grown

        def operate(left: Any, right: Any) -> Any:
            size(left, right)
            return grown(apply(left, right))

        return operate

    def unary(self, apply: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Guard ``+x`` or ``-x``: of a Counter it is a loop in host code."""
        charge = self._meter.charge

        def operate(value: Any) -> Any:
            if type(value) in CONTAINERS:
                charge(len(value) >> 1)
            return apply(value)

        return operate

    # --- comparison ----------------------------------------------------------------------------------------------

    def compare(self, apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Guard a comparison: two containers are weighed first."""
        weigh, charge = self._scales.weigh, self._meter.charge

        def compared(left: Any, right: Any) -> Any:
            kind = type(left)
            if kind in CONTAINERS:
                if type(right) in CONTAINERS:
                    weigh(left)
                    weigh(right)
            elif kind in _TEXTS and type(right) in _TEXTS:
                charge(min(len(left), len(right)) >> 12)
            return apply(left, right)

        return compared

    def contains(self, item: Any, container: Any) -> bool:
        """``item in container``."""
        kind = type(container)
        if kind is range and type(item) is not int:
            return self._is_in_range(item, container)
        if type(item) in CONTAINERS:
            self._scales.weigh(item)
            if kind in SEQUENCES:
                self._scales.weigh(container)
        elif kind in SEQUENCES or kind in DICTS:
            self._charge_look(item, container, kind)
        elif kind in _TEXTS:
            self._meter.charge(len(container) >> 10)
        elif kind is not range and not hasattr(kind, "__contains__") and hasattr(kind, "__iter__"):
            for found in itertools.compress(container, self._meter.fuel):  # an iterator may have no end
                if found is item or found == item:
                    return True
            self._meter.check()
            return False
        return item in container

    def _charge_look(self, item: Any, container: Any, kind: type) -> None:
        """Charge a look for what is no container: a text is compared from end to end with one that may be equal."""
        length = len(item) >> 12 if type(item) in _TEXTS and self._meter.largest >= LARGE_TEXT else 0
        if kind in DICTS or kind is set or kind is frozenset:
            self._meter.charge(length)
        else:
            self._meter.charge((len(container) >> (2 if is_aware(item) else 5)) + len(container) * length)

    def _is_in_range(self, item: Any, numbers: range) -> bool:
        """CPython looks at each number of a range for what is no integer: ``1.5 in range(10**12)``."""
        if type(item) is bool or (type(item) is float and item.is_integer()):
            return int(item) in numbers
        if type(item) is float or item is None or type(item) in _TEXTS or type(item) in CONTAINERS:
            return False
        return any(found == item for found in itertools.compress(numbers, self._meter.fuel))

    def excludes(self, item: Any, container: Any) -> bool:
        """``item not in container``."""
        return not self.contains(item, container)

    # --- augmented assignment --------------------------------------------------------------------------------------

    def augmented(self) -> dict[str, Callable[[Any, Any], Any]]:
        """The in-place operators by the name that the policy writes; ``+=`` and ``|=`` belong to `Iterables`."""
        made = {f"_aug_{name}_": self._in_place(apply, self.size_sets) for name, apply in _IN_PLACE.items()}
        made["_aug_mult_"] = self._in_place(operator.imul, self._size_product)
        made["_aug_pow_"] = self._in_place(operator.ipow, self._size_power)
        made["_aug_lshift_"] = self._in_place(operator.ilshift, self._size_shift)
        made["_aug_floordiv_"] = self._in_place(operator.ifloordiv, self._size_division)
        return made

    def _in_place(
        self, apply: Callable[[Any, Any], Any], check: Callable[[Any, Any], Any] | None
    ) -> Callable[[Any, Any], Any]:
        grown = self.grown

        def augment(left: Any, right: Any) -> Any:
            if check is not None:
                check(left, right)
            made = apply(left, right)
            if type(made) in _EMPTIED:
                compact(made)
            return grown(made)

        return augment


_IN_PLACE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "sub": operator.isub,
    "bitand": operator.iand,
    "bitxor": operator.ixor,
    "div": operator.itruediv,
    "rshift": operator.irshift,
    "matmult": operator.imatmul,
}
