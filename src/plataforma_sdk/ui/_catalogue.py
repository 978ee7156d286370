"""The catalogue: every element, its properties, its events and its children, in one table.

The builders of this package, the host's check of an untrusted tree and every viewer read the same table. A plugin's
element, ``vendor.name``, is not in it: it takes any plain properties, any children, and events named ``on_...``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from plataforma_sdk.ui import _kinds as kinds
from plataforma_sdk.ui._action import ACTION
from plataforma_sdk.ui._data_kinds import COLUMNS, FORMAT, NAMES, OPTIONS, POINTS, ROWS
from plataforma_sdk.ui._kinds import CURRENCY, DATE, FIELD_NAME, FLAG, ICON, LABEL, NUMBER, SCALAR, TEXT, Kind
from plataforma_sdk.ui._vega import VEGA

__all__ = ["CATALOGUE", "ElementSpec", "Property"]


@attrs.frozen
class Property:
    """One property of an element.

    Attributes:
        kind: what it may hold.
        required: whether every such element has it.
    """

    kind: Kind
    required: bool = False


@attrs.frozen(kw_only=True)
class ElementSpec:
    """One line of the catalogue.

    Attributes:
        type: the element's name in a tree.
        properties: property -> what it may hold, events left out.
        events: names of the events that it fires, each of which holds an action.
        value: what its events carry, by the name of its check, or None where they carry nothing.
        children: types of its children, empty for none, or None for any.
        is_field: whether it is an input that a form collects by its `name`.
    """

    type: str
    properties: Mapping[str, Property]
    events: tuple[str, ...] = ()
    value: str | None = None
    children: tuple[str, ...] | None = ()
    is_field: bool = False

    def kind_of(self, name: str) -> Kind | None:
        """Return what a property or event may hold, or None where there is none of this name."""
        if name in self.events:
            return ACTION
        known = self.properties.get(name)
        return known.kind if known else None


GAP: Final = kinds.choice("none", "small", "medium", "large")
SIZE: Final = kinds.choice("small", "medium", "large")
TONE: Final = kinds.choice("neutral", "primary", "info", "success", "warning", "danger")
PIXELS: Final = kinds.integer(1, 10_000)
_LAYOUT: Final = {"gap": GAP, "align": kinds.choice("start", "center", "end", "stretch")}
_FORMATTED: Final = {"format": FORMAT, "currency": CURRENCY}
_FIELD: Final = {"label": LABEL, "required": FLAG, "disabled": FLAG, "help": LABEL}
ANY: Final = None


def _line(
    element: str,
    required: Mapping[str, Kind] | None = None,
    optional: Mapping[str, Kind] | None = None,
    *,
    events: tuple[str, ...] = (),
    value: str | None = None,
    children: tuple[str, ...] | None = (),
    is_field: bool = False,
) -> tuple[str, ElementSpec]:
    properties = {name: Property(kind, required=True) for name, kind in (required or {}).items()}
    properties |= {name: Property(kind) for name, kind in (optional or {}).items()}
    spec = ElementSpec(
        type=element, properties=properties, events=events, value=value, children=children, is_field=is_field
    )
    return element, spec


def _field(element: str, value: Kind, required: Mapping[str, Kind], **optional: Kind) -> tuple[str, ElementSpec]:
    return _line(
        element,
        {"name": FIELD_NAME, **required},
        {**_FIELD, "value": value, **optional},
        events=("on_change", "on_submit"),
        value=element,
        is_field=True,
    )


CATALOGUE: Final[Mapping[str, ElementSpec]] = dict(
    (
        # --- layout ---
        _line("window", {"title": LABEL}, {"icon": ICON, **_LAYOUT}, children=ANY),
        _line("row", {}, {"wrap": FLAG, **_LAYOUT}, children=ANY),
        _line("column", {}, _LAYOUT, children=ANY),
        _line("card", {}, {"title": LABEL, "subtitle": LABEL, "icon": ICON}, events=("on_press",), children=ANY),
        _line("tabs", {}, {"selected": kinds.integer(0, 999)}, events=("on_select",), value="child", children=("tab",)),
        _line("tab", {"label": LABEL}, {"icon": ICON}, children=ANY),
        _line("list", {}, {"ordered": FLAG}, events=("on_select",), value="child", children=ANY),
        _line("form", {}, {"submit_label": LABEL}, events=("on_submit",), value="form", children=ANY),
        _line("modal", {"title": LABEL}, {"size": SIZE}, events=("on_close",), children=ANY),
        _line("divider", {}, {"label": LABEL}),
        # --- content ---
        _line(
            "text",
            {"value": SCALAR},
            {
                **_FORMATTED,
                "size": SIZE,
                "tone": TONE,
                "weight": kinds.choice("normal", "bold"),
                "style": kinds.choice("normal", "italic", "code"),
            },
        ),
        _line("heading", {"text": LABEL}, {"level": kinds.integer(1, 6)}),
        _line("image", {"src": kinds.IMAGE_URL, "alt": LABEL}, {"width": PIXELS, "height": PIXELS}),
        _line("icon", {"name": ICON}, {"size": SIZE, "tone": TONE, "label": LABEL}),
        _line("badge", {"text": LABEL}, {"tone": TONE, "icon": ICON}),
        _line("alert", {"text": TEXT}, {"tone": TONE, "title": LABEL}, events=("on_close",)),
        _line("progress", {}, {"value": NUMBER, "maximum": NUMBER, "label": LABEL}),
        _line(
            "metric",
            {"label": LABEL, "value": SCALAR},
            {**_FORMATTED, "change": NUMBER, "tone": TONE, "icon": ICON},
        ),
        _line(
            "button",
            {"label": LABEL},
            {"icon": ICON, "tone": TONE, "disabled": FLAG},
            events=("on_press",),
        ),
        # --- data ---
        _line(
            "table",
            {"rows": ROWS},
            {
                "columns": COLUMNS,
                "title": LABEL,
                "filterable": FLAG,
                "page_size": kinds.integer(1, 1_000),
                "row_key": LABEL,
                "empty": LABEL,
            },
            events=("on_select",),
            value="table_row",
        ),
        _line(
            "chart",
            {"data": POINTS, "kind": kinds.choice("bar", "line", "pie", "area")},
            {"x": LABEL, "y": NAMES, "title": LABEL, "alt": TEXT, "stacked": FLAG, "vega": VEGA, **_FORMATTED},
            events=("on_select",),
            value="chart_point",
        ),
        # --- fields ---
        _field(
            "text_field",
            TEXT,
            {},
            placeholder=LABEL,
            max_length=kinds.integer(1, kinds.MAX_TEXT_CHARS),
            multiline=FLAG,
            kind=kinds.choice("text", "email", "password", "search", "tel", "url"),
        ),
        _field(
            "number_field", NUMBER, {}, minimum=NUMBER, maximum=NUMBER, step=NUMBER, integer=FLAG, placeholder=LABEL
        ),
        _field("select_field", kinds.SCALARS, {"options": OPTIONS}, multiple=FLAG, placeholder=LABEL),
        _field("checkbox_field", FLAG, {}),
        _field("date_field", DATE, {}, minimum=DATE, maximum=DATE),
    )
)
"""Element type -> its line."""
