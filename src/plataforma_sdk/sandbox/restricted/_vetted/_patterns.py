"""`re`, for patterns whose worst case can be told before they run (see `_regex`).

A search that may need more than `MAX_STEPS` steps on its text is refused with `re.error`; any other is charged for the
steps that it may need. A step is about the time of one character compared.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from re import _parser  # type: ignore[attr-defined]
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta, namespace, seal_type
from plataforma_sdk.sandbox.restricted._vetted._regex_compile import FLAGS, Compiled, RegexError, compiled

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["MAX_STEPS", "MAX_TEXT", "make_re"]

MAX_STEPS: Final = 8_000_000
"""Steps of one search: some 30 ms, 100 at the worst."""

MAX_TEXT: Final = 1 << 20
_MAX_TEMPLATE: Final = 512
_QUICK: Final = 4_096
"""Steps up to which the bound from the length alone is good enough."""

_STEPS_BITS: Final = 3
_CALL_UNITS: Final = 8
_MATCH_UNITS: Final = 32
_REMEMBERED: Final = 64
_KEPT_TEXT: Final = 1 << 16
_SMALL: Final = 8 << 20
_PIECE_BYTES: Final = 58
_CHUNK: Final = 256


class Regexes:
    """The patterns of one sandbox: compiled once, charged for each search.

    Attributes:
        sandbox: whose they are.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._patterns: dict[tuple[str, int], Pattern] = {}
        self._last: tuple[Any, str, bool, bool, float] | None = None

    def pattern(self, pattern: Any, flags: Any = 0) -> Pattern:
        """Return a pattern; compiling is charged where it is not among the last few."""
        if isinstance(pattern, Pattern):
            if flags:
                raise ValueError("cannot process flags argument with a compiled pattern")
            return pattern
        key = (pattern, flags)
        found = self._patterns.pop(key, None) if type(pattern) is str and type(flags) is int else None
        if found is None:
            found = Pattern(self, compiled(pattern, flags, self.sandbox.meter.charge))
            if len(self._patterns) >= _REMEMBERED:
                del self._patterns[next(iter(self._patterns))]
        self._patterns[key] = found
        return found

    def check(self, form: Compiled, text: Any, window: int, *, is_search: bool, is_full: bool = False) -> None:
        """Charge a search through `window` characters of `text`, or refuse it."""
        steps = form.shape.quick(window, is_search=is_search, is_full=is_full)
        if steps > _QUICK:
            steps = min(steps, self._exact(form, text, is_search=is_search, is_full=is_full))
        if not steps <= MAX_STEPS:
            raise RegexError(
                f"the pattern may need {steps:,.0f} steps on {window:,} characters, more than {MAX_STEPS:,}; "
                "split the text, or make what follows a repeat differ from it"
            )
        self.sandbox.meter.charge(_CALL_UNITS + (int(steps) >> _STEPS_BITS))

    def _exact(self, form: Compiled, text: str, *, is_search: bool, is_full: bool) -> float:
        """The bound from the text itself; kept for the next search through the same one, as a tokenizer does."""
        last = self._last
        if last is not None and last[0] is form and last[1] is text and last[2:4] == (is_search, is_full):
            return last[4]
        self.sandbox.meter.charge(len(text) >> 5)
        steps = form.shape.exact(text, is_search=is_search, is_full=is_full)
        self._last = (form, text, is_search, is_full, steps) if len(text) <= _KEPT_TEXT else None
        return steps


def _texted(text: Any) -> str:
    if type(text) is not str:
        raise TypeError(f"expected string, got {type(text).__name__!r}")
    if len(text) > MAX_TEXT:
        raise RegexError(f"a text of at most {MAX_TEXT:,} characters can be searched; split it")
    return text


class Pattern(metaclass=SealedMeta):
    """A compiled pattern in a module's hands."""

    __slots__ = ("_sdk_form", "_sdk_regexes", "flags", "groupindex", "groups", "pattern")

    def __init__(self, regexes: Regexes, form: Compiled) -> None:
        own = {"_sdk_regexes": regexes, "_sdk_form": form, "pattern": form.pattern, "flags": int(form.native.flags)}
        own |= {"groups": form.native.groups, "groupindex": MappingProxyType(dict(form.native.groupindex))}
        for name, value in own.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a pattern is read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"re.compile({self.pattern!r})"  # type: ignore[attr-defined]

    # --- one match -------------------------------------------------------------------------------------------------

    def match(self, string: Any, pos: int = 0, endpos: int = MAX_TEXT) -> Any:
        """``match`` at `pos`."""
        return self._sdk_one("match", string, pos, endpos, is_search=False)

    def fullmatch(self, string: Any, pos: int = 0, endpos: int = MAX_TEXT) -> Any:
        """``fullmatch`` from `pos` to `endpos`."""
        return self._sdk_one("fullmatch", string, pos, endpos, is_search=False)

    def search(self, string: Any, pos: int = 0, endpos: int = MAX_TEXT) -> Any:
        """``search`` from `pos`."""
        return self._sdk_one("search", string, pos, endpos, is_search=True)

    def _sdk_one(self, method: str, text: Any, start: int, end: int, *, is_search: bool) -> Any:
        form: Compiled = self._sdk_form  # type: ignore[attr-defined]
        window = _window(_texted(text), start, end)
        self._sdk_regexes.check(form, text, window, is_search=is_search, is_full=method == "fullmatch")  # type: ignore[attr-defined]
        found = getattr(form.native, method)(text, start, end)
        return None if found is None else Match(self, found)

    # --- all matches -----------------------------------------------------------------------------------------------

    def findall(self, string: Any, pos: int = 0, endpos: int = MAX_TEXT) -> list[Any]:
        """The texts that match, or their groups."""
        form, text = self._sdk_searched(string, pos, endpos)
        if self._sdk_is_small(text):
            return self._sdk_results(form.native.findall(text, pos, endpos))  # type: ignore[no-any-return]
        takes = _first_group if form.native.groups == 1 else _groups if form.native.groups else _whole
        return list(self._sdk_measured(map(takes, form.native.finditer(text, pos, endpos))))

    def finditer(self, string: Any, pos: int = 0, endpos: int = MAX_TEXT) -> Any:
        """Matches, one after the other."""
        form, text = self._sdk_searched(string, pos, endpos)
        found = self._sdk_matches(form.native.finditer(text, pos, endpos))
        return self._sdk_regexes.sandbox.iterables.over((), found)  # type: ignore[attr-defined]

    def _sdk_matches(self, found: Iterator[re.Match[str]]) -> Iterator[Match]:
        meter = self._sdk_regexes.sandbox.meter  # type: ignore[attr-defined]
        for item in found:
            meter.charge(_MATCH_UNITS)
            meter.alloc(_PIECE_BYTES)
            yield Match(self, item)

    def split(self, string: Any, maxsplit: int = 0) -> list[Any]:
        """The texts between matches, and the groups."""
        form, text = self._sdk_searched(string)
        if self._sdk_is_small(text):
            return self._sdk_results(form.native.split(text, maxsplit))  # type: ignore[no-any-return]
        return list(self._sdk_measured(_pieces(form.native, text, maxsplit)))

    def sub(self, repl: Any, string: Any, count: int = 0) -> str:
        """Replace; `repl` is a text with ``\\1`` and ``\\g<name>``, or a function of the match."""
        return self.subn(repl, string, count)[0]

    def subn(self, repl: Any, string: Any, count: int = 0) -> tuple[str, int]:
        """As `sub`, with the number of replacements."""
        form, text = self._sdk_searched(string)
        if type(repl) is str:
            if len(repl) > _MAX_TEMPLATE:
                raise RegexError(f"a replacement of more than {_MAX_TEMPLATE} characters")
            if self._sdk_is_small(text, len(repl), repl.count("\\")):
                made, number = _native(form.native.subn, repl, text, count)
                return self._sdk_results(made), number
            pieces = _template(repl, form.native)
            return self._sdk_replaced(lambda twin: twin._sdk_filled(pieces), text, count)
        return self._sdk_replaced(repl, text, count)

    # --- shared ----------------------------------------------------------------------------------------------------

    def _sdk_searched(self, text: Any, start: int = 0, end: int = MAX_TEXT) -> tuple[Compiled, str]:
        window = _window(_texted(text), start, end)
        self._sdk_regexes.check(self._sdk_form, text, window, is_search=True)  # type: ignore[attr-defined]
        return self._sdk_form, text  # type: ignore[attr-defined]

    def _sdk_is_small(self, text: str, each: int = 0, copies: int = 1) -> bool:
        """Whether all that could be made of a text is small; else it is measured while it is made.

        Args:
            each: characters that each match adds.
            copies: how often the text of a group may be repeated.
        """
        form: Compiled = self._sdk_form  # type: ignore[attr-defined]
        matches = len(text) // max(form.width, 1) + 1
        size = matches * (_PIECE_BYTES * (form.native.groups + 1) + each)
        size += len(text) * (len(text) if form.has_looks else 1) * (form.native.groups + 1) * copies
        meter = self._sdk_regexes.sandbox.meter  # type: ignore[attr-defined]
        return size < min(_SMALL, meter.memory_limit - meter.allocated - meter.retained)  # type: ignore[no-any-return]

    def _sdk_results(self, made: Any) -> Any:
        """Charge a result that was made at once."""
        sandbox: Sandbox = self._sdk_regexes.sandbox  # type: ignore[attr-defined]
        if type(made) is list:
            pieces = len(made) * max(self.groups, 1)  # type: ignore[attr-defined]
            sandbox.meter.charge(len(made) + pieces >> 1)
            sandbox.meter.alloc(pieces * _PIECE_BYTES >> 1)
        return sandbox.operators.grown(made)

    def _sdk_measured(self, pieces: Iterator[Any]) -> Iterator[Any]:
        """Charge pieces while they are made."""
        meter = self._sdk_regexes.sandbox.meter  # type: ignore[attr-defined]
        while chunk := list(itertools.islice(pieces, _CHUNK)):
            texts = [part for item in chunk for part in (item if type(item) is tuple else (item,)) if part]
            meter.charge(len(chunk) * 2 + len(texts))
            meter.alloc(len(chunk) * 8 + len(texts) * _PIECE_BYTES + sum(map(len, texts)))
            yield from chunk

    def _sdk_replaced(self, repl: Any, text: str, count: int) -> tuple[str, int]:
        sandbox: Sandbox = self._sdk_regexes.sandbox  # type: ignore[attr-defined]
        parts: list[str] = []
        end = number = 0
        for found in self._sdk_form.native.finditer(text):  # type: ignore[attr-defined]
            if count and number >= count:
                break
            made = repl(Match(self, found))
            if type(made) is not str:
                raise TypeError(f"expected str instance, {type(made).__name__} found")
            parts += [text[end : found.start()], made]
            end, number = found.end(), number + 1
            sandbox.meter.charge(_MATCH_UNITS)
            sandbox.meter.alloc(len(parts[-2]) + len(made) + _PIECE_BYTES)
        return sandbox.methods.call("", "join", [*parts, text[end:]]), number


class Match(metaclass=SealedMeta):
    """What was found."""

    __slots__ = ("_sdk_match", "re")

    def __init__(self, pattern: Pattern, found: re.Match[str]) -> None:
        object.__setattr__(self, "re", pattern)
        object.__setattr__(self, "_sdk_match", found)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a match is read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def _sdk_grown(self, value: Any) -> Any:
        return self.re._sdk_regexes.sandbox.operators.grown(value)  # type: ignore[attr-defined]

    def _sdk_all(self, values: Any) -> Any:
        for value in values.values() if type(values) is dict else values:
            self._sdk_grown(value)
        return values

    string = property(lambda self: self._sdk_match.string)
    pos = property(lambda self: self._sdk_match.pos)
    endpos = property(lambda self: self._sdk_match.endpos)
    lastindex = property(lambda self: self._sdk_match.lastindex)
    lastgroup = property(lambda self: self._sdk_match.lastgroup)

    def group(self, *numbers: Any) -> Any:
        """The text of a group, or of several."""
        found = self._sdk_match.group(*numbers)  # type: ignore[attr-defined]
        return self._sdk_all(found) if type(found) is tuple else self._sdk_grown(found)

    def groups(self, default: Any = None) -> Any:
        """All groups."""
        return self._sdk_all(self._sdk_match.groups(default))  # type: ignore[attr-defined]

    def groupdict(self, default: Any = None) -> Any:
        """Groups by name."""
        return self._sdk_all(self._sdk_match.groupdict(default))  # type: ignore[attr-defined]

    def start(self, group: Any = 0) -> Any:
        """Where a group begins."""
        return self._sdk_match.start(group)  # type: ignore[attr-defined]

    def end(self, group: Any = 0) -> Any:
        """Where a group ends."""
        return self._sdk_match.end(group)  # type: ignore[attr-defined]

    def span(self, group: Any = 0) -> Any:
        """Both."""
        return self._sdk_match.span(group)  # type: ignore[attr-defined]

    def expand(self, template: Any) -> str:
        """A template with ``\\1`` and ``\\g<name>`` filled in."""
        if type(template) is not str or len(template) > _MAX_TEMPLATE:
            raise RegexError(f"a template is a text of at most {_MAX_TEMPLATE} characters")
        self.re._sdk_regexes.sandbox.meter.charge(len(template) << 2)  # type: ignore[attr-defined]
        return self._sdk_filled(_template(template, self.re._sdk_form.native))  # type: ignore[attr-defined]

    def _sdk_filled(self, pieces: list[str | int]) -> str:
        found: re.Match[str] = self._sdk_match  # type: ignore[attr-defined]
        parts = [piece if type(piece) is str else found[piece] or "" for piece in pieces]
        self.re._sdk_regexes.sandbox.meter.reserve(sum(map(len, parts)))  # type: ignore[attr-defined]
        return str(self._sdk_grown("".join(parts)))

    def __getitem__(self, group: Any) -> Any:
        return self._sdk_grown(self._sdk_match[group])  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<re.Match object; span={self._sdk_match.span()}, match={self._sdk_match[0][:50]!r}>"  # type: ignore[attr-defined]


def _window(text: str, start: Any, end: Any) -> int:
    if type(start) is not int or type(end) is not int:
        raise TypeError("a position is an integer")
    return max(min(end, len(text)) - max(start, 0), 0)


def _template(template: str, native: re.Pattern[str]) -> list[str | int]:
    """Texts and numbers of groups. CPython's own ``expand`` reads the template anew for each match on 3.11."""
    if "\\" not in template:
        return [template]
    parsed = _native(_parser.parse_template, template, native)
    if type(parsed) is list:
        return parsed
    places, pieces = parsed  # on 3.11
    for place, group in places:
        pieces[place] = group
    return list(pieces)


def _native(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except re.error as error:
        failure = RegexError._sdk_of(error)
    raise failure


def _whole(found: re.Match[str]) -> str:
    return found[0]


def _first_group(found: re.Match[str]) -> str:
    return found[1] or ""


def _groups(found: re.Match[str]) -> tuple[str, ...]:
    return found.groups("")


def _pieces(native: re.Pattern[str], text: str, maxsplit: int) -> Iterator[str | None]:
    end = 0
    for number, found in enumerate(native.finditer(text)):
        if maxsplit and number >= maxsplit:
            break
        yield text[end : found.start()]
        yield from found.groups()
        end = found.end()
    yield text[end:]


# --- the module ----------------------------------------------------------------------------------------------------


def make_re(sandbox: Sandbox) -> Any:
    """`re`: `compile`, the functions over texts, `escape` and the flags."""
    own = Regexes(sandbox)
    get = own.pattern
    functions: dict[str, Callable[..., Any]] = {
        "compile": lambda pattern, flags=0: get(pattern, flags),
        "match": lambda pattern, string, flags=0: get(pattern, flags).match(string),
        "fullmatch": lambda pattern, string, flags=0: get(pattern, flags).fullmatch(string),
        "search": lambda pattern, string, flags=0: get(pattern, flags).search(string),
        "findall": lambda pattern, string, flags=0: get(pattern, flags).findall(string),
        "finditer": lambda pattern, string, flags=0: get(pattern, flags).finditer(string),
        "split": lambda pattern, string, maxsplit=0, flags=0: get(pattern, flags).split(string, maxsplit),
        "sub": lambda pattern, repl, string, count=0, flags=0: get(pattern, flags).sub(repl, string, count),
        "subn": lambda pattern, repl, string, count=0, flags=0: get(pattern, flags).subn(repl, string, count),
        "escape": lambda pattern: sandbox.operators.grown(re.escape(_texted(pattern))),
    }
    members: dict[str, Any] = {name: SealedFunction(function, name) for name, function in functions.items()}
    members |= FLAGS
    members |= {"error": RegexError, "Match": seal_type(Match, _not_made), "Pattern": seal_type(Pattern, _not_made)}
    if hasattr(re, "PatternError"):
        members["PatternError"] = RegexError
    return namespace("re", members)


def _not_made(*_: Any) -> Any:
    raise TypeError("a pattern is what compile() returns, a match what a search returns")
