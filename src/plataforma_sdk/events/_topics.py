"""Topics and patterns: their grammar, what matches what, and an index over many patterns.

A topic is 1-16 segments of ``[a-z0-9_-]+`` joined by dots, at most 256 bytes. In a pattern a whole segment may be
``*``: inside it stands for exactly one segment, at the end for one or more. So ``data.*`` matches ``data.a`` and
``data.a.b`` but not ``data``, and ``*`` matches every topic. Permission names speak the same language.
"""

from __future__ import annotations

import re
from typing import Final

from plataforma_sdk.errors import PlataformaError

__all__ = ["PatternIndex", "check_pattern", "check_topic", "pattern_inside", "topic_matches"]

MAX_SEGMENTS: Final = 16
MAX_BYTES: Final = 256

_SEGMENT: Final = re.compile(r"[a-z0-9_-]+", re.ASCII)
_TOPIC: Final = re.compile(rf"{_SEGMENT.pattern}(?:\.{_SEGMENT.pattern}){{0,{MAX_SEGMENTS - 1}}}", re.ASCII)


def check_topic(topic: str) -> str:
    """Return `topic` if it is one.

    Raises:
        PlataformaError: it is not; the message says what to write instead.
    """
    if isinstance(topic, str) and len(topic) <= MAX_BYTES and _TOPIC.fullmatch(topic):
        return topic
    raise _invalid("topic", topic)


def check_pattern(pattern: str) -> str:
    """Return `pattern` if it is a topic or a pattern.

    Raises:
        PlataformaError: it is neither; the message says what to write instead.
    """
    # A whole-segment `*` becomes an ordinary segment of the same length; any other `*` stays and is refused.
    if isinstance(pattern, str) and len(pattern) <= MAX_BYTES and _TOPIC.fullmatch(_literal(pattern)):
        return pattern
    raise _invalid("pattern", pattern)


def topic_matches(pattern: str, topic: str) -> bool:
    """Tell whether a checked pattern matches a checked topic."""
    wanted, given = pattern.split("."), topic.split(".")
    if len(given) < len(wanted) or (len(given) > len(wanted) and wanted[-1] != "*"):
        return False
    return all(want in {"*", have} for want, have in zip(wanted, given, strict=False))


def pattern_inside(pattern: str, scope: str) -> bool:
    """Tell whether `scope` matches every topic that `pattern` matches; both are checked patterns.

    Each ``*`` of `pattern` is read as a segment that no scope spells out. A scope that ends in a literal matches no
    topic that ends in such a segment, and one that ends in ``*`` and matches the shortest of those topics matches the
    longer ones too. For the same reason a pattern inside several scopes together is inside one of them.
    """
    return topic_matches(scope, pattern)


def _literal(pattern: str) -> str:
    return ".".join(["x" if segment == "*" else segment for segment in pattern.split(".")])


def _invalid(noun: str, text: object) -> PlataformaError:
    shown = str(text)[:MAX_BYTES]
    return PlataformaError(f"Invalid {noun} {shown!r}: {_problem(noun, text)}")


def _problem(noun: str, text: object) -> str:
    if not isinstance(text, str):
        return f"it is of type {type(text).__name__}, not a text"
    segments = text.split(".")
    if len(text) > MAX_BYTES:
        return f"longer than {MAX_BYTES} bytes"
    if len(segments) > MAX_SEGMENTS:
        return f"more than {MAX_SEGMENTS} segments"
    bad = next(
        segment for segment in segments if not _SEGMENT.fullmatch(segment) and (noun, segment) != ("pattern", "*")
    )
    return _segment_problem(noun, bad)


def _segment_problem(noun: str, segment: str) -> str:
    if not segment:
        return "a segment is empty; write names joined by single dots"
    if "*" in segment:
        if noun == "topic":
            return "'*' belongs to patterns; an event has one exact topic"
        return f"'*' stands for a whole segment; {segment!r} mixes it with text"
    if _SEGMENT.fullmatch(segment.lower()):
        return f"topics are written in lower case: {segment.lower()!r} instead of {segment!r}"
    return f"{segment!r} may hold only a-z, 0-9, '_' and '-'"


class _Node:
    __slots__ = ("children", "leaf", "star", "tail")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.star: _Node | None = None  # an inner `*`
        self.leaf: str | None = None  # the pattern that ends here in a literal
        self.tail: str | None = None  # the pattern that ends below here in `*`

    @property
    def is_empty(self) -> bool:
        return not self.children and self.star is None and self.leaf is None and self.tail is None

    def child(self, segment: str) -> _Node | None:
        return self.star if segment == "*" else self.children.get(segment)

    def grow(self, segment: str) -> _Node:
        child = self.child(segment)
        if child is None:
            child = _Node()
            if segment == "*":
                self.star = child
            else:
                self.children[segment] = child
        return child

    def cut(self, segment: str) -> None:
        if segment == "*":
            self.star = None
        else:
            del self.children[segment]


class PatternIndex:
    """A set of patterns that answers which of them match a topic.

    A trie by segments, with a bounded memo in front. A warm answer is one dict look-up; a cold one visits at most the
    nodes whose path fits the topic so far, whatever the number of patterns.

    >>> index = PatternIndex()
    >>> index.add("data.*")
    >>> index.match("data.vendas.updated")
    ('data.*',)
    """

    __slots__ = ("_memo", "_memo_size", "_root")

    def __init__(self, *, memo_size: int = 8_192) -> None:
        self._root = _Node()
        self._memo: dict[str, tuple[str, ...]] = {}
        self._memo_size = memo_size

    def add(self, pattern: str) -> None:
        """Add a checked pattern; one that is there already stays once."""
        *path, last = pattern.split(".")
        node = self._root
        for segment in path:
            node = node.grow(segment)
        if last == "*":
            node.tail = pattern
        else:
            node.grow(last).leaf = pattern
        self._memo.clear()

    def discard(self, pattern: str) -> None:
        """Take a pattern away, with the branch that only it needed."""
        path = pattern.split(".")
        if path[-1] == "*":
            path.pop()
        nodes = [self._root]
        for segment in path:
            child = nodes[-1].child(segment)
            if child is None:
                return
            nodes.append(child)
        if pattern.endswith("*"):
            nodes[-1].tail = None
        else:
            nodes[-1].leaf = None
        while path and nodes.pop().is_empty:
            nodes[-1].cut(path.pop())
        self._memo.clear()

    def match(self, topic: str) -> tuple[str, ...]:
        """Return the patterns that match, in no particular order."""
        found = self._memo.get(topic)
        if found is None:
            found = self._search(topic)
            if len(self._memo) >= self._memo_size:
                self._memo.clear()  # cheaper than keeping an order of use that a hit would have to update
            self._memo[topic] = found
        return found

    def _search(self, topic: str) -> tuple[str, ...]:
        found: list[str] = []
        level = [self._root]
        for segment in topic.split("."):
            below: list[_Node] = []
            for node in level:
                if node.tail is not None:
                    found.append(node.tail)
                child = node.children.get(segment)
                if child is not None:
                    below.append(child)
                if node.star is not None:
                    below.append(node.star)
            if not below:
                return tuple(found)
            level = below
        found.extend(node.leaf for node in level if node.leaf is not None)
        return tuple(found)
