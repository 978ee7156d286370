"""How long a backtracking matcher may take, told from the parsed pattern and the runs of the text, before it runs.

A matcher that fails goes back and tries another way of dividing the text among the repeats of a pattern. What a part
costs is four numbers (`Cost`); where parts follow each other, the ways multiply. Two facts keep the product small:

* A repeat whose characters cannot begin what follows, ``\\d+-``, has one way only: taken back, what follows meets a
  digit and fails at once. So ``(?:\\w+\\.)+\\w+$`` is linear, and ``(\\w+\\.?)+$``, which can divide a word anywhere,
  is not. A group that may repeat without end must have one way only; else its ways are exponential: it is refused.
* A repeat of one class of characters goes no further than the longest run of that class in the text: ``\\w+@`` on a
  megabyte of prose costs as many steps as there are letters in the words.

Tried and rejected: a matcher of our own in Python that never goes back (100x slower on every pattern, for the sake of
a few), a thread with a time-out (the matcher holds the interpreter's lock).

Source: the classes of ambiguity are those of Weideman et al., "Analyzing Matching Time Behavior of Backtracking Regular
Expression Matchers by Using Ambiguity of NFA" (2016).
"""

from __future__ import annotations

import re
from re import _constants as ops  # type: ignore[attr-defined]
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._vetted._regex_parts import (
    CEILING,
    Ahead,
    Choice,
    Finder,
    Loop,
    Once,
    Part,
    Reference,
    Row,
    Run,
    Step,
    Text,
)
from plataforma_sdk.sandbox.restricted._vetted._regex_sets import ANYTHING, END, NEWLINE, SINGLE, of_item

__all__ = ["Shape"]

_REPEATS: Final = frozenset({ops.MAX_REPEAT, ops.MIN_REPEAT})


class Shape:
    """What a parsed pattern costs.

    Args:
        parsed: from ``re._parser.parse``.
        flags: the pattern's.

    Raises:
        ValueError: it has no bound.
    """

    def __init__(self, parsed: Any, flags: int) -> None:
        self._looks: dict[int, Once] = {}
        self._widths = parsed.state.groupwidths
        self._match, _ = self._row(parsed, Ahead(), flags)
        self._full, _ = self._row(parsed, Ahead(END, 1), flags)
        self._start, self._miss = _start_of(parsed, flags)
        self._is_anchored = len(parsed) > 0 and parsed[0] in _ANCHORS
        self._known: dict[tuple[int, bool, bool], float] = {}

    # --- steps -------------------------------------------------------------------------------------------------------

    def quick(self, length: int, *, is_search: bool, is_full: bool = False) -> float:
        """Bound the steps on any text of about `length` characters."""
        key = (length.bit_length(), is_search, is_full)
        found = self._known.get(key)
        if found is None:
            about = 1 << length.bit_length()
            found = self._known[key] = self._steps(Text(None, about), about + 1.0 if is_search else None, is_full)
        return found

    def exact(self, text: str, *, is_search: bool, is_full: bool = False) -> float:
        """Bound the steps on this text. Cost: a linear pass for each class that the pattern repeats."""
        return self._steps(Text(text, len(text)), self._starts(text) if is_search else None, is_full)

    def _starts(self, text: str) -> float:
        """How many attempts of a search go beyond their first step."""
        if self._is_anchored:
            return text.count("\n") + 1.0
        return len(text) + 1.0 if self._start is None else self._start.count(text)

    def _steps(self, text: Text, starts: float | None, is_full: bool) -> float:
        cost = (self._full if is_full else self._match).cost(text)
        attempt = 1 + cost.fixed + cost.each * min(cost.span, text.length)
        return min(attempt if starts is None else self._miss * (text.length + 1) + starts * attempt, CEILING)

    # --- building ----------------------------------------------------------------------------------------------------

    def _row(self, parsed: Any, ahead: Ahead, flags: int) -> tuple[Row, Ahead]:
        """Build parts from the last to the first, each with what is ahead of it."""
        parts: list[Part] = []
        for op, argument in reversed(list(parsed)):
            part, ahead = self._part(op, argument, ahead, flags)
            parts.append(part)
        return Row(parts[::-1]), ahead

    def _part(self, op: Any, argument: Any, ahead: Ahead, flags: int) -> tuple[Part, Ahead]:
        if op is ops.SUBPATTERN:
            return self._row(argument[3], ahead, (flags | argument[1]) & ~argument[2])
        if op is ops.BRANCH:
            return self._choice(argument[1], ahead, flags)
        if op in _REPEATS:
            low, high, body = argument
            return self._repeat(low, high, body, ahead, flags)
        if op is ops.ATOMIC_GROUP or op is ops.POSSESSIVE_REPEAT:
            return self._once(op, argument, ahead, flags)
        first, is_last = self._head(op, argument, flags)
        part: Part = first.looks[0] if first.looks else Step(op in SINGLE)
        return part, first if is_last else first | ahead

    def _head(self, op: Any, argument: Any, flags: int) -> tuple[Ahead, bool]:
        """What an item without parts begins with, and whether nothing behind it can be reached without it."""
        if op in SINGLE:
            return Ahead(of_item((op, argument), flags), 1), True
        if op is ops.AT:
            return Ahead(_PLACES.get(argument, 0), 1), argument in _PLACES
        if op is ops.FAILURE:
            return Ahead(0, 1), True
        if op is ops.GROUPREF:
            return Ahead(ANYTHING, 1, (Reference(float(self._widths[argument][1])),)), False
        if op is ops.ASSERT or op is ops.ASSERT_NOT:
            look = self._looks.get(id(argument))
            if look is None:
                look = self._looks[id(argument)] = Once(self._row(argument[1], Ahead(), flags)[0])
            return Ahead(0, 1, (look,)), False
        raise ValueError(f"{str(op).lower()} {_UNBOUNDED}")

    def _first(self, parsed: Any, flags: int) -> Ahead:
        """What a row begins with; what stands behind the first item that cannot be empty does not matter."""
        found = Ahead()
        for op, argument in parsed:
            first, is_last = self._first_of(op, argument, flags)
            found |= first
            if is_last:
                break
        return found

    def _first_of(self, op: Any, argument: Any, flags: int) -> tuple[Ahead, bool]:
        if op is ops.SUBPATTERN:
            inside = (flags | argument[1]) & ~argument[2]
            return self._first(argument[3], inside), argument[3].getwidth()[0] > 0
        if op is ops.BRANCH:
            found = Ahead()
            for branch in argument[1]:
                found |= self._first(branch, flags)
            return found, min(branch.getwidth()[0] for branch in argument[1]) > 0
        if op in _REPEATS or op is ops.POSSESSIVE_REPEAT:
            return self._first(argument[2], flags), argument[0] > 0 and argument[2].getwidth()[0] > 0
        if op is ops.ATOMIC_GROUP:
            return self._first(argument, flags), argument.getwidth()[0] > 0
        return self._head(op, argument, flags)

    def _choice(self, branches: Any, ahead: Ahead, flags: int) -> tuple[Part, Ahead]:
        rows: list[Row] = []
        all_firsts = Ahead()
        is_exclusive = True
        for branch in branches:
            row, first = self._row(branch, ahead, flags)
            rows.append(row)
            is_exclusive = is_exclusive and not first.characters & all_firsts.characters
            all_firsts |= first
        return Choice(rows, all_firsts, is_exclusive), all_firsts

    def _repeat(self, low: int, high: Any, body: Any, ahead: Ahead, flags: int) -> tuple[Part, Ahead]:
        if high == 0:
            return Row([]), ahead
        if high == 1:
            return self._choice([body] if low else [body, []], ahead, flags)
        top = float("inf") if high is ops.MAXREPEAT else float(high)
        item, item_flags = _single(body, flags)
        if item is not None:
            first = Ahead(of_item(item, item_flags), 1)
            is_single = low == high or not first.characters & ahead.characters
            run = Run(Finder(item, item_flags), low, top, ahead, is_single)
            return run, first if low else first | ahead
        return self._loop(low, top, body, ahead, flags)

    def _loop(self, low: int, high: float, body: Any, ahead: Ahead, flags: int) -> tuple[Part, Ahead]:
        width = _width(body)
        first = self._first(body, flags)
        row, _ = self._row(body, first | ahead, flags)
        if row.is_ambiguous and high > _MANY:
            raise ValueError(f"a repeat of what can match in several ways {_UNBOUNDED}")
        is_single = low == high or not first.characters & ahead.characters
        loop = Loop(row, width, Finder(_union(body, flags), flags), low, high, ahead | first, is_single)
        return loop, first if low else first | ahead

    def _once(self, op: Any, argument: Any, ahead: Ahead, flags: int) -> tuple[Part, Ahead]:
        """Possessive repeat, atomic group: what was matched inside is final."""
        low, high, body = (1, 1, argument) if op is ops.ATOMIC_GROUP else argument
        width = 1 if high == 1 else _width(body)
        turns = float("inf") if high is ops.MAXREPEAT else float(high)
        first = self._first(body, flags)
        part = Once(self._row(body, Ahead(), flags)[0], turns, width, has_span=True)
        return part, first if low and body.getwidth()[0] else first | ahead


def _start_of(parsed: Any, flags: int, miss: int = 1) -> tuple[Finder | None, int]:
    """What a match surely begins with, where that is one class, and the steps until an attempt has failed at it."""
    first: tuple[Any, Any] = parsed[0] if len(parsed) else (None, None)
    op, argument = first
    if op in SINGLE:
        return Finder(parsed[0], flags), miss
    if op in _REPEATS and argument[0] > 0:
        return _start_of(argument[2], flags, miss + (_single(argument[2], flags)[0] is None) * _MISS)
    if op is ops.SUBPATTERN:
        return _start_of(argument[3], (flags | argument[1]) & ~argument[2], miss + 1)
    return None, miss


def _width(body: Any) -> int:
    width: int = body.getwidth()[0]
    if not width:
        raise ValueError(f"a repeat of what may be empty {_UNBOUNDED}")
    return width


_ANCHORS: Final = ((ops.AT, ops.AT_BEGINNING), (ops.AT, ops.AT_BEGINNING_STRING))
_PLACES: Final = {ops.AT_END: NEWLINE | END, ops.AT_END_STRING: END}
_MANY: Final = 1_000
_MISS: Final = 4
_UNBOUNDED: Final = "is not available in the restricted tier: its worst case has no bound"


def _single(body: Any, flags: int) -> tuple[tuple[Any, Any] | None, int]:
    """The one character or class that `body` is, inside of groups that capture nothing, and its flags."""
    while len(body) == 1:
        op, argument = body[0]
        if op in SINGLE:
            return body[0], flags
        if op is not ops.SUBPATTERN or argument[0] is not None:
            break
        body, flags = argument[3], (flags | argument[1]) & ~argument[2]
    return None, flags


def _union(body: Any, flags: int) -> tuple[Any, Any] | None:
    """One class of all characters of `body`, or None where that cannot be told."""
    parts: list[Any] = []
    excluded: set[Any] | None = None
    pending = list(body)
    while pending:
        op, argument = pending.pop()
        if op in _REPEATS:
            pending.extend(argument[2])
        elif op is ops.BRANCH:
            pending.extend(item for branch in argument[1] for item in branch)
        elif op is ops.SUBPATTERN and not argument[1] and not argument[2]:
            pending.extend(argument[3])
        elif op is ops.LITERAL:
            parts.append((op, argument))
        elif op is ops.IN and argument[0][0] is not ops.NEGATE:
            parts.extend(argument)
        elif op is not ops.AT:
            outside = _outside(op, argument, flags)
            if outside is None:
                return None
            excluded = outside if excluded is None else excluded & outside
    if excluded is None:
        return (ops.IN, parts)
    return _all_but(excluded, parts, flags)


def _outside(op: Any, argument: Any, flags: int) -> set[Any] | None:
    """The characters that a negated class leaves out, where it spells them."""
    if op is ops.ANY:
        return None if flags & re.DOTALL else {(ops.LITERAL, ord("\n"))}
    if op is ops.NOT_LITERAL:
        return {(ops.LITERAL, argument)}
    if op is ops.IN and all(kind is ops.LITERAL for kind, _ in argument[1:]):
        return set(argument[1:])
    return None


def _all_but(excluded: set[Any], parts: list[Any], flags: int) -> tuple[Any, Any] | None:
    """The class of everything but `excluded`, less what `parts` may match after all."""
    union = of_item((ops.IN, parts), flags) if parts else 0
    left = [part for part in sorted(excluded, key=str) if not of_item(part, flags) & union]
    return (ops.IN, [(ops.NEGATE, None), *left]) if left else None
