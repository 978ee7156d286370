"""Versions and ranges of versions.

**Source:** Semantic Versioning 2.0.0, sections 2, 9, 10 and 11 (precedence); ranges as in npm's node-semver: ``^1.2``,
``~1.2.3``, ``>=1,<2``, ``1.x``, ``*``, ``1.2 - 1.9``, alternatives by ``||``; a comma reads as a space.
Three rules are not npm's; ``tests/integration/test_npm_semver.py`` compares the rest.

- ``* || >=1.0.0-rc.1`` admits 1.0.0-rc.1, as an alternative says; npm drops whatever stands beside ``*``.
- ``>=0.0.0`` keeps prereleases of 0.0.0 out, as precedence says; npm reads it as no bound at all.
- A number after an ``x`` is refused everywhere; npm refuses ``x.1``, and reads ``^x.1`` as ``*``.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from operator import eq, ge, gt, le, lt
from typing import Any, Final, Self

import attrs

from plataforma_sdk.manifest._unfit import UnfitError

__all__ = ["Version", "VersionRange"]

MAX_CHARS: Final = 256

_NUMBER: Final = r"0|[1-9][0-9]{0,15}"
_IDENTIFIER: Final = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_TAIL: Final = rf"(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
_VERSION: Final = re.compile(rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER}){_TAIL}", re.ASCII)

_PART: Final = rf"(?:{_NUMBER}|[xX*])"
_PARTIAL: Final = re.compile(rf"v?({_PART})(?:\.({_PART})(?:\.({_PART}){_TAIL})?)?", re.ASCII)
_HYPHEN: Final = re.compile(r"(\S+)\s+-\s+(\S+)", re.ASCII)
_OPERATOR_GAP: Final = re.compile(r"(>=|<=|[<>=^~])\s+", re.ASCII)
_COMPARATOR: Final = re.compile(r"(>=|<=|[<>=^~])?(.+)", re.ASCII)


@functools.total_ordering
@attrs.frozen(order=False)
class Version:
    """A semantic version; compares by precedence, in which build metadata has no part.

    Attributes:
        major: incremented by incompatible changes.
        minor: incremented by additions.
        patch: incremented by repairs.
        prerelease: identifiers after ``-``.
        build: text after ``+``; versions that differ only here are equal.

    >>> Version.parse("1.0.0-rc.1") < Version.parse("1.0.0")
    True
    """

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: str = attrs.field(default="", eq=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``major.minor.patch[-prerelease][+build]``.

        Raises:
            ValueError: anything else.
        """
        found = _VERSION.fullmatch(text) if len(text) <= MAX_CHARS else None
        if found is None:
            raise UnfitError(f"{text[:80]!r} is no version", "write major.minor.patch, such as 1.0.0 or 1.0.0-beta.1")
        prerelease = tuple(found["pre"].split(".")) if found["pre"] else ()
        return cls(int(found["major"]), int(found["minor"]), int(found["patch"]), prerelease, found["build"] or "")

    @property
    def release(self) -> tuple[int, int, int]:
        """The three numbers."""
        return self.major, self.minor, self.patch

    def __lt__(self, other: Version) -> bool:
        return self.precedence < other.precedence

    @functools.cached_property
    def precedence(self) -> tuple[Any, ...]:
        """What versions are ordered by: numbers before words, fewer identifiers before more, prereleases first.

        Kept, for a resolver compares the same version many times.
        """
        identifiers = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease)
        return (*self.release, not self.prerelease, identifiers)

    def __str__(self) -> str:
        tail = f"-{'.'.join(self.prerelease)}" if self.prerelease else ""
        return f"{self.major}.{self.minor}.{self.patch}{tail}{f'+{self.build}' if self.build else ''}"


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"<": lt, "<=": le, "=": eq, ">=": ge, ">": gt}


@attrs.frozen
class _Comparator:
    operator: str
    version: Version
    test: Callable[[Any, Any], bool] = attrs.field(init=False, eq=False, repr=False)
    bound: tuple[Any, ...] = attrs.field(init=False, eq=False, repr=False)

    @test.default
    def _operator(self) -> Callable[[Any, Any], bool]:
        return _OPERATORS[self.operator]

    @bound.default
    def _precedence(self) -> tuple[Any, ...]:
        return self.version.precedence


@attrs.frozen
class VersionRange:
    """A set of versions, written as in npm. Equal if written alike.

    Attributes:
        text: as written.

    >>> VersionRange.parse("^1.2").matches("1.9.0")
    True
    """

    text: str
    _alternatives: tuple[tuple[_Comparator, ...], ...] = attrs.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a range.

        Raises:
            ValueError: the text is no range; the message says which part.
        """
        if len(text) > MAX_CHARS:
            raise UnfitError(f"a range of {len(text):,} characters", f"at most {MAX_CHARS} are read")
        return cls(text, tuple(_alternative(part) for part in text.split("||")))

    def matches(self, version: Version | str) -> bool:
        """Tell whether a version lies in the range.

        A prerelease lies in it only where the range itself names a prerelease of the same three numbers: nobody gets
        a beta by asking for ``^1.2``.
        """
        found = Version.parse(version) if isinstance(version, str) else version
        for comparators in self._alternatives:  # noqa: SIM110 - a loop: a resolver comes here for every dependency
            if _admits(comparators, found):
                return True
        return False

    def __str__(self) -> str:
        return self.text


def _admits(comparators: tuple[_Comparator, ...], version: Version) -> bool:
    precedence = version.precedence
    for comparator in comparators:
        if not comparator.test(precedence, comparator.bound):
            return False
    return not version.prerelease or any(
        comparator.version.prerelease and comparator.version.release == version.release for comparator in comparators
    )


def _alternative(text: str) -> tuple[_Comparator, ...]:
    text = text.replace(",", " ").strip()
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen:
        low, high = _Partial.parse(hyphen[1]), _Partial.parse(hyphen[2])
        return (*_at_least(low), *_at_most(high))
    parts = _OPERATOR_GAP.sub(r"\1", text).split() or ["*"]
    return tuple(comparator for part in parts for comparator in _comparators(part))


def _comparators(text: str) -> tuple[_Comparator, ...]:
    found = _COMPARATOR.fullmatch(text)
    if found is None:
        raise UnfitError(f"{text[:40]!r} is no range of versions", "write '^1.2', '~1.2.3', '>=1,<2', '1.x' or '*'")
    return _DESUGAR[found[1] or "="](_Partial.parse(found[2]))


@attrs.frozen
class _Partial:
    """A version of which the end may be left open: ``1.2`` or ``1.x``."""

    numbers: tuple[int, ...]
    version: Version

    @classmethod
    def parse(cls, text: str) -> _Partial:
        found = _PARTIAL.fullmatch(text)
        if found is None:
            raise UnfitError(f"{text[:40]!r} is no version of a range", "write '1.2.3', '1.2', '1.x' or '*'")
        parts = [part for part in found.group(1, 2, 3) if part is not None]
        numbers = [int(part) for part in itertools.takewhile(lambda part: part not in "xX*", parts)]
        if any(part not in "xX*" for part in parts[len(numbers) :]):  # nobody knows what "x.1" means
            raise UnfitError(f"{text[:40]!r} is no version of a range", "after an 'x' or '*' write no number")
        is_full = len(numbers) == 3  # noqa: PLR2004 - major, minor, patch
        prerelease = tuple(found["pre"].split(".")) if is_full and found["pre"] else ()
        return cls(tuple(numbers), _version(numbers, prerelease))

    def above(self, place: int) -> _Comparator:
        """Bound from above by the next number at `place`; ``-0`` keeps that next one's prereleases out as well."""
        return _Comparator("<", _version([*self.numbers[:place], self.numbers[place] + 1], ("0",)))


def _version(numbers: Sequence[int], prerelease: tuple[str, ...]) -> Version:
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return Version(major, minor, patch, prerelease)


_ANY: Final = (_Comparator(">=", Version(0, 0, 0)),)
_NONE: Final = (_Comparator("<", Version(0, 0, 0, ("0",))),)


def _exactly(partial: _Partial) -> tuple[_Comparator, ...]:
    if not partial.numbers:
        return _ANY
    if len(partial.numbers) < 3:  # noqa: PLR2004 - open at the end
        return _Comparator(">=", partial.version), partial.above(len(partial.numbers) - 1)
    return (_Comparator("=", partial.version),)


def _tilde(partial: _Partial) -> tuple[_Comparator, ...]:
    """Let the patch grow, or the minor where only the major is named."""
    if not partial.numbers:
        return _ANY
    return _Comparator(">=", partial.version), partial.above(min(len(partial.numbers) - 1, 1))


def _caret(partial: _Partial) -> tuple[_Comparator, ...]:
    """Let everything grow to the right of the first number that is not 0."""
    if not partial.numbers:
        return _ANY
    fixed = next((place for place, number in enumerate(partial.numbers) if number), len(partial.numbers) - 1)
    return _Comparator(">=", partial.version), partial.above(fixed)


def _at_least(partial: _Partial) -> tuple[_Comparator, ...]:
    return (_Comparator(">=", partial.version),) if partial.numbers else _ANY


def _at_most(partial: _Partial) -> tuple[_Comparator, ...]:
    if not partial.numbers:
        return _ANY
    if len(partial.numbers) < 3:  # noqa: PLR2004 - open at the end
        return (partial.above(len(partial.numbers) - 1),)
    return (_Comparator("<=", partial.version),)


def _greater(partial: _Partial) -> tuple[_Comparator, ...]:
    if not partial.numbers:
        return _NONE
    if len(partial.numbers) < 3:  # noqa: PLR2004 - open at the end
        following = partial.above(len(partial.numbers) - 1).version
        return (_Comparator(">=", attrs.evolve(following, prerelease=())),)
    return (_Comparator(">", partial.version),)


def _less(partial: _Partial) -> tuple[_Comparator, ...]:
    if not partial.numbers:
        return _NONE
    version = partial.version
    if len(partial.numbers) < 3:  # noqa: PLR2004 - open at the end
        version = attrs.evolve(version, prerelease=("0",))
    return (_Comparator("<", version),)


_DESUGAR: Final[Mapping[str, Callable[[_Partial], tuple[_Comparator, ...]]]] = {
    "=": _exactly,
    "~": _tilde,
    "^": _caret,
    ">=": _at_least,
    "<=": _at_most,
    ">": _greater,
    "<": _less,
}
