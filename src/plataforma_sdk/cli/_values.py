"""Raw values of a tree as text for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

__all__ = ["plain", "shown"]

_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_STYLES: Final = {"currency": ",.2f", "percent": ".1%", "number": ","}


def plain(value: object) -> str:
    """Write a value as one line, control, bidirectional and invisible characters as spaces.

    A title could otherwise move the cursor, or rewrite what stands above it.
    **Source:** CWE-150, improper neutralization of escape sequences.

    >>> plain("a\\x1b[2Jb")
    'a [2Jb'
    """
    return "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in str(value))


def shown(value: Any, props: Mapping[str, Any]) -> str:
    """Write a value in the ``format`` of its element or column.

    >>> shown(Decimal("2328.6"), {"format": "currency", "currency": "USD"})
    'USD 2,328.60'
    """
    if value is None:
        return ""
    style = _STYLES.get(props.get("format", ""))
    if style is None or isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return plain(value)
    unit = plain(props.get("currency", "")) if props["format"] == "currency" else ""
    return f"{unit} {value:{style}}".strip()
