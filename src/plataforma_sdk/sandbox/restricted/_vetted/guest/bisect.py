"""`bisect`, written in the restricted language itself."""

# ruff: noqa: D103 - written as the original is

from typing import Any


def bisect_left(items: Any, value: Any) -> int:
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def bisect_right(items: Any, value: Any) -> int:
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if value < items[middle]:
            high = middle
        else:
            low = middle + 1
    return low


bisect = bisect_right


def insort(items: Any, value: Any) -> None:
    items.insert(bisect_right(items, value), value)
