"""What a module pays at each gate to the host: some fuel, and room on the stack for the host's own recursion.

``sys._getframe(n)`` walks n frames in C; but on a shallow stack it raises, which takes a microsecond. A module's stack
grows by calls, and each burns a unit of fuel. So after a look that found the stack shallow, none is needed until some
units are burnt: most calls of the host cost two comparisons.
"""

# ruff: noqa: SLF001 - `_getframe` is how CPython tells the depth of the stack; the fuel's source is this package's own

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._fuel import SLICE, Meter

__all__ = ["HEADROOM", "make_toll"]

HEADROOM: Final = 200
"""Frames that must be left for a host function that a module calls."""

_UNITS: Final = 50
_FRAMES_A_UNIT: Final = 8
"""Frames of the engine's own that may lie between two calls of a module's functions: a guard, a sort, its key."""


def make_toll(meter: Meter, units: int) -> Callable[[], None]:
    """Build what a gate calls first: it charges `units`, and trips where too little of the stack is left."""
    source, charge = meter._source, meter.charge
    seen: Any = None
    mark = 0

    def toll() -> None:
        nonlocal seen, mark
        slice_: Any = source.current
        left = slice_.__length_hint__()
        if slice_ is seen and units < left and mark - left <= _UNITS and source.tripped is None:
            slice_.__setstate__(SLICE - left + units)
            mark -= units
            return
        charge(units)
        limit = sys.getrecursionlimit()
        seen = None
        if not _is_deeper(limit - HEADROOM - _UNITS * _FRAMES_A_UNIT):
            seen, mark = source.current, source.current.__length_hint__()  # type: ignore[attr-defined]
        elif _is_deeper(limit - HEADROOM):
            meter.trip("stack", unit="frames")

    return toll


def _is_deeper(frames: int) -> bool:
    try:
        sys._getframe(max(frames, 0))
    except ValueError:
        return False
    return True
