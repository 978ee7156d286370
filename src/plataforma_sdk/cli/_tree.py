"""A window in a terminal: an element tree, drawn with rich. What a module wrote never reaches rich as markup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from plataforma_sdk.cli._bars import draw_chart
from plataforma_sdk.ui._text_values import clean, format_value

__all__ = ["draw"]

Node: TypeAlias = Mapping[str, Any]
Draw: TypeAlias = Callable[[Node], RenderableType]

_TONES: Final = {"primary": "blue", "info": "cyan", "success": "green", "warning": "yellow", "danger": "red"}
_MAX_ROWS: Final = 10


def draw(node: Node) -> RenderableType:
    """Draw an element and what it holds; of an element that a terminal does not know, its children."""
    return _DRAWERS.get(node["type"], _children)(node)


def _shown(value: Any, props: Mapping[str, Any]) -> str:
    return format_value(value, props.get("format"), props.get("currency"))


def _children(node: Node) -> RenderableType:
    return Group(*(draw(child) for child in node["children"]))


def _side_by_side(node: Node) -> RenderableType:
    return Columns([draw(child) for child in node["children"]], padding=(0, 2))


def _box(node: Node) -> RenderableType:
    props = node["props"]
    title = props.get("title") or props.get("label")
    return Panel(_children(node), title=Text(clean(title)) if title else None, title_align="left", border_style="dim")


def _styled(name: str, style: str = "") -> Draw:
    """Draw one property as a line of text."""

    def line(node: Node) -> RenderableType:
        props = node["props"]
        return Text(_shown(props.get(name, ""), props), style=_TONES.get(props.get("tone", ""), style))

    return line


def _metric(node: Node) -> RenderableType:
    props = node["props"]
    value = Text(_shown(props["value"], props), style=_TONES.get(props.get("tone", ""), "bold"))
    return Panel(value, title=Text(clean(props["label"])), expand=False)


def _button(node: Node) -> RenderableType:
    return Text(f"[ {clean(node['props']['label'])} ]", style="reverse")


def _field(node: Node) -> RenderableType:
    props = node["props"]
    value = props.get("value")
    labels = {option["value"]: option["label"] for option in props.get("options", ())}
    chosen = value if isinstance(value, list) else [value]
    text = ", ".join(clean(str(labels.get(item, "" if item is None else item))) for item in chosen)
    return Text.assemble((f"{clean(props.get('label') or props['name'])}: ", "bold"), (f"[{text}]", ""))


def _items(node: Node) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for number, child in enumerate(node["children"], 1):
        grid.add_row(f"{number}." if node["props"].get("ordered") else "•", draw(child))
    return grid


def _table(node: Node) -> RenderableType:
    props = node["props"]
    table = Table(title=Text(clean(props["title"])) if "title" in props else None, title_justify="left")
    rows, columns = props["rows"], props["columns"]
    for column in columns:
        is_amount = column.get("format") in {"currency", "number", "percent"}
        table.add_column(Text(clean(column.get("label") or column["name"])), justify="right" if is_amount else "left")
    for row in rows[:_MAX_ROWS]:
        table.add_row(*(Text(_shown(row.get(column["name"]), column)) for column in columns))
    left = len(rows) - _MAX_ROWS
    return Group(table, Text(f"{left:,} more rows", style="dim")) if left > 0 else table


def _progress(node: Node) -> RenderableType:
    props = node["props"]
    share = float(props.get("value") or 0) / float(props.get("maximum", 1))
    return Text(f"{clean(props.get('label', ''))} {share:.0%}".strip())


_DRAWERS: Final[Mapping[str, Draw]] = {
    "row": _side_by_side,
    "card": _box,
    "tab": _box,
    "form": _box,
    "modal": _box,
    "window": _box,
    "list": _items,
    "divider": lambda node: Rule(clean(node["props"].get("label", "")), style="dim"),
    "text": _styled("value"),
    "heading": _styled("text", "bold"),
    "image": _styled("alt", "italic"),
    "icon": _styled("label"),
    "badge": _styled("text", "reverse"),
    "alert": _styled("text", "yellow"),
    "progress": _progress,
    "metric": _metric,
    "button": _button,
    "table": _table,
    "chart": lambda node: draw_chart(node["props"]),
    **dict.fromkeys(("text_field", "number_field", "select_field", "checkbox_field", "date_field"), _field),
}
