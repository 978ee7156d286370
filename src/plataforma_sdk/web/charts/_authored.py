"""A specification that a module wrote, made ready to be drawn.

It was checked against the allow-list when it entered the host. Here every field gets a number for a name, in the
specification and in the data, so that no text of the module's stands where the drawing looks for a path into an object;
what the module left out is filled in from the data and the locale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from plataforma_sdk.web.charts._columns import Measure, cell, fits, measure_of, short, time_format, turned
from plataforma_sdk.web.charts._frame import note
from plataforma_sdk.web.charts._kinds import quantity_format
from plataforma_sdk.web.charts._locales import Locale
from plataforma_sdk.web.charts._sizes import Size, size_of

__all__ = ["authored_size", "draw_authored"]

MAX_ROWS: Final = 5_000
MAX_PANELS: Final = 24
_PANEL_GAP: Final = 56
_MIN_PANEL: Final = 200
_PANEL_HEIGHT: Final = 160
_AXIS_CHANNELS: Final = ("x", "y")
_LEGEND_CHANNELS: Final = (
    *("color", "fill", "stroke", "opacity", "fillOpacity", "strokeOpacity", "size", "angle", "strokeWidth"),
    *("strokeDash", "shape"),
)
_TITLED: Final = (*_AXIS_CHANNELS, *_LEGEND_CHANNELS, "facet")
_COUNTS: Final = frozenset({"count", "distinct", "valid", "missing"})
_PLAIN_FORMATS: Final = frozenset({"number", "text"})
_MEASURES: Final[Mapping[str, Measure]] = {"quantitative": "quantitative", "temporal": "temporal"}
_LOCAL_UNITS: Final = {"yearmonthdate": "date", "yearmonth": "%b %Y", "monthdate": "day"}


@attrs.define(kw_only=True)
class _Drawing:
    """One specification on its way: the columns that it takes of the data, by (field, whether as a time)."""

    props: Mapping[str, Any]
    locale: Locale
    width: int
    rows: Sequence[Mapping[str, Any]]
    columns: dict[tuple[str, bool], str] = attrs.field(factory=dict)
    measures: dict[str, Measure] = attrs.field(factory=dict)

    def column(self, field: str, *, as_time: bool) -> str:
        return self.columns.setdefault((field, as_time), f"c{len(self.columns)}")

    def measure(self, field: str) -> Measure:
        if field not in self.measures:
            self.measures[field] = measure_of(row.get(field) for row in self.rows)
        return self.measures[field]

    def values(self) -> list[dict[str, Any]]:
        """Write the rows as the drawing takes them."""
        return [
            {
                column: cell(row.get(field), self.locale, as_time=as_time)
                for (field, as_time), column in self.columns.items()
            }
            for row in self.rows
        ]


def authored_size(props: Mapping[str, Any], width: int) -> Size:
    """Return the size that the drawing has, about which for one in facets."""
    vega = props["vega"]
    size = size_of(width)
    facet = vega.get("encoding", {}).get("facet")
    if facet is None:
        return Size(width, round(vega.get("height", size.height)))
    panels = min(len(_panels(props)), MAX_PANELS)
    columns = _columns(facet, width, panels)
    lines = -(-panels // columns)
    return Size(width, (round(vega.get("height", _PANEL_HEIGHT)) + _PANEL_GAP) * max(lines, 1))


def draw_authored(props: Mapping[str, Any], locale: Locale, width: int) -> dict[str, Any]:
    """Write a checked chart that brings its own specification as the one to be drawn, without theme."""
    vega = props["vega"]
    rows, notes = _bounded_rows(props, locale)
    drawing = _Drawing(props=props, locale=locale, width=width, rows=rows)
    spec = {name: vega[name] for name in ("mark", "resolve") if name in vega}
    if "layer" in vega:
        spec["layer"] = [
            {**layer, "encoding": _encoding(layer.get("encoding", {}), drawing)} for layer in vega["layer"]
        ]
    spec["encoding"] = _encoding(vega.get("encoding", {}), drawing)
    spec["data"] = {"values": drawing.values()}
    spec |= _sizes(props, width)
    title = {"text": short(locale.text(vega["title"]))} if "title" in vega else {}
    if notes:
        title |= {"subtitle": "; ".join(notes)} if title else {"text": "; ".join(notes), "fontWeight": "normal"}
    return {**spec, "title": title} if title else spec


# --- size --------------------------------------------------------------------------------------------------------


def _panels(props: Mapping[str, Any]) -> list[Any]:
    field = props["vega"]["encoding"]["facet"]["field"]
    return list(dict.fromkeys(row.get(field) for row in props["data"]))


def _columns(facet: Mapping[str, Any], width: int, panels: int) -> int:
    most = max(width // _MIN_PANEL, 1)
    return int(max(min(facet.get("columns", most), most, panels), 1))


def _bounded_rows(props: Mapping[str, Any], locale: Locale) -> tuple[Sequence[Mapping[str, Any]], tuple[str, ...]]:
    data = props["data"]
    notes = note(locale, "part", MAX_ROWS, len(data))
    if "facet" in props["vega"].get("encoding", {}):
        panels = _panels(props)
        field, shown = props["vega"]["encoding"]["facet"]["field"], set(panels[:MAX_PANELS])
        data = [row for row in data if row.get(field) in shown]
        notes = (*notes, *note(locale, "panels", MAX_PANELS, len(panels)))
    return data[:MAX_ROWS], notes


def _sizes(props: Mapping[str, Any], width: int) -> dict[str, Any]:
    size = authored_size(props, width)
    vega = props["vega"]
    facet = vega.get("encoding", {}).get("facet")
    if facet is None:
        return {
            "width": size.width,
            "height": size.height,
            "autosize": {"type": "fit", "contains": "padding"},
        }
    columns = _columns(facet, width, len(_panels(props)))
    return {"width": max(width // columns - _PANEL_GAP, 80), "height": vega.get("height", _PANEL_HEIGHT)}


# --- channels ----------------------------------------------------------------------------------------------------


def _encoding(encoding: Mapping[str, Any], drawing: _Drawing) -> dict[str, Any]:
    return {
        channel: [_channel(channel, item, drawing) for item in definition]
        if isinstance(definition, list)
        else _channel(channel, definition, drawing)
        for channel, definition in encoding.items()
    }


def _channel(channel: str, definition: Mapping[str, Any], drawing: _Drawing) -> dict[str, Any]:
    result = dict(definition)
    field = definition.get("field")
    measure = _measured(definition, drawing)
    as_time = measure == "temporal" or "timeUnit" in definition
    if field is not None:
        result["field"] = drawing.column(field, as_time=as_time)
    if channel == "facet":
        result["columns"] = _columns(definition, drawing.width, len(_panels(drawing.props)))
    if field is not None or "aggregate" in definition or "datum" in definition:
        result["type"] = definition.get("type", measure)
    if "datum" in definition:
        result["datum"] = _literal(definition["datum"], drawing)
    _settle_sort(result, drawing)
    _settle_scale(result, drawing)
    _settle_texts(channel, result, definition, drawing)
    return result


def _measured(definition: Mapping[str, Any], drawing: _Drawing) -> Measure:
    """Tell how a channel is measured, where its author did not say."""
    if "type" in definition:
        return _MEASURES.get(definition["type"], "nominal")
    field = definition.get("field")
    if "aggregate" in definition:
        keeps = field is not None and definition["aggregate"] in {"min", "max"}
        return drawing.measure(str(field)) if keeps else "quantitative"
    if definition.get("bin"):
        return "quantitative"
    if "timeUnit" in definition:
        return "temporal"
    if field is not None:
        return drawing.measure(field)
    return measure_of([definition.get("datum")])


def _literal(value: Any, drawing: _Drawing) -> Any:
    return cell(value, drawing.locale, as_time=True)


def _settle_sort(result: dict[str, Any], drawing: _Drawing) -> None:
    sort = result.get("sort")
    if isinstance(sort, list):
        result["sort"] = [_literal(value, drawing) for value in sort]
    elif isinstance(sort, dict) and "field" in sort:
        result["sort"] = {**sort, "field": drawing.column(sort["field"], as_time=True)}


def _settle_scale(result: dict[str, Any], drawing: _Drawing) -> None:
    scale = result.get("scale")
    if scale is None:
        return
    settled = dict(scale)
    if "domain" in scale:
        settled["domain"] = [_literal(value, drawing) for value in scale["domain"]]
    for name in ("domainMin", "domainMax"):
        if name in scale:
            settled[name] = _literal(scale[name], drawing)
    result["scale"] = settled


# --- texts -------------------------------------------------------------------------------------------------------


def _settle_texts(channel: str, result: dict[str, Any], definition: Mapping[str, Any], drawing: _Drawing) -> None:
    """Give a channel its title, and its numbers and dates the formats of the locale."""
    if (channel in _TITLED and "field" in result) or "aggregate" in result:
        title = definition.get("title", _title(definition, drawing.locale))
        result["title"] = short(drawing.locale.text(title)) if title is not None else None
    elif isinstance(definition.get("title"), str):
        result["title"] = short(drawing.locale.text(definition["title"]))
    if channel == "text":
        result |= _format(definition, definition, drawing)
        if isinstance(definition.get("value"), str):
            result["value"] = short(drawing.locale.text(definition["value"]))
    guide = "axis" if channel in _AXIS_CHANNELS else "legend" if channel in _LEGEND_CHANNELS else None
    if guide is not None and definition.get(guide, {}) is not None and "type" in result:
        result[guide] = _guide(definition.get(guide, {}), definition, drawing)
    if channel == "x" and result.get("axis") is not None and result["type"] in {"nominal", "ordinal"}:
        result["axis"] = {**_labels(definition, drawing), **result["axis"]}


def _labels(definition: Mapping[str, Any], drawing: _Drawing) -> dict[str, Any]:
    field, is_facetted = definition.get("field"), "facet" in drawing.props["vega"].get("encoding", {})
    as_time = "timeUnit" in definition  # whose labels the drawing makes: about as long as a whole date's
    found = {row.get(field) for row in drawing.rows} if field is not None else set()
    labels = {str(cell(value, drawing.locale, as_time=False)) for value in found}
    width = drawing.width // 2 if is_facetted or as_time else drawing.width
    return {"labelAngle": 0} if fits(labels, width) else turned(len(labels), width)


def _title(definition: Mapping[str, Any], locale: Locale) -> str | None:
    field, aggregate = definition.get("field"), definition.get("aggregate")
    if aggregate is not None and aggregate in locale.words:
        return locale.words[aggregate].format(field=field if field is not None else "")
    return field


def _guide(guide: Mapping[str, Any], definition: Mapping[str, Any], drawing: _Drawing) -> dict[str, Any]:
    result = {**guide, **_format(guide, definition, drawing)}
    if definition.get("aggregate") in _COUNTS:
        result.setdefault("tickMinStep", 1)
    if isinstance(guide.get("title"), str):
        result["title"] = short(drawing.locale.text(guide["title"]))
    if "values" in guide:
        result["values"] = [_literal(value, drawing) for value in guide["values"]]
    return result


def _format(given: Mapping[str, Any], definition: Mapping[str, Any], drawing: _Drawing) -> dict[str, Any]:
    """Turn a format's word into the drawing's own, and choose one for times that have none."""
    form = given.get("format")
    if form in {"date", "datetime"}:
        return {"format": drawing.locale.date + (" %H:%M" if form == "datetime" else ""), "formatType": "time"}
    if form in {"currency", "percent"}:
        return quantity_format(form)
    if form in _PLAIN_FORMATS:
        return {"format": ",.2~f"} if form == "number" else {"format": ""}
    if form is not None or (_measured(definition, drawing) != "temporal" and "timeUnit" not in definition):
        return {}
    return _time_format(definition, drawing)


def _time_format(definition: Mapping[str, Any], drawing: _Drawing) -> dict[str, Any]:
    unit = definition.get("timeUnit", "").removeprefix("utc")
    if unit:
        own = {"date": drawing.locale.date, "day": drawing.locale.day}
        form = _LOCAL_UNITS.get(unit)
        return {"format": own.get(form, form)} if form is not None else {}
    field = definition.get("field")
    if field is None or drawing.measure(field) != "temporal":
        return {}
    times = [cell(row[field], drawing.locale, as_time=True) for row in drawing.rows if row.get(field) is not None]
    return {"format": time_format(times, drawing.locale)}
