"""A chart in a terminal: one bar for each point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from plataforma_sdk.ui._text_values import clean, format_value

__all__ = ["draw_chart"]

_WIDTH: Final = 30
_MAX_POINTS: Final = 12


def draw_chart(props: Mapping[str, Any]) -> RenderableType:
    """Draw the first series: the last points of a line, which are the newest, and the first of any other kind."""
    points = props["data"]
    is_line = props["kind"] in {"line", "area"}
    chosen = points[-_MAX_POINTS:] if is_line else points[:_MAX_POINTS]
    parts: list[RenderableType] = [Text(clean(props["title"]), style="bold")] if "title" in props else []
    parts.append(_bars(chosen, props))
    left = len(points) - len(chosen)
    if left:
        parts.append(Text(f"{left:,} {'earlier' if is_line else 'more'}", style="dim"))
    return Group(*parts)


def _bars(points: Sequence[Mapping[str, Any]], props: Mapping[str, Any]) -> Table:
    x, y = props["x"], next(iter(props.get("y", ())), None)
    amounts = [None if y is None else point[y] for point in points]
    longest = max((abs(float(amount or 0)) for amount in amounts), default=0) or 1
    table = Table.grid(padding=(0, 1))
    for point, amount in zip(points, amounts, strict=True):
        length = round(abs(float(amount or 0)) / longest * _WIDTH)
        shown = "" if y is None else format_value(amount, props.get("format"), props.get("currency"))
        table.add_row(Text(format_value(point[x])), Text("█" * length, style="cyan"), Text(shown))
    return table
