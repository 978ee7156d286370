"""The parts of a pattern, each with what it costs on a text; `_regex` builds them from a parsed pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _compiler, _parser  # type: ignore[attr-defined]
from re import _constants as ops  # type: ignore[attr-defined]
from typing import Any, Final, Protocol

import attrs

__all__ = ["CEILING", "Ahead", "Choice", "Finder", "Loop", "Once", "Part", "Reference", "Row", "Run", "Step", "Text"]

_TURN: Final = 10.0
"""Steps of one turn of a repeated group: it keeps a context, a repeat of single characters does not."""

_MANY_LOOKS: Final = 64
_MANY_UNITS: Final = 1 << 60
CEILING: Final = 1e18
"""Where steps are no longer told apart."""


class Text:
    """A text as an analysis sees it: its length, and the longest run of a class, looked up when it is asked for."""

    def __init__(self, text: str | None, length: int) -> None:
        self.length = float(length)
        self._text = text
        self._runs: dict[int, float] = {}

    def run(self, finder: Finder) -> float:
        """The longest run of a class; the length where the text itself is not known."""
        if self._text is None or finder.item is None:
            return self.length
        found = self._runs.get(id(finder))
        if found is None:
            found = self._runs[id(finder)] = finder.longest(self._text)
        return found


class Finder:
    """Finds the runs of one class of characters; compiled when it is first needed."""

    def __init__(self, item: tuple[Any, Any] | None, flags: int) -> None:
        self.item = item
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    def _pattern(self) -> re.Pattern[str]:
        if self._compiled is None:
            state = _parser.State()
            one = _parser.SubPattern(state, [self.item])
            runs = _parser.SubPattern(state, [(ops.MAX_REPEAT, (1, ops.MAXREPEAT, one))])
            self._compiled = _compiler.compile(runs, self._flags)
        return self._compiled

    def longest(self, text: str) -> float:
        """Characters of the longest run. One linear pass, since a class cannot be taken back."""
        return float(max(map(len, self._pattern().findall(text)), default=0))

    def count(self, text: str) -> float:
        """How many characters of `text` are of the class."""
        return float(sum(map(len, self._pattern().findall(text))))


@attrs.frozen
class Cost:
    """What one entry of a part costs.

    Attributes:
        ways: how often what follows it is entered, beyond its first character.
        fixed: steps that do not depend on how far it reaches.
        each: steps for each character that it reaches over.
        span: how far it may reach.
    """

    ways: float
    fixed: float
    each: float
    span: float

    @property
    def total(self) -> float:
        """Steps of one entry."""
        return min(self.fixed + self.each * self.span, CEILING)


class Part(Protocol):
    """A part of a pattern."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may match in several ways from one place."""

    def cost(self, text: Text) -> Cost:
        """Return its cost on a text."""


@attrs.frozen
class Ahead:
    """What comes after a place of a pattern.

    Attributes:
        characters: mask of what it can begin with; empty where the match may end there, since success is final.
        units: steps until a wrong first character has failed.
        looks: look-arounds and back-references among those steps.
    """

    characters: int = 0
    units: int = 0
    looks: tuple[Part, ...] = ()

    def __or__(self, other: Ahead) -> Ahead:
        looks = self.looks + other.looks
        if len(looks) > _MANY_LOOKS:
            raise ValueError("the pattern has too many look-arounds in one place")
        return Ahead(self.characters | other.characters, min(self.units + other.units, _MANY_UNITS), looks)

    def failing(self, text: Text) -> float:
        """Steps until it has failed at its first character."""
        return self.units + sum(look.cost(text).total for look in self.looks)


@attrs.frozen
class Step:
    """One character, or a condition on a place."""

    is_character: bool
    is_ambiguous: bool = False

    def cost(self, text: Text) -> Cost:  # noqa: ARG002
        """One step."""
        return Cost(1, 1, 0, 1 if self.is_character else 0)


@attrs.frozen
class Reference:
    """``\\1``: compares as many characters as the group may hold."""

    width: float
    is_ambiguous: bool = False

    def cost(self, text: Text) -> Cost:
        """At most the whole text."""
        reach = min(self.width, text.length)
        return Cost(1, 1 + reach, 0, reach)


@attrs.frozen
class Row:
    """Parts one after the other."""

    parts: Sequence[Part]

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may match in several ways from one place."""
        return any(part.is_ambiguous for part in self.parts)

    def cost(self, text: Text) -> Cost:
        """While there is one way, steps by character add up over the whole reach; then they are multiplied."""
        ways, fixed, each, span = 1.0, 0.0, 0.0, 0.0
        for part in self.parts:
            cost = part.cost(text)
            if ways > 1:
                fixed += ways * cost.total
            else:
                fixed, each = fixed + cost.fixed, max(each, cost.each)
            ways = min(ways * cost.ways, CEILING)
            span += cost.span
        return Cost(ways, min(fixed, CEILING), each, span)


@attrs.frozen
class Choice:
    """``a|b``, and ``a?`` as ``a|``. Where no two begin alike, at most one goes beyond its first character."""

    branches: Sequence[Part]
    ahead: Ahead
    is_exclusive: bool

    @property
    def is_ambiguous(self) -> bool:
        """Whether more than one branch may match from one place."""
        return not self.is_exclusive or any(branch.is_ambiguous for branch in self.branches)

    def cost(self, text: Text) -> Cost:
        """The dearest branch, or all."""
        costs = [branch.cost(text) for branch in self.branches]
        add = max if self.is_exclusive else sum
        return Cost(
            add(cost.ways for cost in costs),
            add(cost.fixed for cost in costs) + self.ahead.failing(text),
            add(cost.each for cost in costs),
            max(cost.span for cost in costs),
        )


@attrs.frozen
class Run:
    """A repeat of one character or class."""

    finder: Finder
    low: int
    high: float
    ahead: Ahead
    is_single: bool
    """Whether there is one way: the characters cannot begin what follows, or their number is fixed."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may be taken back with success."""
        return not self.is_single

    def cost(self, text: Text) -> Cost:
        """Taken, and taken back character by character."""
        reach = min(self.high, text.run(self.finder))
        if self.is_single:
            return Cost(1, 2 + self.ahead.failing(text), 1 + self.ahead.failing(text), reach)
        return Cost(max(reach - self.low + 1, 1), 2, 2, reach)


@attrs.frozen
class Loop:
    """A repeat of a group that has one way, or a bounded repeat of one that has more."""

    body: Row
    width: int
    finder: Finder
    low: int
    high: float
    ahead: Ahead
    is_single: bool

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may be left after several turns with success."""
        return not self.is_single or self.body.is_ambiguous

    def cost(self, text: Text) -> Cost:
        """Turns are paid for by the characters that they reach over."""
        body, failing = self.body.cost(text), self.ahead.failing(text)
        span = min(min(self.high, text.length) * body.span, text.run(self.finder))
        turn = body.fixed + _TURN + failing
        turns = min(self.high, span / self.width) + 1
        if body.ways > 1:
            ways = min(turns * min(body.ways, 1e4) ** min(turns, 60), CEILING)
            return Cost(ways, min(ways * (turn + body.total), CEILING), 0, span)
        ways = 1 if self.is_single else max(turns - self.low, 1)
        return Cost(ways, turn + body.total, body.each + turn / self.width, span)


@attrs.frozen
class Once:
    """A look-around, or a group that gives nothing back: entered once, left in one way."""

    body: Row
    turns: float = 1
    width: int = 1
    has_span: bool = False
    is_ambiguous: bool = False

    def cost(self, text: Text) -> Cost:
        """The cost of its body, as often as it repeats."""
        body = self.body.cost(text)
        turns = min(self.turns, text.length / self.width + 1)
        return Cost(1, min(turns * (body.total + _TURN), CEILING), 0, turns * body.span if self.has_span else 0)
