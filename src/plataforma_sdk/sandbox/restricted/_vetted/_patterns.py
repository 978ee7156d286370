"""`re`, for patterns whose worst case can be told beforehand.

A backtracking matcher tries each way of dividing a text among the repeats of a pattern. The number of ways is bounded
here from the parsed pattern and the length of the text; what is out of proportion is refused with `ValueError` before
it runs. Nested repeats, back-references and look-around are refused altogether.
"""

from __future__ import annotations

import functools
import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta, namespace, seal_type

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["make_re"]

_MAX_PATTERN: Final = 512
_MAX_STEPS: Final = 4_000_000
_MAX_TEXT: Final = 1 << 20
_FLAGS: Final = {
    "IGNORECASE": re.IGNORECASE,
    "MULTILINE": re.MULTILINE,
    "DOTALL": re.DOTALL,
    "VERBOSE": re.VERBOSE,
    "ASCII": re.ASCII,
}
_REPEATS: Final = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT})
_SINGLE: Final = frozenset({_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN, _constants.AT})
_BAD: Final = "is not available in the restricted tier: its worst case has no bound"


class Shape:
    """How many ways a parsed pattern can match, as a function of the text's length.

    Attributes:
        factor: ways that do not depend on the length.
        powers: repeats without a bound, each of which multiplies the ways by the length.
    """

    def __init__(self, parsed: Any, *, is_last: bool = True) -> None:
        self.factor = 1
        self.powers = 0
        self._has_tail = False
        self._walk(parsed, is_last=is_last)

    def _walk(self, parsed: Any, *, is_last: bool) -> None:
        items = list(parsed)
        for number, (op, argument) in enumerate(items):
            self._item(op, argument, is_last=is_last and number == len(items) - 1)

    def _item(self, op: Any, argument: Any, *, is_last: bool) -> None:
        if op in _SINGLE:
            return
        if op is _constants.SUBPATTERN:
            self._walk(argument[3], is_last=is_last)
        elif op is _constants.BRANCH:
            self.factor *= len(argument[1])
            for branch in argument[1]:
                self._walk(branch, is_last=is_last)
        elif op in _REPEATS:
            self._repeat(*argument, is_last=is_last)
        else:
            raise ValueError(f"{str(op).lower()} {_BAD}")

    def _repeat(self, low: int, high: int, body: Any, *, is_last: bool) -> None:
        inner = Shape(body, is_last=False)
        if high > 1 and (inner.factor > 1 or inner.powers or _is_empty(body)):
            raise ValueError(f"a repeat inside a repeat {_BAD}")
        if high <= 1:
            self.factor *= 2 * inner.factor
            self.powers += inner.powers
        elif is_last and len(body) == 1:
            self._has_tail = True  # nothing behind it can fail, so it is never taken back
        elif high > 64:  # noqa: PLR2004
            self.powers += 1
        else:
            self.factor *= high - low + 1

    def steps(self, length: int, *, is_full: bool = False) -> int:
        """Bound the steps of a search through `length` characters; a full match may take back the tail as well."""
        powers = self.powers + (is_full and self._has_tail)
        return int(self.factor * (length + 1) ** (powers + (1 if powers and not is_full else 0)) + length)


@functools.lru_cache(maxsize=256)
def _shape_of(pattern: str, flags: int) -> Shape:
    return Shape(_parser.parse(pattern, flags))


def _is_empty(body: Any) -> bool:
    return body.getwidth()[0] == 0  # type: ignore[no-any-return]


class Pattern:
    """A compiled pattern of one sandbox; the functions below are what a module gets of it."""

    def __init__(self, sandbox: Sandbox, pattern: Any, flags: Any) -> None:
        if type(pattern) is not str or len(pattern) > _MAX_PATTERN:
            raise ValueError(f"a pattern is a text of at most {_MAX_PATTERN} characters")
        flags = _plain_flags(flags)
        try:
            self._shape = _shape_of(pattern, flags)
        except re.error as error:
            raise ValueError(f"bad pattern: {error}") from None
        self._sandbox = sandbox
        self._compiled = re.compile(pattern, flags)

    def check(self, text: Any, *, is_full: bool = False) -> str:
        """Charge a search through `text`, or refuse it."""
        if type(text) is not str or len(text) > _MAX_TEXT:
            raise ValueError(f"a text of at most {_MAX_TEXT:,} characters")
        steps = self._shape.steps(len(text), is_full=is_full)
        if steps > _MAX_STEPS:
            raise ValueError(
                f"the pattern may need {steps:,} steps on {len(text):,} characters; split the text or the pattern"
            )
        self._sandbox.meter.charge(1 + (steps >> 6))
        return text

    def match(self, text: Any) -> Any:
        return _match(self._compiled.match(self.check(text)))

    def fullmatch(self, text: Any) -> Any:
        return _match(self._compiled.fullmatch(self.check(text, is_full=True)))

    def search(self, text: Any) -> Any:
        return _match(self._compiled.search(self.check(text)))

    def findall(self, text: Any) -> list[Any]:
        return self._sandbox.operators.grown(self._compiled.findall(self.check(text)))  # type: ignore[no-any-return]

    def finditer(self, text: Any) -> Any:
        return iter([_match(found) for found in self._compiled.finditer(self.check(text))])

    def split(self, text: Any, maxsplit: int = 0) -> list[Any]:
        return self._sandbox.operators.grown(self._compiled.split(self.check(text), maxsplit))  # type: ignore[no-any-return]

    def sub(self, replacement: Any, text: Any, count: int = 0) -> str:
        """Replace; a function is called with each match, a text may hold ``\\1`` and ``\\g<name>``."""
        self.check(text)
        if type(replacement) is str:
            if len(replacement) > _MAX_PATTERN:
                raise ValueError(f"a replacement of more than {_MAX_PATTERN} characters")
            self._sandbox.meter.reserve(len(text) * (len(replacement) + 1))
            return self._sandbox.operators.grown(self._compiled.sub(replacement, text, count))  # type: ignore[no-any-return]
        parts: list[str] = []
        end = 0
        for number, found in enumerate(self._compiled.finditer(text)):
            if count and number >= count:
                break
            made = replacement(_match(found))
            if type(made) is not str:
                raise TypeError("the replacement function returns a text")
            parts += [text[end : found.start()], made]
            end = found.end()
            self._sandbox.meter.charge(1)
        return self._sandbox.methods.call("", "join", [*parts, text[end:]])  # type: ignore[no-any-return]


class Match(metaclass=SealedMeta):
    """What was found."""

    __slots__ = ("_sdk_match",)

    def __init__(self, found: re.Match[str]) -> None:
        object.__setattr__(self, "_sdk_match", found)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a match is read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def group(self, *numbers: Any) -> Any:
        return self._sdk_match.group(*numbers)  # type: ignore[attr-defined]

    def groups(self, default: Any = None) -> Any:
        return self._sdk_match.groups(default)  # type: ignore[attr-defined]

    def groupdict(self, default: Any = None) -> Any:
        return self._sdk_match.groupdict(default)  # type: ignore[attr-defined]

    def start(self, group: Any = 0) -> Any:
        return self._sdk_match.start(group)  # type: ignore[attr-defined]

    def end(self, group: Any = 0) -> Any:
        return self._sdk_match.end(group)  # type: ignore[attr-defined]

    def span(self, group: Any = 0) -> Any:
        return self._sdk_match.span(group)  # type: ignore[attr-defined]

    def __getitem__(self, group: Any) -> Any:
        return self._sdk_match[group]  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<match {self._sdk_match.span()}>"  # type: ignore[attr-defined]


def _match(found: re.Match[str] | None) -> Match | None:
    return None if found is None else Match(found)


def _plain_flags(flags: Any) -> int:
    if type(flags) is not int or flags & ~sum(int(flag) for flag in _FLAGS.values()):
        raise ValueError(f"flags are {', '.join(_FLAGS)}, joined by |")
    return flags


_METHODS: Final = ("match", "fullmatch", "search", "findall", "finditer", "split", "sub")


def make_re(sandbox: Sandbox) -> Any:
    """`re`: `compile`, the functions over texts, `escape` and the flags."""

    def compile_(pattern: Any, flags: Any = 0) -> Any:
        compiled = Pattern(sandbox, pattern, flags)
        members = {name: SealedFunction(getattr(compiled, name), name) for name in _METHODS}
        return namespace("pattern", members | {"pattern": pattern}, f"re.compile({pattern!r})")

    def direct(name: str) -> SealedFunction:
        def call(pattern: Any, *args: Any, flags: Any = 0, **kwargs: Any) -> Any:
            if type(pattern) is not str:
                return getattr(pattern, name)(*args, **kwargs)
            return getattr(Pattern(sandbox, pattern, flags), name)(*args, **kwargs)

        return SealedFunction(call, name)

    def escape(text: Any) -> str:
        if type(text) is not str or len(text) > _MAX_PATTERN:
            raise ValueError(f"a text of at most {_MAX_PATTERN} characters")
        return re.escape(text)

    members: dict[str, Any] = {name: direct(name) for name in _METHODS}
    members |= {"compile": SealedFunction(compile_, "compile"), "escape": SealedFunction(escape, "escape")}
    members |= {name: int(flag) for name, flag in _FLAGS.items()}
    members |= {
        "I": int(re.IGNORECASE),
        "M": int(re.MULTILINE),
        "S": int(re.DOTALL),
        "X": int(re.VERBOSE),
        "A": int(re.ASCII),
    }
    return namespace("re", members | {"error": ValueError, "Match": seal_type(Match, _not_made)})


def _not_made(*_: Any) -> Any:
    raise TypeError("a match is what a search returns")
