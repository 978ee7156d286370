"""Compiling patterns: what may be compiled, at what price, and its shape."""

# ruff: noqa: SLF001 - names with _sdk_ are private to this package

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from re import _compiler, _parser  # type: ignore[attr-defined]
from re import _constants as ops  # type: ignore[attr-defined]
from typing import Any, Final, Self

import attrs

from plataforma_sdk.sandbox.restricted._sealed import SealedMeta
from plataforma_sdk.sandbox.restricted._vetted._regex import Shape

__all__ = ["FLAGS", "MAX_NESTING", "MAX_PATTERN", "Compiled", "RegexError", "compiled"]

MAX_PATTERN: Final = 512
MAX_NESTING: Final = 24
_UNITS_EACH: Final = 128
"""Units for each character of a pattern: parsing, analysing and compiling take some 4 µs."""

_WIDE_UNITS: Final = 1 << 16
"""A class with a character above Latin-1 is compiled through a table of 65,536 cells, three times where case is
ignored: a pattern of 500 characters could take half a second."""

_MAX_WIDE: Final = 12
_FLAG_NAMES: Final = {"IGNORECASE": "I", "MULTILINE": "M", "DOTALL": "S", "VERBOSE": "X", "ASCII": "A", "UNICODE": "U"}
FLAGS: Final[dict[str, int]] = {"NOFLAG": 0} | {
    name: int(getattr(re, long)) for long, short in _FLAG_NAMES.items() for name in (long, short)
}
_SUSPECTS: Final = re.compile(r"\[|--|&&|~~|\|\|")
_NAMED: Final = re.compile(r"\\[uUN]")
_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)


class RegexError(ValueError, metaclass=SealedMeta):
    """`re.error` in a module's hands: a pattern that is wrong, or whose worst case has no bound."""

    __module__ = "re"

    def __init__(self, msg: Any = "", pattern: Any = None, pos: Any = None) -> None:
        super().__init__(msg)
        self.msg = msg
        self.pattern = pattern
        self.pos = pos
        self.lineno = self.colno = None

    @classmethod
    def _sdk_of(cls, error: re.error) -> Self:
        """The twin of an error of the original."""
        made = cls(error.msg, error.pattern, error.pos)
        made.args = (str(error),)
        made.lineno, made.colno = error.lineno, error.colno  # type: ignore[assignment]
        return made


type.__setattr__(RegexError, "__name__", re.error.__name__)


@attrs.frozen
class Compiled:
    """A pattern, ready.

    Attributes:
        pattern: its text.
        native: the compiled pattern of CPython.
        shape: what it costs.
        width: characters that the shortest match has.
        has_looks: whether it looks around, so that groups of several matches may overlap.
    """

    pattern: str
    native: re.Pattern[str]
    shape: Shape
    width: int
    has_looks: bool


def compiled(pattern: Any, flags: Any, charge: Callable[[int], None]) -> Compiled:
    """Compile a pattern.

    Args:
        charge: charges fuel, before the work is done.

    Raises:
        RegexError: it is wrong, too large, or without a bound.
    """
    if type(pattern) is not str:
        raise TypeError(f"a pattern is a text, not {type(pattern).__name__}; bytes are not searched in this tier")
    if type(flags) is not int or flags & ~sum(set(FLAGS.values())):
        raise RegexError(f"flags are {', '.join(_FLAG_NAMES)}, joined by |")
    if len(pattern) > MAX_PATTERN:
        raise RegexError(f"a pattern of more than {MAX_PATTERN} characters; split it")
    if pattern.count("(") > MAX_NESTING and _depth(pattern) > MAX_NESTING:
        raise RegexError(f"groups nested deeper than {MAX_NESTING}")
    charge(_UNITS_EACH * (1 + len(pattern)))
    if not pattern.isascii() or _NAMED.search(pattern):
        charge(_wide_units(pattern, flags))
    return _compile(pattern, flags)


def _depth(pattern: str) -> int:
    deepest = level = 0
    for character in _ESCAPED.sub("", pattern):
        level += (character == "(") - (character == ")")
        deepest = max(deepest, level)
    return deepest


def _parse(pattern: str, flags: int) -> Any:
    try:
        if _SUSPECTS.search(pattern, pattern.find("[") + 1):
            with warnings.catch_warnings():  # "possible nested set" is for the author's eyes, not for the host's log
                warnings.simplefilter("ignore")
                return _parser.parse(pattern, flags)
        return _parser.parse(pattern, flags)
    except re.error as error:
        failure = RegexError._sdk_of(error)
    except OverflowError as error:
        failure = RegexError(str(error))
    raise failure


def _wide_units(pattern: str, flags: int) -> int:
    """What the classes with characters above Latin-1 cost to compile; refuses too many of them."""
    pending = [_parse(pattern, flags)]
    is_folded = bool((flags | pending[0].state.flags) & re.IGNORECASE) or "(?" in pattern
    count = 0
    while pending:
        for op, argument in pending.pop():
            count += op is ops.IN and any(_is_wide(part) for part in argument)
            pending.extend(_inside(argument))
    count *= 3 if is_folded else 1
    if count > _MAX_WIDE:
        raise RegexError("too many classes with characters above U+00FF; split the pattern, or spell out less")
    return count * _WIDE_UNITS


def _is_wide(part: tuple[Any, Any]) -> bool:
    kind, value = part
    return (kind is ops.RANGE and value[1] > 255) or (kind is ops.LITERAL and value > 255)  # noqa: PLR2004


def _inside(argument: Any) -> list[Any]:
    """The patterns inside the argument of a parsed item."""
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, tuple | list):
        return [found for item in argument for found in _inside(item)]
    return []


@functools.lru_cache(maxsize=256)
def _compile(pattern: str, flags: int) -> Compiled:
    """Shared by all sandboxes, since nothing in it can be changed; what is charged does not depend on it."""
    parsed = _parse(pattern, flags)
    try:
        shape = Shape(parsed, flags | parsed.state.flags)
    except ValueError as error:
        failure = RegexError(str(error), pattern)
    else:
        has_looks = any(op in _LOOKS for op in _ops(parsed))
        return Compiled(pattern, _compiler.compile(parsed, flags), shape, parsed.getwidth()[0], has_looks)
    raise failure


def _ops(parsed: Any) -> list[Any]:
    pending, found = [parsed], []
    while pending:
        for op, argument in pending.pop():
            found.append(op)
            pending.extend(_inside(argument))
    return found


_LOOKS: Final = frozenset({ops.ASSERT, ops.ASSERT_NOT})
