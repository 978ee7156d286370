"""The account of memory that a module holds: deterministic, and its own.

Within a step what is charged adds up; between steps, when enough has been charged, what the module can still reach is
measured and becomes the balance. The measure walks the module's own objects and stops at everything of the host's.

Tried and rejected: the process's RSS (it is everybody's: judging one module by it ends the wrong one), tracemalloc (2x
slower, and blind to who allocates).
"""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Iterable
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta
from plataforma_sdk.sandbox.restricted._weights import CONTAINERS, DICTS

__all__ = ["MemoryAccount"]

_UNIT_BYTES: Final = 64
"""What one unit of fuel is suspected to have allocated uncharged: a small object. It triggers a measure, no more."""

_SHARE: Final = 4
_SUSPENDED: Final = (
    types.GeneratorType,
    types.CoroutineType,
    types.AsyncGeneratorType,
    types.CellType,
    types.MethodType,
)


class MemoryAccount:
    """Measures what one sandbox retains.

    Args:
        meter: where the balance is kept.
        meta: the metaclass of the module's own classes.
    """

    def __init__(self, meter: Meter, meta: type) -> None:
        self._meter = meter
        self._meta = meta
        self._fuel_before = 0
        self._is_measured = False

    def settle(self, roots: Iterable[Any], own_globals: Iterable[dict[str, Any]]) -> int:
        """Measure, where enough was charged since the last time; return the balance in bytes.

        Cost: one walk over the module's objects, after loading and once for each quarter of the limit allocated.
        """
        meter = self._meter
        suspected = meter.charged + (meter.fuel_used - self._fuel_before) * _UNIT_BYTES
        if suspected > meter.memory_limit // _SHARE or not self._is_measured:
            self._is_measured = True
            self._fuel_before = meter.fuel_used
            meter.charged = 0
            meter.retained = self.measure(roots, own_globals)
        return meter.retained

    def measure(self, roots: Iterable[Any], own_globals: Iterable[dict[str, Any]]) -> int:
        """Add up the sizes of everything of the module's that is reachable from `roots`."""
        own = {id(namespace) for namespace in own_globals}
        pending = list(roots)
        seen: set[int] = set()
        total = 0
        while pending:
            value = pending.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            inside = self._inside(value, own)
            if inside is not None:
                total += sys.getsizeof(value)
                pending.extend(inside)
        return total

    def _inside(self, value: Any, own: set[int]) -> Iterable[Any] | None:  # noqa: PLR0911
        """What a value of the module's holds, or None where it is the host's."""
        kind = type(value)
        if kind in CONTAINERS:
            return [*value, *dict.values(value)] if kind in DICTS else list(value)
        if isinstance(kind, self._meta) or isinstance(value, BaseException):
            return gc.get_referents(value)
        if kind is types.FunctionType:
            return gc.get_referents(value) if id(value.__globals__) in own else None
        if kind in _SUSPENDED:
            return gc.get_referents(value)
        if hasattr(kind, "_sdk_held"):
            return list(kind._sdk_held(value))  # noqa: SLF001
        if issubclass(kind, type | types.ModuleType | types.BuiltinFunctionType) or isinstance(kind, SealedMeta):
            return None
        return ()
