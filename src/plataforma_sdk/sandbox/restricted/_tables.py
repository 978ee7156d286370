"""Sets and dicts that keep the table of their largest size.

CPython walks the whole table of a set or dict to find its first item, to copy it and to compare it, and shrinks no
table when items are removed: a set that once held 500,000 numbers and holds one takes a millisecond for each
``next(iter(s))``, a hundred natively in one statement. So what removes items looks at the table now and then, and puts
what is left into one of its size. Charging each walk instead would take a guard on every ``for``.
"""

from __future__ import annotations

import collections
import sys
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._containers import DefaultDict

__all__ = ["compact", "compact_sometimes"]

_DICTS: Final = frozenset({dict, DefaultDict, collections.Counter})
_LARGEST_BYTES: Final = 128
"""Bytes of the table for each item: what CPython itself takes at most."""

_FREE_BYTES: Final = 8_192
_STRIDE_MASK: Final = (1 << 14) - 1


def compact_sometimes(container: Any) -> None:
    """As `compact`, before single items go: at powers of two, and every 16,384 items; no length is jumped over."""
    size = len(container)
    if not size & (size - 1) or not size & _STRIDE_MASK:
        compact(container)


def compact(container: Any) -> None:
    """Put a set or dict into a table of its size, where it has far too large a one; it stays the same object.

    O(table), after as many removals. Both copies take over the stored hashes: a set is copied without a comparison, and
    what a dict's keys compare, they do before anything is changed.
    """
    kind = type(container)
    if kind is not set and kind not in _DICTS:
        return
    if sys.getsizeof(container) <= len(container) * _LARGEST_BYTES + _FREE_BYTES:
        return
    if kind is set:
        items = set(container)
        container.clear()
        container |= items
    else:
        pairs = dict(container)
        container.clear()
        dict.update(container, pairs)
