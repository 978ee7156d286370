"""Words of a module that a person will read: made harmless, and quoted as the module's own."""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["MAX_REASON_CHARS", "clean_text", "quote"]

MAX_REASON_CHARS: Final = 200
MAX_MARKS: Final = 3
"""Combining marks in a row; more of them paint over the neighbouring lines."""

_MAX_READ: Final = 2_000
"""Characters looked at, however long the text is."""

_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that show nothing although their category does not say so: fillers, joiners, the empty Braille cell.

**Source:** Unicode, Default_Ignorable_Code_Point; UTS #39, section 5.
"""

_QUOTES: Final = dict.fromkeys(map(ord, '"«»“”„‟″‶〝〞〟＂❝❞❠⹂'), "'")


def clean_text(text: str, limit: int = MAX_REASON_CHARS) -> str:
    """Strip control, bidi and invisible characters, join white space, and cut to `limit` characters.

    **Source:** CVE-2021-42574 ("Trojan Source"): bidi controls make a text read as another one.

    >>> clean_text("for\\u202e safety\\n")
    'for safety'
    """
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[:_MAX_READ]):
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category[0] == "Z" or char in "\t\n\r\v\f\x85":
            kept.append(" ")
        elif category[0] != "C" and marks <= MAX_MARKS and not _is_invisible(char):
            kept.append(char)
    words = " ".join("".join(kept).split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def quote(text: str) -> str:
    """Put a text in quotation marks that it cannot close: its own become apostrophes."""
    return f'"{text.translate(_QUOTES)}"'


def _is_invisible(char: str) -> bool:
    """Tell blanks and variation selectors, which hide text in plain sight."""
    return (
        char in _BLANK
        or "\ufe00" <= char <= "\ufe0f"
        or "\U000e0100" <= char <= "\U000e01ef"
        or ("\u180b" <= char <= "\u180f")
    )
