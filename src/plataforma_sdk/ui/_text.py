"""A tree as plain text: for terminals, logs and tests.

Neutral in locale: figures as ``1,234.50``, dates as ISO 8601. Nothing that a module wrote can move a terminal's
cursor or change the direction of its text: what is not printable is shown as a mark.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from plataforma_sdk.ui._element import Element
from plataforma_sdk.ui._text_data import chart_lines, table_lines
from plataforma_sdk.ui._text_values import clean, format_value
from plataforma_sdk.ui._tree import to_data

__all__ = ["render_text"]

MIN_WIDTH: Final = 20
_BAR_CELLS: Final = 20

Node = Mapping[str, Any]
Lines = list[str]


def render_text(tree: Element | Mapping[str, Any], width: int = 80, *, max_rows: int = 20) -> str:
    """Outline a tree in lines of at most `width` characters.

    Args:
        tree: an element, or a tree as `to_data` wrote it and `validate_tree` passed it.
        width: columns of the terminal, at least 20.
        max_rows: rows shown of each table, points of each chart and options of each field.

    >>> from plataforma_sdk import ui
    >>> print(render_text(ui.column(ui.heading("Vendas"), ui.metric("Receita", 2328.6, format="currency"))))
    # Vendas
    Receita: 2,328.60
    """
    data = to_data(tree) if isinstance(tree, Element) else tree
    width = max(width, MIN_WIDTH)
    return "\n".join(line[:width].rstrip() for line in _lines(data, width, max_rows))


def _lines(node: Node, width: int, rows: int) -> Lines:
    width = max(width, MIN_WIDTH)
    if node["type"] == "table":
        return table_lines(node["props"], width, rows)
    if node["type"] == "chart":
        return chart_lines(node["props"], width, rows)
    one_line = _ONE_LINE.get(node["type"])
    if one_line is not None:
        return _wrap(one_line(node["props"]), width)
    container = _CONTAINERS.get(node["type"], _plugin)
    return container(node, width, rows)


def _wrap(text: str, width: int) -> Lines:
    lines: Lines = []
    for line in text.split("\n"):
        lines += textwrap.wrap(line, width, break_on_hyphens=False) or [""]
    return lines


def _stack(children: Sequence[Node], width: int, rows: int) -> Lines:
    return [line for child in children for line in _lines(child, width, rows)]


def _indent(children: Sequence[Node], width: int, rows: int, mark: str = "  ") -> Lines:
    return [mark + line for line in _stack(children, width - len(mark), rows)]


# --- containers ----------------------------------------------------------------------------------------------------


def _column(node: Node, width: int, rows: int) -> Lines:
    return _stack(node["children"], width, rows)


def _row(node: Node, width: int, rows: int) -> Lines:
    """Side by side where every child is one line and all fit; else stacked."""
    parts = [_lines(child, width, rows) for child in node["children"]]
    joined = "   ".join(part[0] for part in parts if part)
    if all(len(part) <= 1 for part in parts) and len(joined) <= width:
        return [joined] if joined else []
    return [line for part in parts for line in part]


def _framed(node: Node, width: int, rows: int) -> Lines:
    props = node["props"]
    title = " - ".join(clean(props[name]) for name in ("title", "subtitle") if props.get(name))
    press = " >" if "on_press" in props else ""
    return [*_wrap(f"+ {title}{press}".rstrip(), width), *_indent(node["children"], width, rows, "| ")]


def _tabs(node: Node, width: int, rows: int) -> Lines:
    """All pages, the selected one marked: an outline hides nothing."""
    selected = node["props"].get("selected", 0)
    lines: Lines = []
    for place, tab in enumerate(node["children"]):
        mark = "*" if place == selected else "-"
        lines += [f"{mark} {line}" for line in _wrap(clean(tab["props"]["label"]), width - 2)]
        lines += _indent(tab["children"], width, rows)
    return lines


def _list(node: Node, width: int, rows: int) -> Lines:
    lines: Lines = []
    for place, child in enumerate(node["children"], 1):
        mark = f"{place}. " if node["props"].get("ordered") else "- "
        item = _lines(child, width - len(mark), rows) or [""]
        lines += [mark + item[0], *(" " * len(mark) + line for line in item[1:])]
    return lines


def _form(node: Node, width: int, rows: int) -> Lines:
    lines = _stack(node["children"], width, rows)
    if "on_submit" in node["props"]:
        lines += _wrap(f"[ {clean(node['props'].get('submit_label', 'OK'))} ]", width)
    return lines


def _modal(node: Node, width: int, rows: int) -> Lines:
    return [
        *_wrap(f"== {clean(node['props']['title'])} ==", width),
        *_indent(node["children"], width, rows),
    ]


def _plugin(node: Node, width: int, rows: int) -> Lines:
    return [*_wrap(f"<{clean(node['type'])}>", width), *_indent(node["children"], width, rows)]


_CONTAINERS: Final[Mapping[str, Callable[[Node, int, int], Lines]]] = {
    "window": _framed,
    "card": _framed,
    "row": _row,
    "column": _column,
    "tabs": _tabs,
    "tab": _column,
    "list": _list,
    "form": _form,
    "modal": _modal,
}


# --- one line ------------------------------------------------------------------------------------------------------


def _metric(props: Node) -> str:
    change = props.get("change")
    shown = "" if change is None else f" ({'+' if change >= 0 else ''}{format_value(change, 'percent')})"
    return f"{clean(props['label'])}: {format_value(props['value'], props.get('format'), props.get('currency'))}{shown}"


def _alert(props: Node) -> str:
    title = f"{clean(props['title'])}: " if "title" in props else ""
    return f"[{props.get('tone', 'info')}] {title}{clean(props['text'])}"


def _progress(props: Node) -> str:
    label = f"{clean(props['label'])} " if "label" in props else ""
    value = props.get("value")
    if value is None:
        return f"{label}[{'?' * _BAR_CELLS}]"
    share = float(Decimal(value) / Decimal(props.get("maximum", 1)))
    full = round(share * _BAR_CELLS)
    return f"{label}[{'#' * full}{'.' * (_BAR_CELLS - full)}] {share:.0%}"


def _button(props: Node) -> str:
    return f"({clean(props['label'])})" if props.get("disabled") else f"[ {clean(props['label'])} ]"


def _label(props: Node) -> str:
    return clean(props.get("label", props["name"])) + ("*" if props.get("required") else "")


def _input(props: Node) -> str:
    value = props.get("value")
    secret = props.get("kind") == "password" and value
    shown = "********" if secret else format_value(value) if value is not None else clean(props.get("placeholder", ""))
    return f"{_label(props)}: [{shown}]"


def _select(props: Node) -> str:
    value = props.get("value")
    chosen = value if isinstance(value, list) else [value]
    labels = [clean(option["label"]) for option in props["options"] if option["value"] in chosen]
    return f"{_label(props)}: [{', '.join(labels) or clean(props.get('placeholder', ''))} v]"


_ONE_LINE: Final[Mapping[str, Callable[[Node], str]]] = {
    "text": lambda props: format_value(props["value"], props.get("format"), props.get("currency")),
    "heading": lambda props: f"{'#' * props.get('level', 1)} {clean(props['text'])}",
    "image": lambda props: f"[image: {clean(props['alt'])}]" if props["alt"] else "",
    "icon": lambda props: f"({clean(props.get('label', props['name']))})",
    "badge": lambda props: f"<{clean(props['text'])}>",
    "divider": lambda props: f"--- {clean(props['label'])} ---" if "label" in props else "---",
    "alert": _alert,
    "progress": _progress,
    "metric": _metric,
    "button": _button,
    "text_field": _input,
    "number_field": _input,
    "date_field": _input,
    "select_field": _select,
    "checkbox_field": lambda props: f"[{'x' if props.get('value') else ' '}] {_label(props)}",
}
