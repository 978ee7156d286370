"""The part of Vega-Lite that a chart may be written in: every name that may stand in it, in one table.

Whatever is not listed is refused: no expression, parameter, address, image, transformation, configuration or second set
of data, and no step or base from which a drawing could grow without bound. The same table serves the builder and the
host; the host draws in a process that it does not trust either.
Source: CVE-2025-59840 and CVE-2020-26296 (code in expressions of Vega), CWE-918 (data and images by address).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.ui._data_kinds import FORMAT
from plataforma_sdk.ui._kinds import FLAG, LABEL, Kind, MisfitError, choice, integer, plain
from plataforma_sdk.ui._vega_kinds import COLOUR, LITERAL, WORDS, between, either, items, keyed, parts

__all__ = ["MAX_VEGA_CHARS", "VEGA", "vega_fields"]

MAX_VEGA_CHARS: Final = 16_384
"""Of a specification, encoded."""

_MAX_LAYERS: Final = 8
_MAX_FIELDS: Final = 32
"""Columns of one chart: each point is kept with all of them."""

_NUMBER_FORMAT: Final = re.compile(r"[+( -]?\$?0?[0-9]?,?(?:\.[0-9])?~?[bcdefgnoprsxX%]?", re.ASCII)
_TIME_FORMAT: Final = re.compile(r"(?:%-?[aAbBdeHIjLmMpqSUVwWyY%]|[ ,./:h-]){1,20}", re.ASCII)
_SCHEMA: Final = re.compile(r"https://vega\.github\.io/schema/vega-lite/v[56](?:\.[0-9]{1,3}){0,2}\.json", re.ASCII)


def _matching(pattern: re.Pattern[str], expects: str) -> Kind:
    def check(value: Any) -> str:
        text = plain(value)
        if not pattern.fullmatch(text):
            raise MisfitError
        return text

    return Kind(expects, check)


_TYPE: Final = choice("quantitative", "temporal", "ordinal", "nominal")
_AGGREGATE: Final = choice(
    *("count", "valid", "missing", "distinct", "sum", "mean", "average", "median", "min", "max"),
    *("stdev", "stdevp", "variance", "variancep", "q1", "q3", "stderr", "product"),
)
_TIME_UNITS: Final = (
    *("year", "quarter", "month", "week", "day", "date", "dayofyear", "hours", "minutes", "seconds"),
    *("yearquarter", "yearmonth", "yearmonthdate", "yearweek", "yearmonthdatehours", "yearmonthdatehoursminutes"),
    *("monthdate", "hoursminutes", "quartermonth", "yearquartermonth", "monthdatehours", "dayhours"),
)
_TIME_UNIT: Final = choice(*_TIME_UNITS, *(f"utc{unit}" for unit in _TIME_UNITS))
_FORMAT: Final = either(
    FORMAT,
    _matching(_NUMBER_FORMAT, "a number's format such as '.1f'"),
    _matching(_TIME_FORMAT, "a time's format such as '%b %Y'"),
)
_BIN: Final = either(FLAG, parts({"maxbins": integer(2, 100), "nice": FLAG}), choice("binned"))
_ORDER: Final = choice("ascending", "descending")
_SORT_CHANNELS: Final = ("x", "y", "color", "size", "text", "opacity", "theta")
_SORT: Final = either(
    choice("ascending", "descending", *_SORT_CHANNELS, *(f"-{name}" for name in _SORT_CHANNELS)),
    items(LITERAL, 500),
    parts({"field": LABEL, "op": _AGGREGATE, "order": _ORDER}),
    parts({"encoding": choice(*_SORT_CHANNELS), "order": _ORDER}, needs=("encoding",)),
    null=True,
)
_TITLE: Final = either(WORDS, null=True)
_SCHEMES: Final = choice(
    *("accent", "category10", "category20", "dark2", "paired", "pastel1", "pastel2", "set1", "set2", "set3"),
    *("tableau10", "tableau20", "observable10", "blues", "greens", "greys", "oranges", "purples", "reds"),
    *("viridis", "magma", "inferno", "plasma", "cividis", "turbo", "teals", "tealblues", "bluegreen", "goldred"),
    *("redblue", "redyellowblue", "redyellowgreen", "blueorange", "purplegreen", "spectral", "rainbow", "sinebow"),
)
_SCALE: Final = parts(
    {
        # No `base`, `nice` by a count or an interval: ticks without end. No None: colours would come from the data.
        "type": choice("linear", "log", "pow", "sqrt", "symlog", "time", "utc", "ordinal", "point", "band"),
        "domain": items(LITERAL, 200, least=1),
        "domainMin": LITERAL,
        "domainMax": LITERAL,
        "range": items(either(COLOUR, between(-2_000, 2_000)), 50, least=1),
        "scheme": _SCHEMES,
        "exponent": between(0.1, 10),
        "zero": FLAG,
        "nice": FLAG,
        "clamp": FLAG,
        "reverse": FLAG,
        "round": FLAG,
        "padding": between(0, 50),
        "paddingInner": between(0, 1),
        "paddingOuter": between(0, 5),
    }
)
_GUIDE: Final = {
    "title": _TITLE,
    "format": _FORMAT,
    "formatType": choice("number", "time"),
    "values": items(LITERAL, 100),
    "tickCount": integer(0, 40),
}
_AXIS: Final = either(
    parts(
        {
            **_GUIDE,
            "orient": choice("top", "bottom", "left", "right"),
            "labels": FLAG,
            "ticks": FLAG,
            "domain": FLAG,
            "grid": FLAG,
            "labelAngle": between(-90, 90),
            "labelLimit": between(0, 500),
            "labelOverlap": either(FLAG, choice("parity", "greedy")),
            "tickMinStep": between(1e-6, 1e12),
            "zindex": integer(0, 1),
        }
    ),
    null=True,
)
_LEGEND: Final = either(
    parts(
        {
            **_GUIDE,
            "type": choice("gradient", "symbol"),
            "orient": choice(
                *("left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right", "none")
            ),
            "direction": choice("horizontal", "vertical"),
            "columns": integer(1, 12),
            "symbolLimit": integer(1, 100),
        }
    ),
    null=True,
)
_FIELD: Final = {
    "field": LABEL,
    "type": _TYPE,
    "aggregate": _AGGREGATE,
    "bin": _BIN,
    "timeUnit": _TIME_UNIT,
    "title": _TITLE,
    "datum": LITERAL,
}
_SCALED: Final = {**_FIELD, "sort": _SORT, "scale": _SCALE}
_PIXELS: Final = either(between(-2_000, 2_000), choice("width", "height"))
_SHAPE: Final = choice("circle", "square", "cross", "diamond", "triangle", "triangle-up", "triangle-down", "stroke")
_STACK: Final = either(FLAG, choice("zero", "normalize", "center"), null=True)
_POSITION: Final = parts({**_SCALED, "axis": _AXIS, "stack": _STACK, "bandPosition": between(0, 1), "value": _PIXELS})
_END: Final = parts({**_FIELD, "bandPosition": between(0, 1), "value": _PIXELS})
_ANGLE: Final = parts({**_SCALED, "stack": _STACK, "value": between(-2_000, 2_000)})
_OFFSET: Final = parts({**_SCALED, "value": between(-200, 200)})
_DETAIL: Final = parts(_FIELD)


def _shown_by(value: Kind) -> Kind:
    return parts({**_SCALED, "legend": _LEGEND, "value": value})


_FRACTION: Final = between(0, 1)
_CHANNELS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("x", "y"), _POSITION),
    **dict.fromkeys(("x2", "y2", "theta2", "radius2"), _END),
    **dict.fromkeys(("theta", "radius"), _ANGLE),
    **dict.fromkeys(("xOffset", "yOffset"), _OFFSET),
    **dict.fromkeys(("color", "fill", "stroke"), _shown_by(COLOUR)),
    **dict.fromkeys(("opacity", "fillOpacity", "strokeOpacity"), _shown_by(_FRACTION)),
    "size": _shown_by(between(0, 5_000)),
    "angle": _shown_by(between(-360, 360)),
    "strokeWidth": _shown_by(between(0, 50)),
    "strokeDash": _shown_by(items(between(0, 50), 8)),
    "shape": _shown_by(_SHAPE),
    "text": parts({**_SCALED, "format": _FORMAT, "formatType": choice("number", "time"), "value": WORDS}),
    "detail": either(_DETAIL, items(_DETAIL, 4)),
    "order": parts({**_FIELD, "sort": _ORDER, "value": between(-1e6, 1e6)}),
}
_FACET: Final = parts(
    {"field": LABEL, "type": _TYPE, "timeUnit": _TIME_UNIT, "title": _TITLE, "sort": _SORT, "columns": integer(1, 6)},
    needs=("field",),
)
_MARK_TYPE: Final = choice(
    *("arc", "area", "bar", "boxplot", "circle", "errorband", "errorbar", "line", "point", "rect", "rule", "square"),
    *("text", "tick", "trail"),
)
_MARK: Final = either(
    _MARK_TYPE,
    parts(
        {
            "type": _MARK_TYPE,
            **dict.fromkeys(("color", "fill", "stroke"), COLOUR),
            **dict.fromkeys(("opacity", "fillOpacity", "strokeOpacity"), _FRACTION),
            **dict.fromkeys(("filled", "line", "point", "ticks", "median", "box"), FLAG),
            **dict.fromkeys(("strokeWidth", "cornerRadius", "cornerRadiusEnd", "thickness"), between(0, 50)),
            **dict.fromkeys(("innerRadius", "outerRadius"), between(0, 500)),
            **dict.fromkeys(("dx", "dy", "xOffset", "yOffset"), between(-500, 500)),
            "padAngle": _FRACTION,
            "interpolate": choice(
                *("linear", "monotone", "step", "step-before", "step-after", "basis", "cardinal", "natural")
            ),
            "strokeDash": items(between(0, 50), 8),
            "strokeCap": choice("butt", "round", "square"),
            "size": between(0, 5_000),
            "shape": _SHAPE,
            "orient": choice("horizontal", "vertical"),
            "extent": either(choice("min-max", "iqr", "stderr", "stdev"), between(0, 10)),
            "align": choice("left", "center", "right"),
            "baseline": choice("top", "middle", "bottom", "alphabetic"),
            "angle": between(-360, 360),
            "fontSize": between(6, 48),
            "fontWeight": choice("normal", "bold"),
            "limit": between(0, 1_000),
        },
        needs=("type",),
    ),
)
_UNIT: Final = parts({"mark": _MARK, "encoding": parts(_CHANNELS)}, needs=("mark",))
_RESOLVED: Final = keyed(_CHANNELS, choice("shared", "independent"))
_TOP: Final = parts(
    {
        "$schema": _matching(_SCHEMA, "https://vega.github.io/schema/vega-lite/v6.json, or v5, or nothing"),
        "title": WORDS,
        "mark": _MARK,
        "encoding": parts({**_CHANNELS, "facet": _FACET}),
        "layer": items(_UNIT, _MAX_LAYERS, least=1),
        "height": between(60, 800),
        "resolve": keyed(("scale", "axis", "legend"), _RESOLVED),
    }
)


def _vega(value: Any) -> dict[str, Any]:
    checked: dict[str, Any] = _TOP.check(value)
    checked.pop("$schema", None)
    if ("mark" in checked) == ("layer" in checked):
        raise MisfitError("it has a mark, or layers that each have one")
    if "layer" in checked and "facet" in checked.get("encoding", {}):
        raise MisfitError("layers are not drawn in facets; take one mark, or several charts")
    fields = len(vega_fields(checked))
    if fields > _MAX_FIELDS:
        raise MisfitError(f"{fields} fields are more than {_MAX_FIELDS}; draw several charts")
    size = len(codec.encode(checked))
    if size > MAX_VEGA_CHARS:
        raise MisfitError(f"{size:,} characters encoded are more than {MAX_VEGA_CHARS:,}; what varies belongs in data")
    return checked


def vega_fields(vega: Mapping[str, Any]) -> list[str]:
    """Collect the columns that a checked specification draws, in the order in which they first come."""
    return list(dict.fromkeys(_fields(vega)))


def _fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "field":
                yield item
            else:
                yield from _fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item)


VEGA: Final = Kind("a part of Vega-Lite without data: mark or layer, encoding, title, height, resolve", _vega)
