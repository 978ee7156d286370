"""The bound of a search: never below the steps that a backtracking matcher really takes, and low where it may be."""

# ruff: noqa: E501 - patterns read best on one line

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from re import _compiler, _parser  # type: ignore[attr-defined]
from re import _constants as ops  # type: ignore[attr-defined]

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plataforma_sdk.sandbox.restricted._vetted._patterns import MAX_STEPS
from plataforma_sdk.sandbox.restricted._vetted._regex import Shape
from plataforma_sdk.sandbox.restricted._vetted._regex_compile import Compiled, RegexError, compiled
from plataforma_sdk.sandbox.restricted._vetted._regex_sets import ANYTHING, of_item

GIVE_UP = 200_000


class CountingMatcher:
    """A backtracking matcher in the order of CPython's, that counts the items it tries."""

    def __init__(self, pattern: str, text: str) -> None:
        self.parsed = _parser.parse(pattern, re.UNICODE)
        self.text = text
        self.steps = 0
        self._single: dict[int, re.Pattern[str]] = {}

    def search(self) -> int | None:
        for start in range(len(self.text) + 1):
            found = self.match(start)
            if found is not None:
                return found
        return None

    def match(self, start: int = 0, *, is_full: bool = False) -> int | None:
        for end in self._row(list(self.parsed), 0, start):
            if not is_full or end == len(self.text):
                return end
        return None

    def _row(self, items: list, number: int, place: int) -> Iterator[int]:
        if number == len(items):
            yield place
            return
        for end in self._item(*items[number], place):
            yield from self._row(items, number + 1, end)

    def _item(self, op, argument, place: int) -> Iterator[int]:
        self.steps += 1
        if self.steps > GIVE_UP:
            raise TimeoutError
        if op is ops.SUBPATTERN:
            yield from self._row(list(argument[3]), 0, place)
        elif op is ops.BRANCH:
            for branch in argument[1]:
                yield from self._row(list(branch), 0, place)
        elif op is ops.MAX_REPEAT or op is ops.MIN_REPEAT:
            yield from self._repeat(*argument, place, 0, is_lazy=op is ops.MIN_REPEAT)
        elif op is ops.ATOMIC_GROUP:
            yield from [end for end, _ in zip(self._row(list(argument), 0, place), [0], strict=False)]
        elif op is ops.ASSERT or op is ops.ASSERT_NOT:
            is_found = next(self._row(list(argument[1]), 0, place), None) is not None
            if is_found is (op is ops.ASSERT):
                yield place
        elif self._one(op, argument).match(self.text, place):
            yield place + (op is not ops.AT)

    def _repeat(self, low, high, body, place: int, count: int, *, is_lazy: bool) -> Iterator[int]:
        if is_lazy and count >= low:
            yield place
        if high is ops.MAXREPEAT or count < high:
            for end in self._row(list(body), 0, place):
                if end > place:
                    yield from self._repeat(low, high, body, end, count + 1, is_lazy=is_lazy)
        if not is_lazy and count >= low:
            yield place

    def _one(self, op, argument) -> re.Pattern[str]:
        key = id(argument) if op is ops.IN else hash((op, str(argument)))
        if key not in self._single:
            item = _parser.SubPattern(self.parsed.state, [(op, argument)])
            self._single[key] = _compiler.compile(item, re.UNICODE)
        return self._single[key]


ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\s", r"\d", r"\b", "$", "1", " ", "ab", "aab"])
QUANTIFIERS = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,20}", "{2,}", "*?", "+?", "??"])


def _grow(inner):
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, QUANTIFIERS).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(ATOMS, QUANTIFIERS).map("".join),
        inner.map(lambda text: f"(?={text})"),
        inner.map(lambda text: f"(?>{text})"),
    )


PATTERNS = st.recursive(ATOMS, _grow, max_leaves=8).flatmap(
    lambda text: st.sampled_from(["", "$", "x", r"\Z", "b"]).map(text.__add__)
)
TEXTS = st.tuples(st.sampled_from(["a", "ab", "aab", "a ", "a1", "1", "\n", "ab c"]), st.integers(0, 24)).flatmap(
    lambda pair: st.sampled_from(["", "x", "!", "b", "\n"]).map((pair[0] * pair[1]).__add__)
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(pattern=PATTERNS, text=TEXTS, how=st.sampled_from(["match", "fullmatch", "search"]))
def test_no_search_takes_more_steps_than_its_bound(pattern, text, how):
    """The promise that everything else rests on: what a search is charged for is at least what it does."""
    try:
        parsed = _parser.parse(pattern, re.UNICODE)
        shape = Shape(parsed, re.UNICODE)
    except (ValueError, re.error):
        return
    matcher = CountingMatcher(pattern, text)
    with contextlib.suppress(TimeoutError):
        matcher.search() if how == "search" else matcher.match(is_full=how == "fullmatch")

    is_search, is_full = how == "search", how == "fullmatch"
    exact = shape.exact(text, is_search=is_search, is_full=is_full)
    assert matcher.steps <= 2 * exact
    assert exact <= shape.quick(len(text), is_search=is_search, is_full=is_full)


EXPONENTIAL = {
    "OWASP: ReDoS, (a+)+": r"^(a+)+$",
    "OWASP: ReDoS, ([a-zA-Z]+)*": r"^([a-zA-Z]+)*$",
    "OWASP: ReDoS, (a|aa)+": r"^(a|aa)+$",
    "OWASP: ReDoS, (a|a?)+": r"^(a|a?)+$",
    "OWASP: ReDoS, Java classname": r"^(([a-z])+.)+[A-Z]([a-z])+$",
    "OWASP: ReDoS, e-mail": r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
    "CVE-2020-8492, CVE-2021-3733: urllib, authenticate header": r'(?:.*,)*[ \t]*([^ \t]+)[ \t]+realm=(["\']?)([^"\']*)\2',
    "CVE-2021-32838: flask-restx, e-mail": r"^(?P<local>[^@]*[^@.])@(?P<server>[^@]+(?:\.[^@]+)*)$",
    "CVE-2017-16021: uri-js": r"^(?:(?:[a-z]+)+:)?x$",
    "nested, CSV field": r'(?:"[^"]*"|[^,])*,',
    "words": r"(\w+\s*)+$",
    "digits": r"(\d+,?)+x",
    "empty body": r"(a*)*b",
    "case hides a common start": "(?i)(?:kx|\u212ax)+y",
}  # fmt: skip


@pytest.mark.parametrize("pattern", EXPONENTIAL.values(), ids=EXPONENTIAL.keys())
def test_a_pattern_with_exponentially_many_ways_is_refused(pattern):
    """Refused when it is compiled, whatever the text."""
    with pytest.raises(RegexError, match="no bound"):
        compiled(pattern, 0, lambda _: None)


POLYNOMIAL = {
    "OWASP: ReDoS, (.*a){12}": (r"^(.*a){12}$", "a" * 5_000 + "!", True),
    "Cloudflare 2019-07-02": (r"(?:(?:\"|\d|nan|-)+[)]*;?((?:\s|-|~|!|\+)*.*(?:.*=.*)))", "-" * 20_000, True),
    "Stack Overflow 2016-07-20": (r"^[\s\u200c]+|[\s\u200c]+$", "-- x" + " " * 20_000 + "x", True),
    "CVE-2018-1061: difflib": (r"\s*(?:#\s*)?$", " " * 20_000 + "x", True),
    "CVE-2022-40897: setuptools": (r"""<([^>]*\srel\s{0,10}=\s{0,10}['"]?([^'" >]+)[^>]*)>""", "< rel=" * 9_000, True),
    "CVE-2022-42969: py": (r"^(\d+) *(\S+) *(\d+)?", "1" * 100_000, False),
    "three stars": (r".*.*.*=", "x" * 10_000, True),
    "optional characters": ("a?" * 30 + "a" * 30, "a" * 30, False),
    "bounded repeats": (r"(?:a{1,60}){1,60}b", "a" * 99, False),
    "search for two repeats": (r"a{0,60}a{0,60}b", "a" * 100_000, True),
    "look ahead at each place": (r"a*(?=.*x)b", "a" * 20_000, False),
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "is_search"), POLYNOMIAL.values(), ids=POLYNOMIAL.keys())
def test_a_pattern_with_too_many_ways_for_its_text_has_a_high_bound(pattern, text, is_search):
    """Accepted for short texts; on this one it would hold the host."""
    form = compiled(pattern, 0, lambda _: None)

    assert form.shape.exact(text, is_search=is_search) > MAX_STEPS


ORDINARY = {
    "words": (r"\w+", "the quick brown fox " * 5_000),
    "e-mail": (r"^[\w.+-]+@[\w-]+\.[\w.-]+$", "somebody.with.a.long.name@some-host.example.com" * 100),
    "dotted": (r"(?:[a-z]+\.)+[a-z]+$", "some.dotted.name " * 1_000),
    "quoted": (r'"(?:[^"\\\n]|\\.)*"', 'say "he\\"llo"\n' * 2_000),
    "address": (r"(?:\d{1,3}\.){3}\d{1,3}", "10.0.0.1, 192.168.1.254; " * 2_000),
    "date": (r"(\d{4})-(\d\d)-(\d\d)", "2024-05-06 " * 5_000),
    "tag": (r"<[^>]*>", "<p>text</p>" * 5_000),
    "number": (r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", "1.5e10 -3 " * 5_000),
    "camel case": (r"(?<=[a-z])(?=[A-Z])", "someCamelCaseName " * 2_000),
    "trailing space": (r"[ \t]+$", "line of text  \n" * 2_000),
    "password": (r"^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{8,64}$", "aB3" * 20),
    "key and value": (r"^\s*(\w+)\s*=\s*(.*?)\s*$", "key = some value"),
    "url": (r"https?://[\w.-]+(?::\d+)?(?:/[^\s?#]*)?(?:\?[^\s#]*)?", "see https://example.com:80/a/b?c=d now " * 1_000),
    "currency": (r"R\$\s?(\d{1,3}(?:\.\d{3})*,\d{2})", "R$ 1.234.567,89 e " * 1_000),
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "text"), ORDINARY.values(), ids=ORDINARY.keys())
def test_an_ordinary_pattern_on_ordinary_text_has_a_low_bound(pattern, text):
    """What authors write every day is not refused on a text of a book's chapter."""
    form = compiled(pattern, int(re.MULTILINE), lambda _: None)

    assert form.shape.exact(text, is_search=True) <= 350 * len(text) + 2_000


CLASSES = [
    "a", "[a-z]", "[^a-z]", r"\w", r"\W", r"\d", r"\s", r"[\w-]", r"[^\s,]", "k", "s", "i", "é", "µ", "ß", "ÿ", "å",
    "[à-ü]", "\u212a", "[\u0100-\u0200]", "[\u0130-\u0131]", "[^\u0400-\u04ff]", "ſ", "[^k]", ".", r"[\d\u0660]", "İ",
    "[\x00-\uffff]", "[^ſ]",
]  # fmt: skip
SAMPLE = [*range(0x600), *range(0x1E00, 0x1F00), *range(0x2000, 0x2200), 0x3000, 0x4E00, 0xFF11, 0x1D7D8, 0x1F600]


@pytest.mark.parametrize("flags", [0, re.IGNORECASE, re.ASCII, re.IGNORECASE | re.ASCII, re.DOTALL], ids=str)
@pytest.mark.parametrize("pattern", CLASSES)
def test_a_set_holds_every_character_that_its_class_matches(pattern, flags):
    """A set may be too large, never too small: two that share nothing are certainly disjoint."""
    flags |= re.UNICODE if not flags & re.ASCII else 0
    (item,) = _parser.parse(pattern, flags)
    mask = of_item(item, int(flags))
    native = re.compile(pattern, flags)

    missing = [hex(code) for code in SAMPLE if native.match(chr(code)) and not mask & _bit(code)]
    assert missing == []


def _bit(code: int) -> int:
    """The bit of one character: its own set, as a class of that character alone."""
    return of_item((ops.LITERAL, code), int(re.UNICODE)) & ANYTHING


def test_compiling_is_charged_before_it_is_done():
    """A class with characters above Latin-1 takes milliseconds to compile where case is ignored."""
    charges: list[int] = []

    compiled("[\u0100-\uffff]", int(re.IGNORECASE), charges.append)
    wide = sum(charges)
    charges.clear()
    compiled("[a-z]", int(re.IGNORECASE), charges.append)

    assert wide > 100_000
    assert sum(charges) < 1_000


BOMBS = {
    "wide classes": ("[\u0100-\uffff]" * 80, int(re.IGNORECASE)),
    "escaped wide classes": (r"[\u0100-\uffff]" * 30, int(re.IGNORECASE)),
    "long": ("a" * 513, 0),
    "deep": ("(" * 100 + "a" + ")" * 100, 0),
    "huge count": ("a{99999999999999999999}", 0),
    "locale": ("a", int(re.LOCALE)),
    "debug": ("a", 128),
    "conditional": (r"(a)?(?(1)b|c)", 0),
    "looks everywhere": ("".join(["(?=a)" * 70, "x"]), 0),
    "bad": ("(", 0),
}


@pytest.mark.parametrize(("pattern", "flags"), BOMBS.values(), ids=BOMBS.keys())
def test_what_is_dear_or_wrong_to_compile_is_refused(pattern, flags):
    """As `re.error`, so that a module that takes patterns from a person has one thing to catch."""
    with pytest.raises(RegexError):
        compiled(pattern, flags, lambda _: None)


def test_nested_sets_warn_nobody():
    """CPython warns about them on the host's standard error, as often as a module likes."""
    assert isinstance(compiled("[[a]", 0, lambda _: None), Compiled)
