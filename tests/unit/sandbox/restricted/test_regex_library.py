"""`re` in a module's hands: it answers as CPython's does, and what it makes is paid for."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings

from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner
from tests.unit.sandbox.restricted.test_regex_bounds import PATTERNS, TEXTS

EVERYTHING = """
import re
def everything(pattern, text):
    p = re.compile(pattern)
    m = p.search(text)
    found = None if m is None else (m.span(), m.group(), m.groups(), m.start(), m.end(), m.lastindex, m[0], m.pos, m.endpos)
    return [found, p.match(text) is None, p.fullmatch(text) is None, p.findall(text), [i.span() for i in p.finditer(text)],
            p.split(text), p.split(text, 2), p.sub('-', text), p.subn(r'<\\\\g<0>>', text), p.sub(lambda m: m[0] * 2, text, 2),
            re.findall(p, text), p.groups, p.pattern, p.search(text, 2, 5) is None]
r = everything(pattern, text)
"""


def _plain(pattern: str, text: str) -> list:
    names = {"pattern": pattern, "text": text}
    exec(EVERYTHING.replace("\\\\\\\\", "\\\\"), names)
    return names["r"]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pattern=PATTERNS, text=TEXTS)
def test_what_is_accepted_answers_as_in_python(pattern, text):
    """Every function of the module on one pattern and text."""
    runner = Runner()
    try:
        got = runner.run(EVERYTHING.replace("\\\\\\\\", "\\\\"), pattern=pattern, text=text)["r"]
    except ValueError:
        return

    assert got == _plain(pattern, text)


SAME = {
    "flags": "re.findall('^a', 'a\\nA', re.I | re.M), re.match('a.b', 'a\\nb', re.DOTALL).end(), re.match('a  b # c', 'ab', re.X)[0]",
    "inline flags": "re.findall('(?i:a)b', 'Ab aB ab'), re.sub('(?i)x', 'y', 'xX')",
    "groups": "re.match('(?P<y>\\\\d{4})-(?P<m>\\\\d\\\\d)', '2024-05').groupdict(), re.match('(a)|(b)', 'b').groups('-'), re.match('(a)(b)', 'ab').group(2, 1)",
    "named": "re.match('(?P<y>a)', 'a').lastgroup, re.compile('(?P<y>a)').groupindex['y'], re.match('(?P<y>a)', 'a')['y']",
    "expand": "re.match('(a)(?P<n>b)', 'ab').expand(r'\\2\\1\\g<n>\\n')",
    "split with groups": "re.split('(,)|;', 'a,b;c'), re.split('', 'ab'), re.split('x*', 'axbc')",
    "empty matches": "re.sub('x*', '-', 'abxd'), re.findall('x*', 'axb')",
    "look": "re.sub('(?<=[a-z])(?=[A-Z])', '_', 'someCamelCase'), re.findall('a(?!b)', 'ab ac'), re.findall('(?<!-)\\\\b\\\\d', '-1 2')",
    "back-reference": "re.findall(r'(\\w)\\1', 'aabbc'), re.match('([\\'\"]).*?\\\\1', '\"a\\'b\" c\"')[0]",
    "possessive": "re.match('a*+a', 'aaa'), re.match('(?>a|ab)c', 'abc'), re.match('[a-z]++1', 'ab1')[0]",
    "escape": "re.escape('a.b*c'), re.fullmatch(re.escape('a+b'), 'a+b')[0]",
    "count": "re.sub('a', 'b', 'aaa', count=2), re.split(',', 'a,b,c', maxsplit=1), re.subn('a', 'b', 'aa')",
    "constants": "int(re.I), int(re.IGNORECASE | re.MULTILINE), int(re.NOFLAG)",
    "repr": "repr(re.search('b', 'abc'))",
    "large": "len(re.findall('a', 'ab' * 50_000)), len(re.split(',', 'a,' * 50_000)), len(re.sub('a', 'bb', 'ab' * 50_000)), re.sub('(a)', r'\\1\\1', 'ab' * 20_000)[:4]",
    "large groups": "re.findall('(a)(b)?', 'ab' * 30_000)[-1], re.split('(,)', 'a,' * 30_000)[-3:]",
}  # fmt: skip


@pytest.mark.parametrize("expression", SAME.values(), ids=SAME.keys())
def test_the_module_answers_as_the_original(runner, expression):
    assert runner.value(expression, **runner.run("import re")) == eval(expression, {"re": re})


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("re.compile('(')", "unterminated subpattern"),
        ("re.sub('a', r'\\2', 'a')", "invalid group reference"),
        ("re.compile('(a+)+')", "no bound"),
        ("re.search('.*.*.*=', 'x' * 5_000)", "steps"),
        ("re.compile('a' * 600)", "512"),
        ("re.search('a', 'a' * 1_100_000)", "1,048,576"),
    ],
    ids=["bad pattern", "bad template", "no bound", "too many steps", "too long", "text too long"],
)
def test_every_refusal_is_the_error_of_the_module(runner, expression, message):
    """One thing to catch, and its message says what to do."""
    source = f"import re\ntry:\n    {expression}\nexcept re.error as error:\n    r = str(error), error.msg"

    assert message in runner.run(source)["r"][0]


def test_a_tokenizer_pays_for_its_tokens_and_not_for_its_text_at_each(runner):
    """Matching at a position of a long text costs what the token may be long, not what the text is."""
    source = """
    import re
    token = re.compile(r'\\d+|\\w+|\\s+')
    place = count = 0
    while place < len(text):
        place = token.match(text, place).end()
        count += 1
    """

    assert runner.run(source, fuel=300_000, text="word 12 " * 1_000)["count"] == 4_000


BOMBS = {
    "groups of each match": "[re.findall('(' * 20 + 'ab' + ')' * 20, 'ab' * 100_000) for _ in range(100)]",
    "groups that overlap": "[re.findall('(?=(.*))', 'a' * 1_500) for _ in range(1_000)]",
    "replacement": "re.sub('a', 'b' * 500, 'a' * 1_000_000)",
    "references": "re.sub('^(.*)', r'\\1' * 200, 'a' * 1_000_000)",
    "expand": "re.match('(.*)', 'a' * 1_000_000).expand(r'\\1' * 200)",
    "group": "[m.group(1) for m in [re.match('(a*)b', 'a' * 1_000_000 + 'b')] * 1_000]",
    "matches": "[m for m in re.finditer('', 'a' * 1_000_000)] * 3",
    "pieces": "re.split('', 'é' * 1_000_000) * 3",
    "searches": "[re.search('(a|b)*c', 'ab' * 200) for _ in range(1_000)]",
    "compiling": "[re.compile('[\\u0100-\\uffff]' + str(i)) for i in range(10_000)]",
    "patterns": "[re.compile('(a|b)' * 80 + str(i)) for i in range(10_000)]",
    "bad patterns": "[f('(' + str(i)) for i in range(100_000)]",
}  # fmt: skip

BOMB_HEAD = """
import re
def f(pattern):
    try:
        re.compile(pattern)
    except re.error:
        pass
"""


@pytest.mark.parametrize("expression", BOMBS.values(), ids=BOMBS.keys())
def test_what_is_made_is_paid_for(runner, expression):
    """Each of these is many gigabytes, or many seconds."""
    with pytest.raises(LimitReached):
        runner.run(f"{BOMB_HEAD}r = {expression}", fuel=10_000_000)


def test_one_search_holds_the_host_for_a_moment_only(runner):
    """The dearest search that is not refused uses a tenth of a call's fuel, and no more."""
    runner.run("import re\nr = re.search('(?:(a)|b){0,60}c', 'ab' * 3_000)", fuel=1_100_000)


@pytest.mark.parametrize(
    "use",
    ["m.anything = 1", "p.pattern = 'b'", "del m.re", "re.error.x = 1", "p.groupindex['a'] = 1"],
    ids=["match", "pattern", "delete", "error class", "groups"],
)
def test_matches_and_patterns_are_read_only(runner, use):
    with pytest.raises((AttributeError, TypeError)):
        runner.run(f"import re\np = re.compile('(?P<n>a)')\nm = p.match('a')\n{use}")
