"""The obviously correct matcher: it spells every language out, word by word, in a small universe.

``zz`` (``ZZ``, ``zz.com``) is a word that no rule mentions and stands for all such words. A *point* is one name in one
scope; a need is held where every point of its language is. Slow, and without one idea of the real matcher.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache

import attrs

SEGMENTS = ("api", "external", "events", "a", "zz")
MAX_LENGTH = 3
EXTERNAL = ("api", "external")

Point = tuple[tuple[str, ...], object]


def spell(segments: Iterable[str]) -> list[tuple[str, ...]]:
    """All words of at most MAX_LENGTH segments."""
    return [word for length in range(1, MAX_LENGTH + 1) for word in itertools.product(segments, repeat=length)]


NAMES = [word for word in spell(SEGMENTS) if not (word[:2] == EXTERNAL and len(word) > 2)]
TOPICS = spell(("x", "zz"))
WHOLE = "whole"
"""What a scope, even the topic ``*``, never covers: a scoped grant never satisfies an unscoped need."""


def scopes_of(name: tuple[str, ...]) -> list[object]:
    """All scopes that there are for a name; a denial such as ``api.*[GET]`` touches ``api.external`` too."""
    if name == EXTERNAL:
        return ["h.com", "i.com", "zz.com", "GET", "PUT"]
    if name[0] == "api":
        return ["GET", "PUT", "ZZ"]
    return [*TOPICS, WHOLE] if name[0] == "events" else ["A", "B", "ZZ"]


def matches(pattern: tuple[str, ...], word: tuple[str, ...]) -> bool:
    """``*`` is one segment, and at the end one or more."""
    if not pattern:
        return not word
    if pattern == ("*",):
        return len(word) >= 1
    return bool(word) and pattern[0] in ("*", word[0]) and matches(pattern[1:], word[1:])


def scope_matches(scope: str, point_scope: object) -> bool:
    """A topic is matched as a pattern, anything else letter by letter."""
    return matches(tuple(scope.split(".")), point_scope) if isinstance(point_scope, tuple) else scope == point_scope


@cache
def points(text: str, *, is_denial: bool = False) -> frozenset[Point]:
    """Every point that a permission speaks of; only a denial with wildcards speaks of ``api.external``."""
    name, _, rest = text.partition("[")
    scopes = rest[:-1].split(",") if rest else None
    found: set[Point] = set()
    for word in NAMES:
        if "*" in name and word == EXTERNAL and not is_denial:
            continue
        if matches(tuple(name.split(".")), word):
            found |= {
                (word, scope)
                for scope in scopes_of(word)
                if scopes is None or any(scope_matches(wanted, scope) for wanted in scopes)
            }
    return frozenset(found)


def parts(text: str) -> list[str]:
    """Split ``name[a,b]`` into ``name[a]`` and ``name[b]``."""
    name, _, rest = text.partition("[")
    return [f"{name}[{scope}]" for scope in rest[:-1].split(",")] if rest else [text]


@attrs.define
class NaiveManager:
    """Rules in lists, in the order in which they came."""

    declared: list[str] | None = None
    grants: list[tuple[int, str]] = attrs.field(factory=list)
    denies: list[str] = attrs.field(factory=list)
    revocations: list[tuple[int, str]] = attrs.field(factory=list)
    serial: int = 0

    def grant(self, text: str) -> None:
        self.serial += 1
        self.grants.append((self.serial, text))
        self.denies = [denied for denied in self.denies if denied not in parts(text)]

    def revoke(self, text: str) -> None:
        self.serial += 1
        self.revocations.append((self.serial, text))

    def deny(self, text: str) -> None:
        self.denies += parts(text)

    def lift(self, text: str) -> None:
        lifted = points(text, is_denial=True)
        self.denies = [denied for denied in self.denies if not points(denied, is_denial=True) <= lifted]

    def holds(self, point: Point) -> bool:
        if self.declared is not None and not any(point in points(text) for text in self.declared):
            return False
        if any(point in points(text, is_denial=True) for text in self.denies):
            return False
        revoked = [at for at, text in self.revocations if point in points(text, is_denial=True)]
        return any(point in points(text) and at > max(revoked, default=0) for at, text in self.grants)

    def has(self, text: str) -> bool:
        return all(self.holds(point) for point in points(text))
