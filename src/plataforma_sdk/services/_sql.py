"""What a statement says before SQLite reads it: its kind, and how far its common table expressions would expand.

SQLite copies a common table expression at every reference, so that twenty of them, each naming the one before twice,
make a million copies while the statement is *compiled*; before SQLite 3.41 nothing can interrupt that. Measured on
3.40: 2**15 copies of one line take 0.3 s and 50 MB, and each further pair of levels four times as much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["expanded_size", "has_named_placeholder", "statement_kind"]

# the tokens of SQLite's own tokenizer: white space is ASCII, all beyond ASCII belongs to identifiers
_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\n\v\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<quoted>'(?:[^']|'')*+'|"(?:[^"]|"")*+"|`(?:[^`]|``)*+`|\[[^\]]*\])
    |(?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    |(?P<number>[0-9][A-Za-z0-9_]*)
    |(?P<other>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def statement_kind(sql: str) -> str:
    """Return the first word in upper case, comments skipped; empty where there is none.

    >>> statement_kind("/* all */ select 1")
    'SELECT'
    """
    for kind, text in _tokens(sql):
        return text.upper() if kind == "word" and text.isascii() else ""
    return ""


def has_named_placeholder(sql: str) -> bool:
    """Tell whether a placeholder is named or numbered: ``:name``, ``@name``, ``$name``, ``?1``."""
    before = ""
    for kind, text in _tokens(sql):
        if (before in {":", "@", "$"} and kind == "word") or (before == "?" and kind == "number"):
            return True
        before = text
    return False


def expanded_size(sql: str) -> int:
    """Bound from above the characters that `sql` has once its common table expressions are copied in.

    Every definition counts as often as its name stands anywhere in the statement: too much where columns are called
    like it, never too little.
    """
    tokens = list(_tokens(sql))
    seen = Counter(_name(kind, text) for kind, text in tokens if kind in {"word", "quoted"})
    size = len(sql)
    for name in _definitions(tokens):
        size *= max(1, seen[name])
    return size


def _tokens(sql: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "space" and match.lastgroup is not None:
            yield match.lastgroup, match.group()


def _name(kind: str, text: str) -> str:
    """Fold a name as SQLite does: quotes off, ASCII letters alone in lower case."""
    if kind == "quoted":
        quote = text[-1]
        text = text[1:-1].replace(quote * 2, quote)
    return text.translate(_LOWER)


def _definitions(tokens: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the name before every ``[(columns)] AS [[NOT] MATERIALIZED] (``."""
    for index, (kind, text) in enumerate(tokens):
        if kind == "word" and text.upper() == "AS" and _opens(tokens, index + 1):
            before = _skip_columns(tokens, index - 1)
            if before >= 0 and tokens[before][0] in {"word", "quoted"}:
                yield _name(*tokens[before])


def _opens(tokens: Sequence[tuple[str, str]], index: int) -> bool:
    while index < len(tokens) and tokens[index][1].upper() in {"NOT", "MATERIALIZED"}:
        index += 1
    return index < len(tokens) and tokens[index][1] == "("


def _skip_columns(tokens: Sequence[tuple[str, str]], index: int) -> int:
    if index < 0 or tokens[index][1] != ")":
        return index
    depth = 0
    while index >= 0:
        depth += {")": 1, "(": -1}.get(tokens[index][1], 0)
        index -= 1
        if not depth:
            break
    return index
