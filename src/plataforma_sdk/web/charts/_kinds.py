"""The plain kinds as specifications of Vega-Lite: bars, lines, areas and pies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from plataforma_sdk.web.charts._columns import CHAR_PX, fits, time_format, turned
from plataforma_sdk.web.charts._frame import Frame, frame_of
from plataforma_sdk.web.charts._locales import Locale
from plataforma_sdk.web.charts._sizes import Size, size_of

__all__ = ["draw_kind", "kind_size", "quantity_format"]

_AXIS_PX: Final = 72
_BAR_PX: Final = 18
_MAX_LYING: Final = 30
_MAX_LYING_HEIGHT: Final = 720
_LEGEND_SPARE: Final = 0.12
"""Of a legend's width: a browser's letters may be wider than those that the drawing was measured with."""

_AREA_OPACITY: Final = 0.75
_OVERLAY_OPACITY: Final = 0.3

_FORMATS: Final = {"currency": "$,f", "percent": "%"}


def quantity_format(form: str | None) -> dict[str, Any]:
    """Return how an axis writes its numbers; the drawing chooses the digits by the step between them."""
    return {"format": _FORMATS[form]} if form in _FORMATS else {}


@attrs.frozen(kw_only=True)
class _Layout:
    size: Size
    is_lying: bool = False
    labels: Mapping[str, Any] = attrs.field(factory=lambda: {"labelAngle": 0})


def kind_size(props: Mapping[str, Any], locale: Locale, width: int) -> Size:
    """Return the size that a chart of a plain kind is drawn in."""
    if props["kind"] != "bar":
        return size_of(width)
    return _layout(props, frame_of(props, locale), width).size


def draw_kind(props: Mapping[str, Any], locale: Locale, width: int) -> dict[str, Any]:
    """Write a checked chart of a plain kind as a specification, without theme."""
    frame = frame_of(props, locale)
    layout = _layout(props, frame, width)
    spec = _KINDS[props["kind"]](props, frame, layout, locale)
    spec["data"] = {"values": frame.rows}
    spec["width"], spec["height"] = layout.size.width, layout.size.height
    spec["autosize"] = {"type": "fit", "contains": "padding"}
    if frame.notes:
        spec["title"] = {"text": "; ".join(frame.notes), "orient": "bottom", "fontSize": 11, "fontWeight": "normal"}
    return spec


def _layout(props: Mapping[str, Any], frame: Frame, width: int) -> _Layout:
    """Lay bars down where their labels have no room below them and there are few; else turn the labels."""
    size = size_of(width)
    if props["kind"] != "bar" or not frame.labels:
        return _Layout(size=size)
    if fits(frame.labels, width):
        return _Layout(size=size)
    if frame.is_ordered or len(frame.labels) > _MAX_LYING:
        return _Layout(size=size, labels=turned(len(frame.labels), width))
    beside = 1 if props.get("stacked") else max(len(frame.series) * 0.6, 1)
    height = min(round(len(frame.labels) * _BAR_PX * beside) + _AXIS_PX, _MAX_LYING_HEIGHT)
    return _Layout(size=Size(width, height), is_lying=True, labels={"labelOverlap": False})


def _colour(frame: Frame) -> dict[str, Any]:
    if len(frame.series) < 2:  # noqa: PLR2004 - one colour needs no legend
        return {}
    legend = {"title": None, "orient": "top", "direction": "horizontal"}
    return {"color": {"field": "s", "type": "nominal", "sort": None, "legend": legend}}


def _x(frame: Frame, locale: Locale) -> dict[str, Any]:
    channel: dict[str, Any] = {"field": "x", "title": frame.x_title, "axis": {}}
    if frame.measure == "temporal":
        times = [label for label in frame.labels if label is not None]
        return {**channel, "type": "temporal", "axis": {"format": time_format(times, locale), "tickCount": 6}}
    if frame.measure == "quantitative":
        are_years = all(isinstance(label, int) and abs(label) < 10_000 for label in frame.labels)  # noqa: PLR2004
        axis = {"format": "d", "tickMinStep": 1} if are_years else {}
        return {**channel, "type": "quantitative", "scale": {"zero": False, "nice": False}, "axis": axis}
    scale = {"domain": list(dict.fromkeys(frame.labels))}  # also those that have no number
    return {**channel, "type": "nominal", "scale": scale, "axis": {"labelAngle": 0}}


def _y(props: Mapping[str, Any], frame: Frame, *, stack: bool) -> dict[str, Any]:
    axis = {**quantity_format(props.get("format")), "tickCount": 6}
    return {
        "field": "y",
        "type": "quantitative",
        "title": frame.y_title,
        "axis": axis,
        "stack": "zero" if stack else None,
    }


def _bar(props: Mapping[str, Any], frame: Frame, layout: _Layout, locale: Locale) -> dict[str, Any]:
    is_stacked = bool(props.get("stacked"))
    across, along = _x(frame, locale), _y(props, frame, stack=is_stacked)
    across["axis"] = dict(layout.labels)
    names = ("y", "x", "yOffset") if layout.is_lying else ("x", "y", "xOffset")
    encoding = {names[0]: across, names[1]: along, **_colour(frame)}
    if len(frame.series) > 1 and not is_stacked:
        encoding[names[2]] = {"field": "s", "type": "nominal", "sort": None}
    if layout.is_lying:
        along["axis"] |= {"grid": True, "domain": False}
    return {"mark": "bar", "encoding": encoding}


def _line(props: Mapping[str, Any], frame: Frame, _layout: _Layout, locale: Locale) -> dict[str, Any]:
    has_points = len(frame.labels) <= 40  # noqa: PLR2004 - beyond, they are one thick line
    encoding = {"x": _x(frame, locale), "y": _y(props, frame, stack=False), **_colour(frame)}
    encoding["y"]["scale"] = {"zero": _near_zero(frame)}
    return {"mark": {"type": "line", "point": has_points}, "encoding": encoding}


def _near_zero(frame: Frame) -> bool:
    """Whether zero belongs to the picture: unless all numbers lie in the upper half of their height."""
    numbers = [value for values in frame.series.values() for value in values if value is not None]
    return not numbers or min(numbers) <= max(numbers) / 2


def _area(props: Mapping[str, Any], frame: Frame, _layout: _Layout, locale: Locale) -> dict[str, Any]:
    is_stacked = bool(props.get("stacked"))
    lies_over = len(frame.series) > 1 and not is_stacked
    mark = {"type": "area", "line": True, "opacity": _OVERLAY_OPACITY if lies_over else _AREA_OPACITY}
    encoding = {"x": _x(frame, locale), "y": _y(props, frame, stack=is_stacked), **_colour(frame)}
    return {"mark": mark, "encoding": encoding}


def _pie(_props: Mapping[str, Any], frame: Frame, layout: _Layout, _locale: Locale) -> dict[str, Any]:
    radius = min(layout.size.height, layout.size.width // 2) // 2 - 10
    legend = {"title": frame.x_title, "orient": "right", "labelLimit": layout.size.width // 2 - 40}
    longest = max(map(len, frame.labels), default=0) * CHAR_PX
    return {
        "padding": {"left": 4, "top": 4, "bottom": 4, "right": 4 + round(longest * _LEGEND_SPARE)},
        "mark": {"type": "arc", "outerRadius": radius, "innerRadius": radius // 2, "padAngle": 0.01},
        "encoding": {
            "theta": {"field": "y", "type": "quantitative", "stack": True},
            "color": {"field": "x", "type": "nominal", "sort": None, "legend": legend},
            "order": {"field": "y", "type": "quantitative", "sort": "descending"},
        },
    }


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any], Frame, _Layout, Locale], dict[str, Any]]]] = {
    "bar": _bar,
    "line": _line,
    "area": _area,
    "pie": _pie,
}
