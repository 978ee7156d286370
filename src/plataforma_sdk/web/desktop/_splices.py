"""What changed between two lists: what stayed, and the splices that make one of the other."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

__all__ = ["Splice", "longest_rising", "splices"]

Splice: TypeAlias = list[Any]
"""``[start, deleted, [new items]]``."""


def splices(old: Sequence[Any], new: Sequence[Any]) -> list[Splice]:
    """Return what makes `new` of `old`, from the last to the first, so that places hold while they are applied.

    Items are compared by how they are written: 1, 1.0 and True are three values. Finds single rows that changed, came,
    went, and rows that slid, in O(n log n); where many rows are alike it may take more splices than it must.
    """
    before, after = [repr(item) for item in old], [repr(item) for item in new]
    found: list[Splice] = []
    at_old = at_new = 0
    for stayed_old, stayed_new in [*_stayed(before, after), (len(before), len(after))]:
        found.extend(_gap(before, after, new, (at_old, stayed_old), (at_new, stayed_new)))
        at_old, at_new = stayed_old + 1, stayed_new + 1
    found.reverse()
    return found


def _gap(
    before: list[str], after: list[str], new: Sequence[Any], old_range: tuple[int, int], new_range: tuple[int, int]
) -> list[Splice]:
    """Return the splices of a gap between two items that stayed, what is alike at its two ends left out."""
    (start, end), (new_start, new_end) = old_range, new_range
    while start < end and new_start < new_end and before[start] == after[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and before[end - 1] == after[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    if start == end and new_start == new_end:
        return []
    return [[start, end - start, list(new[new_start:new_end])]]


def _stayed(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """Return the places, in both, of items that stayed in order: those that are alone of their kind in both.

    **Source:** the patience diff of Bram Cohen.
    """
    if before == after:
        return list(zip(range(len(before)), range(len(after)), strict=True))
    old_count, new_count = Counter(before), Counter(after)
    place = {text: index for index, text in enumerate(before) if old_count[text] == 1}
    pairs = [(place[text], index) for index, text in enumerate(after) if text in place and new_count[text] == 1]
    return [pairs[index] for index in longest_rising([old for old, _ in pairs])]


def longest_rising(numbers: Sequence[int]) -> list[int]:
    """Return the places of a longest strictly rising run of numbers, gaps allowed.

    >>> longest_rising([3, 0, 1, 2])
    [1, 2, 3]
    """
    tails: list[int] = []  # smallest last number of a run of each length
    tail_places: list[int] = []
    previous: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(tails, number)
        previous.append(tail_places[length - 1] if length else -1)
        tails[length : length + 1] = [number]
        tail_places[length : length + 1] = [place]
    found: list[int] = []
    at = tail_places[-1] if tail_places else -1
    while at >= 0:
        found.append(at)
        at = previous[at]
    found.reverse()
    return found
