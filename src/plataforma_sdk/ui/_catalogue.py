"""The catalogue: every element, its properties, its events and its children, in one table.

The builders of this package, the host's check of an untrusted tree and every viewer read the same table. A plugin's
element, ``vendor.name``, is not in it: it takes any plain properties, any children, and events named ``on_...``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, RenderError, UnknownElementError
from plataforma_sdk.ui import _kinds as kinds
from plataforma_sdk.ui._action import ACTION
from plataforma_sdk.ui._data_kinds import ALIGN, COLUMNS, FORMAT, NAMES, OPTIONS, POINTS, ROWS
from plataforma_sdk.ui._kinds import CURRENCY, DATE, FIELD_NAME, FLAG, ICON, LABEL, NUMBER, SCALAR, TEXT, Kind
from plataforma_sdk.ui._rules import RULES

__all__ = ["CATALOGUE", "ElementSpec", "Property", "check_props", "is_plugin_type", "spec_of"]

_PLUGIN_TYPE: Final = re.compile(r"[a-z0-9_-]{1,64}(?:\.[a-z0-9_-]{1,64}){1,4}", re.ASCII)
_PLUGIN_PROPERTY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_MAX_PLUGIN_DEPTH: Final = 6


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
        value: what its events carry, a name of `VALUE_CHECKS`, or None where they carry nothing.
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
        _line(
            "tabs", {}, {"selected": kinds.integer(0, 999)}, events=("on_select",), value="child", children=("tab",)
        ),
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
            {"x": LABEL, "y": NAMES, "title": LABEL, "alt": TEXT, "stacked": FLAG, **_FORMATTED},
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
"""Element type -> its line. ``align`` of a column of a table is a property of the column, see `Column`."""


def is_plugin_type(name: str) -> bool:
    """Whether a type is written as a plugin's: ``vendor.name``."""
    return _PLUGIN_TYPE.fullmatch(name) is not None


def spec_of(name: object) -> ElementSpec | None:
    """Find an element's line in the catalogue; None for a plugin's element.

    Raises:
        UnknownElementError: neither in the catalogue nor written as a plugin's.
    """
    spec = CATALOGUE.get(name) if isinstance(name, str) else None
    if spec is None and not (isinstance(name, str) and is_plugin_type(name)):
        shown = repr(name)[:80] if isinstance(name, str) else f"a {type(name).__name__}"
        raise UnknownElementError(
            f"There is no element {shown}{_nearest(name, CATALOGUE)}; a plugin's element is written 'vendor.name'"
        )
    return spec


def check_props(element: str, props: Mapping[str, Any]) -> dict[str, Any]:
    """Check an element's properties against its line and return them as they stand in a tree; None is left out.

    Raises:
        UnknownElementError: an element or property that is not in the catalogue; the nearest name is told.
        RenderError: a property that is missing or does not hold what it may.
    """
    spec = spec_of(element)
    if spec is None:
        return _plugin_props(element, props)
    given = {name: value for name, value in props.items() if value is not None or name in _NULLABLE.get(element, ())}
    checked = {name: _check_one(spec, name, value) for name, value in given.items()}
    for name, known in spec.properties.items():
        if known.required and name not in checked:
            raise RenderError(f"ui.{element} needs {name!r}: {known.kind.expects}")
    rule = RULES.get(element)
    if rule is not None:
        try:
            rule(checked)
        except (ValueError, ArithmeticError, TypeError) as error:
            raise RenderError(f"ui.{element}: {error}") from None
    return checked


_NULLABLE: Final = {"text": ("value",), "metric": ("value",)}
"""Properties whose None is a value to show, not the lack of one."""


def _check_one(spec: ElementSpec, name: str, value: Any) -> Any:
    kind = spec.kind_of(name)
    if kind is None:
        raise UnknownElementError(
            f"ui.{spec.type} has no property {str(name)[:80]!r}{_nearest(name, (*spec.properties, *spec.events))}"
        )
    return checked(kind, value, f"ui.{spec.type}: {name}")


def checked(kind: Kind, value: Any, what: str) -> Any:
    """Apply a kind's check and turn its refusal into a `RenderError` that says what was expected.

    Raises:
        RenderError: the value is not of the kind.
    """
    try:
        return kind.check(value)
    except ValueError as error:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"a {type(value).__name__}"  # noqa: PLR2004 - one line of a message
        detail = f" ({error})" if error.args else ""
        raise RenderError(f"{what} is {shown}, expected {kind.expects}{detail}") from None


def _plugin_props(element: str, props: Mapping[str, Any]) -> dict[str, Any]:
    result = {}
    for name, value in props.items():
        if value is None:
            continue
        if not isinstance(name, str) or not _PLUGIN_PROPERTY.fullmatch(name):
            raise UnknownElementError(f"{element}: a property's name is of letters, digits and _, not {name!r:.80}")
        what = f"{element}: {name}"
        result[name] = checked(ACTION if name.startswith("on_") else _PLAIN, value, what)
    return result


def _plain(value: Any) -> Any:
    try:
        copy = codec.copy_value(value)
    except CodecError as error:
        raise ValueError(str(error)) from None
    if _depth(copy) > _MAX_PLUGIN_DEPTH:
        raise ValueError(f"nested deeper than {_MAX_PLUGIN_DEPTH} levels")
    return copy


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


_PLAIN: Final = Kind("plain data", _plain)


def _nearest(name: object, known: Callable[..., Any] | Any) -> str:
    import difflib  # only for a message

    found = difflib.get_close_matches(str(name)[:80], list(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
