"""Kinds of properties that hold more than one value: rows, columns, options, points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

from plataforma_sdk.ui._kinds import CURRENCY, FLAG, LABEL, SCALAR, Kind, MisfitError, choice, is_number, plain, unique

__all__ = ["ALIGN", "COLUMNS", "FORMAT", "NAMES", "OPTIONS", "POINTS", "ROWS", "Align", "Column", "Format"]

MAX_ROWS: Final = 50_000
MAX_COLUMNS: Final = 200
MAX_OPTIONS: Final = 5_000
MAX_POINTS: Final = 10_000
MAX_CELLS: Final = 500_000
"""Points of a chart, times their columns: a point that lacks a column gets it, so a small tree could become large."""

Format: TypeAlias = Literal["text", "number", "currency", "percent", "date", "datetime"]
"""How a viewer shows a raw value; ``"percent"`` shows 0.12 as 12 %."""
Align: TypeAlias = Literal["start", "center", "end"]

FORMAT: Final = choice("text", "number", "currency", "percent", "date", "datetime")
ALIGN: Final = choice("start", "center", "end")


@attrs.frozen
class Column:
    """A column of a table.

    Attributes:
        name: key of the rows.
        label: its heading; the name where None.
        format: how values are shown; by their type where None.
        currency: ISO 4217 code for ``format="currency"``; the viewer's own where None.
        align: where values stand; numbers at the end, all else at the start where None.

    >>> Column("total", "Total", format="currency", currency="BRL").label
    'Total'
    """

    name: str
    label: str | None = None
    format: Format | None = None
    currency: str | None = None
    align: Align | None = None


_COLUMN_KINDS: Final[Mapping[str, Kind]] = {
    "name": LABEL,
    "label": LABEL,
    "format": FORMAT,
    "currency": CURRENCY,
    "align": ALIGN,
}


def _items(value: Any, limit: int, what: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise MisfitError(f"a {type(value).__name__} is no list")
    if len(value) > limit:
        raise MisfitError(f"{len(value):,} {what} are more than {limit:,}; send a part of them")
    return value


def _row(row: Any) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise MisfitError(f"a row is a {type(row).__name__}, not a dict")
    check = SCALAR.check
    try:
        return {plain(name): check(value) for name, value in row.items()}
    except MisfitError as error:
        if error.args:
            raise
        raise MisfitError("a row has a key that is no text") from None


def _rows(value: Any) -> list[dict[str, Any]]:
    return [_row(row) for row in _items(value, MAX_ROWS, "rows")]


def _column(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = Column(value)
    if isinstance(value, Column):
        value = {name: getattr(value, name) for name in _COLUMN_KINDS if getattr(value, name) is not None}
    return _checked_dict(value, _COLUMN_KINDS, "name", "column")


def _checked_dict(value: Any, kinds: Mapping[str, Kind], required: str, what: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or required not in value or not set(value) <= set(kinds):
        raise MisfitError(f"a {what} has the keys {', '.join(kinds)}")
    checked = {}
    for name in kinds:
        if name in value:
            try:
                checked[name] = kinds[name].check(value[name])
            except MisfitError as error:
                problem = str(error) if error.args else f"expected {kinds[name].expects}"
                raise MisfitError(f"the {name} of a {what}: {problem}") from None
    return checked


def _columns(value: Any) -> list[dict[str, Any]]:
    columns = [_column(column) for column in _items(value, MAX_COLUMNS, "columns")]
    unique((column["name"] for column in columns), "column")
    return columns


_OPTION_KINDS: Final[Mapping[str, Kind]] = {"value": SCALAR, "label": LABEL, "disabled": FLAG}


def _option(value: Any) -> dict[str, Any]:
    if isinstance(value, (list, tuple)):
        if len(value) != 2:  # noqa: PLR2004 - a pair
            raise MisfitError("an option is a value or a pair (value, label)")
        value = {"value": value[0], "label": value[1]}
    elif not isinstance(value, Mapping):
        value = {"value": value}
    option = _checked_dict(value, _OPTION_KINDS, "value", "option")
    if isinstance(option["value"], bool) or not isinstance(option["value"], (str, int)):
        raise MisfitError(f"an option's value is a text or a whole number, not {option['value']!r}")
    option.setdefault("label", str(option["value"]))
    return option


def _options(value: Any) -> list[dict[str, Any]]:
    options = [_option(option) for option in _items(value, MAX_OPTIONS, "options")]
    unique((option["value"] for option in options), "option")
    return options


def _points(value: Any) -> list[dict[str, Any]]:
    """Write points as rows: rows stay, pairs and a mapping label -> number become rows with ``x`` and ``y``."""
    if isinstance(value, Mapping):
        value = list(value.items())
    points = _items(value, MAX_POINTS, "points")
    return [_row(point if isinstance(point, Mapping) else _pair(point)) for point in points]


def _pair(point: Any) -> dict[str, Any]:
    if not isinstance(point, (list, tuple)) or len(point) != 2 or not (point[1] is None or is_number(point[1])):  # noqa: PLR2004
        raise MisfitError("a point is a dict or a pair (label, number)")
    return {"x": point[0], "y": point[1]}


def _names(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else _items(value, MAX_COLUMNS, "names")
    if not names:
        raise MisfitError("it names no column")
    unique(names, "name")
    return [LABEL.check(name) for name in names]


def first_names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Collect the keys of all rows, in the order in which they first come."""
    names: dict[str, None] = {}
    for row in rows:
        if not names.keys() >= row.keys():
            names.update(dict.fromkeys(row))
    return list(names)


ROWS: Final = Kind("a list of dicts with single values", _rows)
COLUMNS: Final = Kind("a list of names or ui.Column", _columns)
OPTIONS: Final = Kind("a list of values or pairs (value, label)", _options)
POINTS: Final = Kind("a list of dicts or of pairs (label, number), or a dict label -> number", _points)
NAMES: Final = Kind("a name or a list of names", _names)
