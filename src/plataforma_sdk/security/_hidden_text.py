"""What a reader of a source does not see: characters without a shape, controls that turn lines round, twins of letters.

**Source:** Boucher and Anderson, "Trojan Source" (CVE-2021-42574, CVE-2021-42694); Unicode TR36 and TR39; PEP 672;
Koi Security, "GlassWorm" (2025).
"""

from __future__ import annotations

import ast
import builtins
import io
import re
import tokenize
import unicodedata
from collections.abc import Iterator
from typing import Final

from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._source import Source

__all__ = ["hidden_text_issues"]

_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE: Final = re.compile(
    "[\U000e0100-\U000e01ef]{2,}"  # variation selectors supplement: one may stand after an ideograph
    "|[\ufe00-\ufe0f]{2,}"
    "|[\u200b\u200c\u200d\u2060-\u2064\ufeff\u180e\u00ad]{3,}"
    "|[\u3164\u115f\u1160\uffa0]"  # fillers of Hangul, which are letters and can be names
    "|[\ue000-\uf8ff\U000f0000-\U0010ffff]{8,}"  # private use, without a shape in most fonts
)
_TAGS: Final = re.compile("(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0001\U000e0020-\U000e007f]{2,}")
"""Tag characters spell flags after a black flag, and hidden text anywhere else."""
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_PAIRED: Final = re.compile("(?:[ -~][\ufe00-\ufe0e\U000e0100-\U000e01ef]){4,}")
"""ASCII letters each with a selector: one byte hidden at each."""
_SPACE: Final = r"[ \t\u3000\u2000-\u200a\u00a0]"
_GAP: Final = re.compile(rf"(?<!{_SPACE}){_SPACE}{{100,}}+(?P<code>[^\s#'\"\]}})][^\n]{{0,200}})")
"""Possessive, and only from where a gap begins: a file of nothing but spaces is passed over in one step."""
_CYRILLIC_TWINS: Final = dict(zip("аеорсхуіјѕԁһԛԝАВЕКМНОРСТУХІЈЅ", "aeopcxyijsdhqwABEKMHOPCTYXIJS", strict=True))
_GREEK_TWINS: Final = dict(zip("ονικυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ovikuABEZHIKMNOPTYX", strict=True))
_TWINS: Final = str.maketrans({**_CYRILLIC_TWINS, **_GREEK_TWINS})
_MATHS: Final = re.compile("[\U0001d400-\U0001d7ff\uff21-\uff3a\uff41-\uff5a\u2100-\u214f]")


def hidden_text_issues(source: Source) -> Iterator[Issue]:
    """Find what a reader of a source does not see; reads tokens only where not all is ASCII."""
    for found in _GAP.finditer(source.text):
        if _is_code(found["code"]):
            line = _line(source.text, found.start())
            yield Issue.of("code-out-of-sight", source.path, line, f"behind a wide gap stands {found['code'][:60]!r}")
    if not source.text.isascii():
        yield from _characters(source)
        yield from _identifiers(source)


def _is_code(text: str) -> bool:
    """Whether it does something, as opposed to a table that is laid out in columns."""
    return text.startswith(";") or any(word in text for word in ("import", "exec", "eval", "open(", "getattr", "__"))


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _characters(source: Source) -> Iterator[Issue]:
    found = _BIDI.search(source.text)
    if found:
        name = unicodedata.name(found.group(), "a control")
        message = f"the source holds {name} (U+{ord(found.group()):04X})"
        yield Issue.of("reversed-text", source.path, _line(source.text, found.start()), message)
    for pattern in (_INVISIBLE, _TAGS, _PAIRED):
        found = pattern.search(source.text)
        if found:
            shown = " ".join(f"U+{ord(char):04X}" for char in found.group()[:4])
            message = f"{len(found.group())} characters that nobody sees, {shown}"
            yield Issue.of("invisible-text", source.path, _line(source.text, found.start()), message)
    if len(_SELECTORS.findall(source.text)) > 4 * (
        1 + len(re.findall("[\u2190-\u2bff\U0001f000-\U0001faff#*0-9]\ufe0f", source.text))
    ):
        first = _SELECTORS.search(source.text)
        yield Issue.of(
            "invisible-text",
            source.path,
            _line(source.text, first.start() if first else 0),
            "selectors without pictograms",
        )


def _identifiers(source: Source) -> Iterator[Issue]:
    names: dict[str, int] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
            if token.type in (tokenize.NAME, tokenize.ERRORTOKEN) and not token.string.isascii():
                names.setdefault(token.string, token.start[0])
    except (tokenize.TokenError, SyntaxError, IndentationError):
        pass  # what does not parse is said so elsewhere
    plain = _plain_names(source.tree) if names else frozenset()
    for name, line in names.items():
        problem = _problem(name, plain)
        if problem:
            yield Issue.of("look-alike-name", source.path, line, f"the name {name[:40]!r} {problem}")


def _problem(name: str, plain: frozenset[str]) -> str:
    if _MATHS.search(name):
        return f"is read as {unicodedata.normalize('NFKC', name)[:40]!r}"
    skeleton = name.translate(_TWINS)
    has_twin = any(char in _CYRILLIC_TWINS or char in _GREEK_TWINS for char in name)
    if has_twin and any("a" <= char.lower() <= "z" for char in name):
        return "mixes letters of two scripts that look alike"
    if has_twin and len(name) > 2 and skeleton in plain:  # noqa: PLR2004 - a formula's letters
        return f"looks like {skeleton!r} and is another"
    return ""


def _plain_names(tree: ast.Module | None) -> frozenset[str]:
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id.isascii()} if tree else set()
    return frozenset(own | set(dir(builtins)))
