"""Raw values of a tree in a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from plataforma_sdk.cli._values import plain, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vendas é ok 💶", "Vendas é ok 💶"),
        ("a\x1b[2Jb", "a [2Jb"),
        ("a\x9b31mb", "a 31mb"),
        ("x\u202egnp.exe", "x gnp.exe"),
        ("one\ntwo\r", "one two "),
        ("zero\u200bwidth", "zero width"),
    ],
    ids=["plain", "escape", "c1-control", "bidi", "lines", "zero-width"],
)
def test_control_characters_do_not_reach_the_terminal(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("value", "props", "expected"),
    [
        (Decimal("2328.6"), {"format": "currency", "currency": "USD"}, "USD 2,328.60"),
        (Decimal("2328.6"), {"format": "currency"}, "2,328.60"),
        (3503, {"format": "number"}, "3,503"),
        (0.125, {"format": "percent"}, "12.5%"),
        (3503, {}, "3503"),
        (None, {"format": "number"}, ""),
        (True, {"format": "number"}, "True"),
        ("text", {"format": "currency", "currency": "USD"}, "text"),
        ("2025-12-22", {"format": "date"}, "2025-12-22"),
    ],
)
def test_values_follow_their_format(value: Any, props: dict[str, Any], expected: str) -> None:
    assert shown(value, props) == expected
