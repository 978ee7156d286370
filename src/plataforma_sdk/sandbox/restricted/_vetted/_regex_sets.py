"""Sets of characters as bit masks, to tell whether two parts of a pattern can begin with the same character.

Latin-1 is exact: one bit each. Above it a character counts as one of four kinds, so a set is there an upper bound; the
end of the text is a bit of its own. Two masks without a common bit are certainly disjoint.

>>> from re import _constants as c
>>> word, space = of_item((c.IN, [(c.CATEGORY, c.CATEGORY_WORD)]), 32), of_item((c.LITERAL, ord(" ")), 32)
>>> bool(word & space)
False
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from re import _constants as ops  # type: ignore[attr-defined]
from typing import Any, Final

__all__ = ["ANYTHING", "END", "NEWLINE", "SINGLE", "of_item"]

_LATIN: Final = 256
_DIGIT, _WORD, _SPACE, _OTHER = (1 << (_LATIN + number) for number in range(4))
_HIGH: Final = _DIGIT | _WORD | _SPACE | _OTHER
ANYTHING: Final = (1 << (_LATIN + 4)) - 1
END: Final = 1 << (_LATIN + 4)
NEWLINE: Final = 1 << ord("\n")
SINGLE: Final = frozenset({ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN})
"""Parsed items that match exactly one character."""

_SHORT_RANGE: Final = 512
_ASCII_END: Final = 128

_TWINS: Final = sum(1 << code for code in b"kKsSiI\xe5\xc5\xff\xb5\xdf")
"""Latin-1 characters that a character above Latin-1 equals where case is ignored: the Kelvin sign is a ``k``."""


def _mask(test: Callable[[str], bool], high: int, *, is_ascii: bool) -> int:
    low = sum(1 << code for code in range(_ASCII_END if is_ascii else _LATIN) if test(chr(code)))
    return low if is_ascii else low | high


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _is_ascii_space(character: str) -> bool:
    return character in " \t\n\r\f\v"


def _category(category: Any, flags: int) -> int:
    return _categories(bool(flags & re.ASCII))[category]


@functools.cache
def _categories(is_ascii: bool) -> dict[Any, int]:
    kinds = {
        (ops.CATEGORY_DIGIT, ops.CATEGORY_NOT_DIGIT): _mask(str.isdecimal, _DIGIT, is_ascii=is_ascii),
        (ops.CATEGORY_WORD, ops.CATEGORY_NOT_WORD): _mask(_is_word, _DIGIT | _WORD, is_ascii=is_ascii),
        (ops.CATEGORY_SPACE, ops.CATEGORY_NOT_SPACE): _mask(
            _is_ascii_space if is_ascii else str.isspace, _SPACE, is_ascii=is_ascii
        ),
    }
    masks = {name: mask for (name, _), mask in kinds.items()}
    return masks | {inverse: ANYTHING & ~mask for (_, inverse), mask in kinds.items()}


def _high_kind(code: int) -> int:
    character = chr(code)
    if character.isdecimal():
        return _DIGIT
    if character.isalnum():
        return _WORD
    return _SPACE if character.isspace() else _OTHER


def _bits(first: int, last: int) -> int:
    """The bits of the Latin-1 part of a range."""
    last = min(last, _LATIN - 1)
    return ((1 << (last + 1)) - 1) & ~((1 << first) - 1) if first <= last else 0


def _may_match(first: int, last: int, flags: int) -> int:
    """An upper bound of what a range of code points matches."""
    mask = _bits(first, last)
    if last >= _LATIN:
        start = max(first, _LATIN)
        is_short = last - start < _SHORT_RANGE
        mask |= functools.reduce(int.__or__, map(_high_kind, range(start, last + 1))) if is_short else _HIGH
    if flags & re.IGNORECASE:
        mask = _with_other_case(mask)
        mask |= (_TWINS | _HIGH) if last >= _LATIN else _WORD
    return mask


def _with_other_case(mask: int) -> int:
    for code in range(_LATIN):
        if mask >> code & 1:
            for other in (chr(code).lower(), chr(code).upper()):
                if len(other) == 1 and ord(other) < _LATIN:
                    mask |= 1 << ord(other)
    return mask


def of_item(item: tuple[Any, Any], flags: int) -> int:
    """Return an upper bound of the characters that a parsed item of one character matches."""
    op, argument = item
    if op is ops.LITERAL:
        return _may_match(argument, argument, flags)
    if op is ops.NOT_LITERAL:
        return ANYTHING & ~_bits(argument, argument)
    if op is ops.ANY:
        return ANYTHING if flags & re.DOTALL else ANYTHING & ~NEWLINE
    if argument[0][0] is ops.NEGATE:
        return ANYTHING & ~functools.reduce(int.__or__, (_surely(part, flags) for part in argument[1:]), 0)
    return functools.reduce(int.__or__, (_member(part, flags) for part in argument))


def _member(part: tuple[Any, Any], flags: int) -> int:
    kind, value = part
    if kind is ops.CATEGORY:
        return _category(value, flags)
    first, last = value if kind is ops.RANGE else (value, value)
    return _may_match(first, last, flags)


def _surely(part: tuple[Any, Any], flags: int) -> int:
    """A lower bound of what a part of a class matches: what its complement certainly does not."""
    kind, value = part
    if kind is ops.CATEGORY:
        return _category(value, flags)
    return _bits(*value) if kind is ops.RANGE else _bits(value, value)
