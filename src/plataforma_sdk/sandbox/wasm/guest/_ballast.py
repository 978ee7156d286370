"""Heap ballast: fill the holes of the heap when the runner is built.

What a module allocates later would fall into holes all over the interpreter's pages, and each such page becomes
private to the instance: 1,881 pages for 378 KB of objects, measured. With the holes filled, new objects lie together
on fresh pages: half the memory for each instance.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["fill_holes"]

_COUNT: Final = 3_000
_SMALLEST, _LARGEST = 24, 512
_BYTES_HEADER: Final = 17
_OBJECTS: Final = 20_000


def fill_holes() -> list[Any]:
    """Allocate by size class, keep what landed in a hole, drop the rest; keep the result alive for ever."""
    top = id(bytearray(2**20))
    kept: list[Any] = []
    for size in range(_SMALLEST, _LARGEST + 1, 8):
        fresh = [bytes(size - _BYTES_HEADER) for _ in range(_COUNT)]
        kept.append([block for block in fresh if id(block) < top])
    floats = [float(number) for number in range(_OBJECTS)]
    kept.append([block for block in floats if id(block) < top])
    objects = [object() for _ in range(_OBJECTS)]
    kept.append([block for block in objects if id(block) < top])
    return kept
