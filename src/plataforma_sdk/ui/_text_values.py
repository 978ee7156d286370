"""Single values as text, neutral in locale."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from plataforma_sdk.ui._kinds import is_number

__all__ = ["clean", "format_value"]


def clean(text: str) -> str:
    """Replace what a terminal could obey: controls, escapes and direction marks; lines and printable text stay.

    Source: CVE-2021-42574 (direction marks), CWE-150 (escape sequences).
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else " " if char == "\t" else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def format_value(value: Any, format: str | None = None, currency: str | None = None) -> str:  # noqa: A002
    """Write a raw value by its format, or by its type where there is none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_number(value):
        return _number(value, format, currency)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if format == "date" else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return clean(str(value))


def _number(value: int | float | Decimal, format: str | None, currency: str | None) -> str:  # noqa: A002
    if format == "currency":
        return f"{value:,.2f} {currency or ''}".rstrip()
    if format == "percent":
        return f"{Decimal(str(value)) * 100:,.1f}%"
    if format == "text" or isinstance(value, Decimal):
        return str(value) if format == "text" else f"{value:,f}"
    return f"{value:,}"
