"""The wildcard language of names and topics, and an index that finds what covers a text without a scan.

A pattern is segments joined by dots. ``*`` is a whole segment: before the end it stands for exactly one, at the end for
one or more, so ``api.*`` covers ``api.a`` and ``api.a.b`` and not ``api``.

*A pattern as the text.* ``covers(p, q)`` asks whether the whole language of ``q`` lies in that of ``p``. It suffices to
read the ``*`` of ``q`` as one more segment that no literal equals: the alphabet of segments is as good as infinite, so
only a ``*`` of ``p`` covers it, and a union of patterns covers ``q`` only where one of them does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import attrs

__all__ = ["PatternIndex", "covers", "is_pattern", "meet", "overlaps"]

V = TypeVar("V")


def is_pattern(text: str) -> bool:
    """Tell whether a valid name or topic holds a wildcard; the grammar lets ``*`` stand only as a whole segment."""
    return "*" in text


def covers(pattern: str, text: str) -> bool:
    """Tell whether every name of `text`, itself perhaps a pattern, is one of `pattern`."""
    if pattern == text:
        return True
    wanted, given = pattern.split("."), text.split(".")
    if wanted[-1] == "*":
        wanted.pop()
        if len(given) <= len(wanted):
            return False
    elif len(given) != len(wanted):
        return False
    return all(want in ("*", got) for want, got in zip(wanted, given, strict=False))


def meet(first: str, second: str) -> str | None:
    """Return the pattern of the names that both cover, or None; two patterns never need more than one."""
    long, short = sorted((first.split("."), second.split(".")), key=len, reverse=True)
    is_short_open = short[-1] == "*"
    if len(long) > len(short) and not is_short_open:
        return None
    head = short[:-1] if is_short_open else short
    merged: list[str] = []
    for one, other in zip(long, head, strict=False):
        if one != other and "*" not in (one, other):
            return None
        merged.append(other if one == "*" else one)
    return ".".join(merged + long[len(head) :])


def overlaps(first: str, second: str) -> bool:
    """Tell whether some name is covered by both."""
    return meet(first, second) is not None


@attrs.define(eq=False)
class PatternIndex(Generic[V]):
    """Patterns with a value each, found by what they cover.

    A tuple-space search: patterns are kept as text in one dict, beside the *shapes* in use (where the stars stand). A
    lookup masks its text by each shape and asks the dict, so its cost grows with the number of distinct shapes of
    fitting length, never with the number of patterns. A segment trie would be as correct, and visits up to
    2**segments nodes where stars are dense.

    Attributes:
        entries: pattern -> value; read it, and change it through `add` and `remove`.
    """

    entries: dict[str, V] = attrs.field(factory=dict)
    _fixed: dict[int, dict[tuple[int, ...], int]] = attrs.field(factory=dict)
    """Number of segments -> positions of the inner stars -> how many such patterns."""
    _open: dict[int, dict[tuple[int, ...], int]] = attrs.field(factory=dict)
    """Number of segments before the trailing star -> as above."""

    def add(self, pattern: str, value: V) -> None:
        """Set the value of a pattern."""
        if pattern not in self.entries and is_pattern(pattern):
            self._count(pattern, 1)
        self.entries[pattern] = value

    def remove(self, pattern: str) -> None:
        """Forget a pattern, which must be there."""
        del self.entries[pattern]
        if is_pattern(pattern):
            self._count(pattern, -1)

    def covering(self, text: str) -> Iterator[V]:
        """Yield the value of every pattern that covers `text`, the exact one first; one of them may come twice."""
        entries = self.entries
        if text in entries:
            yield entries[text]
        if not self._fixed and not self._open:
            return
        segments = text.split(".")
        for stars in self._fixed.get(len(segments), ()):
            candidate = ".".join(_mask(segments, stars))
            if candidate in entries:
                yield entries[candidate]
        for head, shapes in self._open.items():
            if head < len(segments):
                for stars in shapes:
                    candidate = ".".join([*_mask(segments[:head], stars), "*"])
                    if candidate in entries:
                        yield entries[candidate]

    def overlapping(self, text: str) -> Iterator[V]:
        """Yield the value of every pattern that shares a name with `text`; O(patterns) where `text` is a pattern."""
        if not is_pattern(text):
            yield from self.covering(text)
            return
        for pattern, value in self.entries.items():
            if overlaps(pattern, text):
                yield value

    def inside(self, text: str) -> list[V]:
        """List the values of the patterns that `text` covers; O(patterns) where `text` is a pattern."""
        if not is_pattern(text):
            return [self.entries[text]] if text in self.entries else []
        return [value for pattern, value in self.entries.items() if covers(text, pattern)]

    def _count(self, pattern: str, step: int) -> None:
        segments = pattern.split(".")
        is_open = segments[-1] == "*"
        head = segments[:-1] if is_open else segments
        table = self._open if is_open else self._fixed
        shapes = table.setdefault(len(head), {})
        stars = tuple(place for place, segment in enumerate(head) if segment == "*")
        shapes[stars] = shapes.get(stars, 0) + step
        if not shapes[stars]:
            del shapes[stars]
        if not shapes:
            del table[len(head)]


def _mask(segments: list[str], stars: tuple[int, ...]) -> list[str]:
    if not stars:
        return segments
    masked = segments.copy()
    for place in stars:
        masked[place] = "*"
    return masked
