"""Tables and charts as text."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from plataforma_sdk.ui._kinds import is_number
from plataforma_sdk.ui._text_values import clean, format_value

__all__ = ["chart_lines", "table_lines"]

_GAP: Final = "  "
_MIN_COLUMN: Final = 4
_MIN_BAR: Final = 8


def table_lines(props: Mapping[str, Any], width: int, max_rows: int) -> list[str]:
    """Write a table with a head, a rule and at most `max_rows` rows; columns that do not fit are counted."""
    title = [clean(props["title"])[:width]] if "title" in props else []
    rows, columns = props["rows"], props["columns"]
    if not rows:
        return [*title, clean(props.get("empty", "(no rows)"))[:width]]
    cells = [
        [_cell(clean(column.get("label", column["name"])))]
        + [_cell(_value(row.get(column["name"]), column)) for row in rows[:max_rows]]
        for column in columns
    ]
    widths = _fit([max(map(len, column)) for column in cells], width)
    at_end = [_stands_at_end(column, rows[:max_rows]) for column in columns]
    lines = [_line(line, widths, at_end) for line in zip(*cells, strict=True)]
    lines.insert(1, _GAP.join("-" * size for size in widths))
    return [*title, *lines, *_left_out(len(rows) - max_rows, "row"), *_left_out(len(columns) - len(widths), "column")]


def chart_lines(props: Mapping[str, Any], width: int, max_points: int) -> list[str]:
    """Write a chart as bars of its first measure, all its figures beside them."""
    points, x, names = props["data"], props["x"], props.get("y", [])
    lines = [clean(props["title"])[:width]] if "title" in props else []
    if "alt" in props:
        lines.append(_cell(clean(props["alt"]))[:width])
    shown = points[:max_points]
    labels = [_cell(format_value(point[x])) for point in shown]
    figures = [", ".join(_value(point[name], props) for name in names) for point in shown]
    label_width = min(max(map(len, labels), default=0), width // 3)
    figure_width = min(max(map(len, figures), default=0), width // 3)
    cells = max(width - label_width - figure_width - 2 * len(_GAP), _MIN_BAR)
    bars = _bars([point[names[0]] if names else None for point in shown], cells)
    for label, figure, bar in zip(labels, figures, bars, strict=True):
        lines.append(
            f"{_cut(label, label_width):{label_width}}{_GAP}{_cut(figure, figure_width):>{figure_width}}{_GAP}{bar}"[
                :width
            ]
        )
    return [*lines, *_left_out(len(points) - max_points, "point")]


def _bars(values: Sequence[Any], cells: int) -> list[str]:
    numbers = [Decimal(0) if value is None else Decimal(value) for value in values]
    top = max((abs(number) for number in numbers), default=Decimal(0))
    return ["#" * int(abs(number) / top * cells) if top else "" for number in numbers]


def _value(value: Any, props: Mapping[str, Any]) -> str:
    return "" if value is None else format_value(value, props.get("format"), props.get("currency"))


def _cell(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _fit(wanted: list[int], width: int) -> list[int]:
    """Shrink the widest columns until all fit, and drop columns at the end where even narrow ones do not."""
    most = max((width + len(_GAP)) // (_MIN_COLUMN + len(_GAP)), 1)
    widths = wanted[:most]
    room = width - len(_GAP) * (len(widths) - 1)
    excess = sum(widths) - room
    while excess > 0:
        widest = max(range(len(widths)), key=widths.__getitem__)
        others = [size for place, size in enumerate(widths) if place != widest]
        target = max(max(others, default=0) - 1, widths[widest] - excess, _MIN_COLUMN)
        target = min(target, widths[widest] - 1)
        excess -= widths[widest] - target
        widths[widest] = target
    return widths


def _stands_at_end(column: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    align = column.get("align")
    if align is not None:
        return bool(align == "end")
    values = [row.get(column["name"]) for row in rows]
    return all(value is None or is_number(value) for value in values) and not all(
        value is None or isinstance(value, datetime.date) for value in values
    )


def _line(cells: Sequence[str], widths: Sequence[int], at_end: Sequence[bool]) -> str:
    shown = []
    for cell, width, end in zip(cells, widths, at_end, strict=False):
        cut = _cut(cell, width)
        shown.append(cut.rjust(width) if end else cut.ljust(width))
    return _GAP.join(shown)


def _left_out(count: int, noun: str) -> list[str]:
    return [f"… {count:,} more {noun}{'' if count == 1 else 's'}"] if count > 0 else []
