"""Versions (semver 2.0.0) and the npm-style ranges that dependencies are written in.

Source: https://semver.org (grammar and precedence); node-semver, "Ranges" and "Prerelease Tags".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import total_ordering
from typing import Final, Self

import attrs

__all__ = ["Version", "VersionRange", "compare_versions", "is_version"]

_VERSION: Final = re.compile(
    r"(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
_PARTIAL: Final = re.compile(r"(\d{1,10}|[xX*])(?:\.(\d{1,10}|[xX*])(?:\.(\d{1,10}|[xX*]))?)?", re.ASCII)
_COMPARATOR: Final = re.compile(r"(\^|~|>=|<=|>|<|=)?\s*(\S+)", re.ASCII)
_MAX_CHARS: Final = 128


def is_version(text: str) -> bool:
    """Whether `text` is a version: ``major.minor.patch[-pre][+build]``."""
    return len(text) <= _MAX_CHARS and _VERSION.fullmatch(text) is not None


def compare_versions(left: str, right: str) -> int:
    """Compare by precedence: -1, 0 or 1; build metadata does not count."""
    a, b = Version.parse(left), Version.parse(right)
    return (a > b) - (a < b)


@total_ordering
@attrs.frozen(order=False, eq=False)
class Version:
    """A version, ordered by precedence.

    Attributes:
        release: major, minor, patch.
        prerelease: its identifiers; numbers as int.

    >>> Version.parse("1.0.0-rc.1") < Version.parse("1.0.0")
    True
    """

    release: tuple[int, int, int]
    prerelease: tuple[int | str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a version.

        Raises:
            ValueError: it is not one.
        """
        found = _VERSION.fullmatch(text) if len(text) <= _MAX_CHARS else None
        if found is None:
            raise ValueError(f"{text[:60]!r} is not a version such as '1.2.3'")
        pre = found[4].split(".") if found[4] else ()
        release = (int(found[1]), int(found[2]), int(found[3]))
        return cls(release, tuple(int(part) if part.isdigit() else part for part in pre))

    def _key(self) -> tuple[object, ...]:
        # a release outranks its prereleases; numbers rank below words
        words = tuple((0, part, "") if isinstance(part, int) else (1, 0, part) for part in self.prerelease)
        return (self.release, not self.prerelease, words)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Version) else NotImplemented

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()  # type: ignore[operator]

    def __hash__(self) -> int:
        return hash(self._key())


_Test = Callable[[Version], bool]


@attrs.frozen
class _Comparator:
    """One bound of a range; `anchor` is the version written, whose prereleases it admits."""

    test: _Test
    anchor: Version | None


@attrs.frozen
class VersionRange:
    """A range: ``^1.2``, ``~1.2.3``, ``>=1,<2``, ``1.x``, ``*``, alternatives by ``||``.

    A prerelease matches only where the range itself names a prerelease of the same major.minor.patch.

    >>> VersionRange.parse("^1.2").matches("1.9.0")
    True
    >>> VersionRange.parse(">=0.1,<1").matches("1.0.0")
    False
    """

    text: str
    _alternatives: tuple[tuple[_Comparator, ...], ...] = attrs.field(repr=False, eq=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a range.

        Raises:
            ValueError: it is not one; the message names the part.
        """
        if len(text) > _MAX_CHARS:
            raise ValueError(f"a range has at most {_MAX_CHARS} characters")
        return cls(text, tuple(_alternative(part) for part in text.split("||")))

    def matches(self, version: str | Version) -> bool:
        """Whether a version lies in the range."""
        candidate = Version.parse(version) if isinstance(version, str) else version
        return any(_matches(alternative, candidate) for alternative in self._alternatives)


def _matches(comparators: tuple[_Comparator, ...], version: Version) -> bool:
    if not all(comparator.test(version) for comparator in comparators):
        return False
    anchors = [c.anchor for c in comparators if c.anchor is not None and c.anchor.prerelease]
    return not version.prerelease or any(anchor.release == version.release for anchor in anchors)


def _alternative(text: str) -> tuple[_Comparator, ...]:
    cleaned = re.sub(r"(\^|~|>=|<=|>|<|=)\s+", r"\1", text.replace(",", " ")).split()
    if not cleaned:
        raise ValueError("a range is empty; write '*' for any version")
    return tuple(comparator for part in cleaned for comparator in _comparators(part))


def _comparators(text: str) -> tuple[_Comparator, ...]:
    found = _COMPARATOR.fullmatch(text)
    operator, written = (found[1] or "", found[2]) if found else ("", text)
    exact = Version.parse(written) if is_version(written) else None
    partial = _PARTIAL.fullmatch(written)
    if exact is None and partial is None:
        raise ValueError(f"{text[:60]!r} is not a range such as '^1.2', '~1.2.3', '>=1,<2' or '*'")
    numbers = list(exact.release) if exact else _numbers(partial.groups() if partial else ())
    lower = exact or Version((*numbers, *(0 for _ in range(3 - len(numbers)))))  # type: ignore[arg-type]
    return _bounds(operator, lower, numbers, is_exact=exact is not None)


def _numbers(parts: tuple[str | None, ...]) -> list[int]:
    numbers: list[int] = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    return numbers


def _bounds(operator: str, lower: Version, numbers: list[int], *, is_exact: bool) -> tuple[_Comparator, ...]:
    at_least = _Comparator(lambda version: version >= lower, lower)
    below = _Comparator(lambda version: version < lower, lower)
    if operator == ">=":
        return (at_least,)
    if operator == "<":
        return (below,)
    after = _next_after(operator, numbers)
    before_next = _Comparator(lambda version: after is None or _below(version, after), None)
    if operator == ">":
        above = (lambda v: v > lower) if is_exact else (lambda v: after is not None and not _below(v, after))
        return (_Comparator(above, lower),)
    if operator == "<=":
        return (_Comparator(lambda v: v <= lower, lower),) if is_exact else (before_next,)
    if operator in ("", "=") and is_exact:
        return (_Comparator(lambda version: version == lower, lower),)
    return (at_least, before_next)


def _below(version: Version, bound: tuple[int, int, int]) -> bool:
    """Below the next version, prereleases of which count as beyond: ``<2.0.0-0``."""
    return version.release < bound


def _next_after(operator: str, numbers: list[int]) -> tuple[int, int, int] | None:
    """The first version beyond what a caret, a tilde or a partial version covers; None for no bound."""
    if not numbers:
        return None
    major, minor, patch = (*numbers, 0, 0)[:3]
    if operator == "^":
        if major > 0 or len(numbers) == 1:
            return (major + 1, 0, 0)
        return (0, minor + 1, 0) if minor > 0 or len(numbers) == 2 else (0, 0, patch + 1)  # noqa: PLR2004
    if len(numbers) == 1:
        return (major + 1, 0, 0)
    if operator == "~" or len(numbers) == 2:  # noqa: PLR2004
        return (major, minor + 1, 0)
    return (major, minor, patch + 1)
