"""What a module pays at each gate to the host: some fuel, and room on the stack for the host's own recursion.

`check_headroom` takes 0.2 to 0.4 µs, as long as all the rest of a call. A module's stack grows by calls, each of which
burns a unit of fuel, and by containers in containers that C walks down, which are weighed before. So after a look that
found room for some units more, none is needed until they are burnt: most calls of the host cost two comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._driving import check_headroom, has_room
from plataforma_sdk.sandbox.restricted._fuel import SLICE, Meter

__all__ = ["make_toll"]

_UNITS: Final = 8
_LEVELS_A_UNIT: Final = 48
"""Calls, in Python or C, that a unit may add to the stack: a guard, a sort and its key; or 31 lists in lists, which are
weighed for nothing, the ``__eq__`` at their end, and what leads from one to the other."""


def make_toll(meter: Meter, units: int) -> Callable[[], None]:
    """Build what a gate calls first: it charges `units`, and trips where too little of the stack is left."""
    source, charge = meter.source, meter.charge
    seen: Any = None
    mark = 0

    def toll() -> None:
        nonlocal seen, mark
        slice_: Any = source.current
        left = slice_.__length_hint__()
        if slice_ is seen and units < left and 0 <= mark - left <= _UNITS and source.tripped is None:
            slice_.__setstate__(SLICE - left + units)
            mark -= units
            return
        charge(units)
        seen = None
        if has_room(_UNITS * _LEVELS_A_UNIT):
            seen = source.current
            mark = seen.__length_hint__()
        else:
            check_headroom(meter)

    return toll
