"""The points of a chart as the plain values that a drawing takes, bounded in number and length."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from plataforma_sdk.ui._kinds import is_number
from plataforma_sdk.web.charts._locales import Locale

__all__ = [
    "CHAR_PX",
    "Measure",
    "amount",
    "as_dates",
    "cell",
    "epoch_ms",
    "fits",
    "measure_of",
    "short",
    "time_format",
    "turned",
]

MAX_LABEL_CHARS: Final = 120
"""Longer texts are cut, in axes and legends alike."""

CHAR_PX: Final = 6.4
"""Of a character in a label, about."""

_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?", re.ASCII)
_AXIS_PX: Final = 72
_LABEL_ANGLE: Final = -40
_TURNED_PX: Final = 18
"""What a label that is turned takes of the axis."""

_LARGEST: Final = 1e300
_DAY_MS: Final = 86_400_000
_MONTHS_FROM_DAYS: Final = 90
_YEARS_FROM_DAYS: Final = 365 * 8

Measure: TypeAlias = Literal["quantitative", "temporal", "nominal"]


def as_dates(values: Sequence[Any]) -> Sequence[Any]:
    """Read names that are all dates or months, written ``2024-01-31`` or ``2024-01``, as dates; others stay."""
    try:
        dates = [value if value is None else _date(value) for value in values]
    except (TypeError, ValueError):
        return values
    return dates


def _date(text: Any) -> datetime.date:
    if not isinstance(text, str) or not _ISO.fullmatch(text):
        raise ValueError(text)
    return datetime.date.fromisoformat(f"{text}-01"[:10])


def measure_of(values: Iterable[Any]) -> Measure:
    """Tell how a column is measured: all numbers, all dates, or else names. An empty one holds names."""
    found = {_measure(value) for value in values if value is not None}
    return found.pop() if len(found) == 1 else "nominal"


def _measure(value: Any) -> Measure:
    if is_number(value):
        return "quantitative"
    return "temporal" if isinstance(value, datetime.date) else "nominal"


def amount(value: Any) -> float | int | None:
    """Return a number that JavaScript can hold, or None for none and for one beyond its range."""
    if value is None or not is_number(value) or abs(value) > _LARGEST:
        return None
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    number = float(value)
    return number if math.isfinite(number) else None


def epoch_ms(value: datetime.date) -> int:
    """Count milliseconds of UTC; a time without zone is taken as UTC, and a date as its midnight."""
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    elif value.tzinfo is None:
        value = value.replace(tzinfo=datetime.UTC)
    return round((value - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) / datetime.timedelta(milliseconds=1))


def short(text: str) -> str:
    """Cut a text that is too long for a label."""
    return text if len(text) <= MAX_LABEL_CHARS else text[: MAX_LABEL_CHARS - 1] + "…"


def cell(value: Any, locale: Locale, *, as_time: bool) -> Any:
    """Return one value as the drawing takes it: a number, milliseconds where it is a time, or a label."""
    if isinstance(value, datetime.date) and as_time:
        return epoch_ms(value)
    if value is None or is_number(value):
        return amount(value)
    return short(locale.text(value))


def fits(labels: Collection[str], width: int) -> bool:
    """Whether labels have room side by side under a drawing of this width."""
    longest = max(map(len, labels), default=0) * CHAR_PX
    return not labels or longest <= (width - _AXIS_PX) / len(labels) - CHAR_PX


def turned(count: int, width: int) -> dict[str, Any]:
    """Return how an axis turns labels that have no room side by side."""
    has_room = count * _TURNED_PX <= width - _AXIS_PX
    # The drawing would take the boxes around turned labels for the labels, and leave out most of them.
    return {"labelAngle": _LABEL_ANGLE, **({"labelOverlap": False} if has_room else {})}


def time_format(values: Sequence[int], locale: Locale) -> str:
    """Choose how an axis of times is labelled, by how much time it spans."""
    days = (max(values) - min(values)) / _DAY_MS if values else 0
    if days > _YEARS_FROM_DAYS:
        return "%Y"
    if days > _MONTHS_FROM_DAYS:
        return "%b %Y"
    return locale.day if days > 1 else "%H:%M"
