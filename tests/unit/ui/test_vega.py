"""Charts that bring their own specification: what of Vega-Lite is let in, and that nothing else is."""

from __future__ import annotations

import copy
import datetime
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import codec, ui
from plataforma_sdk.errors import RenderError
from plataforma_sdk.ui import _vega, _vega_kinds

ROWS = [{"pais": "Brasil", "idade": 40, "total": 7, "quando": datetime.date(2024, 1, 31)}]
X, Y = {"field": "pais"}, {"field": "total"}
BARS = {"mark": "bar", "encoding": {"x": X, "y": Y}}

ADMITTED: dict[str, dict[str, Any]] = {
    "bars": BARS,
    "a schema that is pasted along": {"$schema": "https://vega.github.io/schema/vega-lite/v5.20.1.json", **BARS},
    "a mark with properties": {"mark": {"type": "line", "point": True, "strokeDash": [4, 2], "color": "#2563eb"}},
    "sums in order": {
        "mark": "bar",
        "encoding": {"x": {**X, "sort": "-y"}, "y": {**Y, "aggregate": "sum", "axis": {"format": "currency"}}},
    },
    "a histogram": {
        "mark": "bar",
        "encoding": {"x": {"field": "idade", "bin": {"maxbins": 20}}, "y": {"aggregate": "count"}},
    },
    "months": {"mark": "line", "encoding": {"x": {"field": "quando", "timeUnit": "utcyearmonth"}, "y": Y}},
    "layers": {
        "layer": [BARS, {"mark": "rule", "encoding": {"y": {"datum": 30}}}],
        "resolve": {"scale": {"y": "independent"}},
    },
    "facets": {"mark": "point", "encoding": {"x": X, "y": Y, "facet": {"field": "pais", "columns": 3}}},
    "a scale": {
        "mark": "rect",
        "encoding": {"x": X, "color": {**Y, "scale": {"type": "log", "scheme": "blues", "domain": [1, 10]}}},
        "height": 400,
    },
    "dates as a domain": {
        "mark": "line",
        "encoding": {"x": {"field": "quando", "scale": {"domain": [datetime.date(2024, 1, 1), datetime.date.max]}}},
    },
    "no axis and no legend": {"mark": "arc", "encoding": {"theta": Y, "color": {**X, "legend": None}}},
    "a text": {"title": "Vendas", "mark": "text", "encoding": {"text": {**Y, "format": ".1f"}}},
}


@pytest.mark.parametrize("vega", ADMITTED.values(), ids=ADMITTED)
def test_it_enters_the_tree_and_passes_the_host(vega: dict[str, Any]) -> None:
    sent = codec.decode(codec.encode(ui.to_data(ui.chart(ROWS, vega=vega))))
    checked = ui.validate_tree(sent)
    assert checked["props"]["vega"] == {name: value for name, value in vega.items() if name != "$schema"}
    assert ui.validate_tree(checked) == checked


def _with(path: str, value: Any) -> dict[str, Any]:
    vega = copy.deepcopy(BARS)
    *parents, name = path.split(".")
    place: Any = vega
    for parent in parents:
        place = place.setdefault(parent, {})
    place[name] = value
    return vega


REFUSED: dict[str, tuple[str, Any, str]] = {
    # expressions: CVE-2020-26296, CVE-2023-26486, CVE-2023-26487, CVE-2025-59840 (all: code in Vega's expressions)
    "a label's expression": ("encoding.x.axis.labelExpr", "datum.label", "expressions are not run"),
    "a computed column": ("transform", [{"calculate": "datum.a*2", "as": "b"}], "expressions are not run"),
    "a filter": ("encoding.x.filter", "datum.total > 1", "expressions are not run"),
    "a test": ("encoding.color", {"condition": {"test": "true", "value": "red"}}, "expressions are not run"),
    "an expression as a value": ("encoding.size.value", {"expr": "event.view.alert(1)"}, "expected a number"),
    "an expression as a mark's": ("mark", {"type": "bar", "color": {"expr": "'red'"}}, "mark.color"),
    "an expression as a title": ("title", {"expr": "1"}, "title: a dict is no single value"),
    "a format that runs": ("encoding.y.axis.formatType", "myFormatter", "expected one of number, time"),
    # parameters, selections, signals
    "a parameter": ("params", [{"name": "p", "bind": {"input": "range"}}], "take on_select"),
    "a signal": ("height", {"signal": "height"}, "height: expected a number"),
    "a domain of a selection": ("encoding.x.scale.domain", {"param": "brush"}, "encoding.x.scale.domain"),
    # addresses: CWE-918
    "data by address": ("data", {"url": "http://169.254.169.254/"}, "the data of its element and nothing else"),
    "data of its own": ("datasets", {"a": []}, "the data of its element and nothing else"),
    "an image": ("mark", "image", "mark: expected one of arc"),
    "an image with an address": ("mark", {"type": "image", "url": "https://x/y.png"}, "mark.type"),
    "a link": ("encoding.href", {"value": "javascript:alert(1)"}, "nothing else"),
    "a link of a mark": ("mark", {"type": "bar", "href": "https://example.org"}, "mark.href"),
    "a colour that is fetched": ("encoding.color.value", "url(https://example.org/a.svg#b)", "expected a colour"),
    "a gradient": ("mark", {"type": "bar", "color": {"gradient": "linear", "stops": []}}, "mark.color"),
    "colours out of the data": ("encoding.color", {"field": "pais", "scale": None}, "encoding.color.scale"),
    "a shape that is a path": ("mark", {"type": "point", "shape": "M0,0L1,1"}, "mark.shape"),
    "a schema of somebody else": ("$schema", "https://example.org/v5.json", r"\$schema: expected https://vega"),
    "a look-up": ("transform", [{"lookup": "a", "from": {"data": {"url": "x"}}}], "not drawn"),
    # what grows without bound
    "a bin's step": ("encoding.x.bin", {"step": 1e-9}, "encoding.x.bin.step"),
    "a bin's extent": ("encoding.x.bin", {"extent": [0, 1e12]}, "encoding.x.bin.extent"),
    "a base of a scale": ("encoding.y.scale.base", 1.0000001, "encoding.y.scale.base"),
    "a count of nice ticks": ("encoding.y.scale.nice", 1_000_000_000, "encoding.y.scale.nice"),
    "a count of ticks": ("encoding.y.axis.tickCount", 1_000_000_000, "whole number from 0 to 40"),
    "a wide format": ("encoding.y.axis.format", "999999999d", "encoding.y.axis.format"),
    "a font that fills the screen": ("mark", {"type": "text", "fontSize": 1e9}, "a number from 6 to 48"),
    "layers without end": ("layer", [BARS] * 9, "9 are more than 8"),
    "a repetition": ("repeat", {"layer": ["a", "b"]}, "not drawn"),
    "a geometry": ("projection", {"type": "mercator"}, "the data of its element"),
    # the viewer's
    "a configuration": ("config", {"style": {}}, "the viewer has a theme"),
    "a width": ("width", 100_000, "the viewer has a theme and a size"),
    "a tooltip": ("encoding.tooltip", {"field": "pais"}, "a chart is a picture"),
    "metadata": ("usermeta", {"embedOptions": {"loader": {"http": {}}}}, "belongs to ui.chart"),
    # slips
    "a misspelt name": ("encoding.x.aggregte", "sum", "did you mean 'aggregate'"),
    "a misspelt type": ("encoding.x.type", "quant", "expected one of quantitative, temporal"),
    "a field that the points lack": (
        "encoding.x.field",
        "cidade",
        "vega draws the field 'cidade', but the points have",
    ),
    "a path into an object": ("encoding.x.field", "constructor.constructor", "vega draws the field 'constructor"),
    "a text that is too long": ("title", "x" * 201, "at most 200"),
    "a mark that is nested": ("mark", {"type": {"type": "bar"}}, "mark.type"),
    "a channel that is no object": ("encoding.x", "pais", "encoding.x: expected an object of"),
}


@pytest.mark.parametrize(("path", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_its_place(path: str, value: Any, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        ui.chart(ROWS, vega=_with(path, value))


@pytest.mark.parametrize(("path", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_the_host_refuses_it_too(path: str, value: Any, message: str) -> None:
    """A guest may send what no builder made."""
    node = ui.to_data(ui.chart(ROWS, vega=BARS))
    node["props"] = {**node["props"], "vega": _with(path, value)}
    with pytest.raises(RenderError):
        ui.validate_tree(node)


def test_it_is_a_mark_or_layers() -> None:
    for vega in ({"encoding": {"x": X}}, {**BARS, "layer": [BARS]}):
        with pytest.raises(RenderError, match="a mark, or layers"):
            ui.chart(ROWS, vega=vega)


def test_layers_are_not_drawn_in_facets() -> None:
    with pytest.raises(RenderError, match="take one mark, or several charts"):
        ui.chart(ROWS, vega={"layer": [BARS], "encoding": {"facet": {"field": "pais"}}})


def test_it_draws_few_fields() -> None:
    rows = [{f"c{number}": number for number in range(40)}]
    detail = [
        {"mark": "line", "encoding": {"detail": [{"field": f"c{4 * layer + n}"} for n in range(4)]}}
        for layer in range(8)
    ]
    assert len(ui.chart(rows, vega={"layer": detail}).props["data"][0]) == 32
    with pytest.raises(RenderError, match="33 fields are more than 32"):
        ui.chart(rows, vega={"layer": detail, "encoding": {"x": {"field": "c39"}}})


def test_it_is_not_long() -> None:
    sort = [f"{number:0>199}" for number in range(100)]
    with pytest.raises(RenderError, match="are more than 16,384; what varies belongs in data"):
        ui.chart(ROWS, vega={"mark": "bar", "encoding": {"x": {**X, "sort": sort}}})


def test_only_what_it_draws_leaves_the_module() -> None:
    chart = ui.chart(ROWS, vega={"mark": "point", "encoding": {"x": {"field": "idade"}, "y": Y}})
    assert chart.props["data"] == [{"idade": 40, "total": 7}]
    assert (chart.props["x"], chart.props["y"]) == ("idade", ["total"])


def test_points_that_measure_nothing_have_no_y() -> None:
    counted = ui.chart(ROWS, vega={"mark": "bar", "encoding": {"x": X, "y": {"aggregate": "count"}}})
    assert "y" not in counted.props
    assert counted.props["data"] == [{"pais": "Brasil"}]
    assert "Brasil" in ui.render_text(counted, 40)


def test_x_and_y_of_other_viewers_may_be_given() -> None:
    chart = ui.chart(ROWS, vega=BARS, x="pais", y="idade")
    assert chart.props["data"] == [{"pais": "Brasil", "idade": 40, "total": 7}]


# --- nothing outside the list ---------------------------------------------------------------------------------------


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
FOREIGN = st.recursive(
    SCALARS | st.sampled_from(["datum.x", "javascript:alert(1)", "url(#a)", "http://127.0.0.1/"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text(max_size=12) | st.sampled_from(
    (
        *(
            "expr",
            "signal",
            "url",
            "href",
            "calculate",
            "filter",
            "test",
            "param",
            "params",
            "data",
            "lookup",
            "config",
        ),
        *(
            "__proto__",
            "constructor",
            "labelExpr",
            "condition",
            "transform",
            "on",
            "encode",
            "loader",
            "init",
            "update",
        ),
    )
)


@given(base=st.sampled_from(list(ADMITTED.values())), place=st.integers(0, 30), name=NAMES, value=FOREIGN)
def test_an_object_takes_no_other_name(base: dict[str, Any], place: int, name: str, value: Any) -> None:
    vega = copy.deepcopy(base)
    objects = list(_objects(vega))
    target = objects[place % len(objects)]
    if name in ALL_NAMES or name == "$schema":  # may be listed there
        return
    target[name] = value
    with pytest.raises(RenderError):
        ui.chart(ROWS, vega=vega)


@given(base=st.sampled_from(list(ADMITTED.values())), place=st.integers(0, 60), value=FOREIGN)
def test_a_value_is_replaced_by_none_that_is_not_listed(base: dict[str, Any], place: int, value: Any) -> None:
    """Wherever a value is put: what enters has listed names only, bounded texts, and no address or call in a colour."""
    vega = copy.deepcopy(base)
    slots = [(found, name) for found in _objects(vega) for name in found]
    found, name = slots[place % len(slots)]
    found[name] = value
    try:
        chart = ui.chart(ROWS, vega=vega)
    except RenderError:
        return
    entered = chart.props["vega"]
    for inner in _objects(entered):
        assert set(inner) <= ALL_NAMES
        for channel, content in inner.items():
            if channel in {"color", "fill", "stroke"} and isinstance(content, str):
                assert content.isalpha() or content.startswith("#")
            assert not isinstance(content, str) or len(content) <= 1_000


ALL_NAMES = {
    *("title", "mark", "encoding", "layer", "height", "resolve", "scale", "axis", "legend"),
    *("x", "y", "x2", "y2", "theta", "theta2", "radius", "radius2", "xOffset", "yOffset", "color", "fill", "stroke"),
    *("opacity", "fillOpacity", "strokeOpacity", "size", "angle", "strokeWidth", "strokeDash", "shape", "text"),
    *("detail", "order", "facet", "field", "type", "aggregate", "bin", "maxbins", "nice", "timeUnit", "datum", "sort"),
    *("op", "stack", "bandPosition", "value", "domain", "domainMin", "domainMax", "range", "scheme", "exponent"),
    *("zero", "clamp", "reverse", "round", "padding", "paddingInner", "paddingOuter", "format", "formatType", "values"),
    *("tickCount", "orient", "labels", "ticks", "grid", "labelAngle", "labelLimit", "labelOverlap", "tickMinStep"),
    *("zindex", "direction", "columns", "symbolLimit", "filled", "line", "point", "median", "box", "cornerRadius"),
    *("cornerRadiusEnd", "thickness", "innerRadius", "outerRadius", "dx", "dy", "padAngle", "interpolate"),
    *("strokeCap", "extent", "align", "baseline", "fontSize", "fontWeight", "limit"),
}
"""Every name that the list has, written a second time: one that is added to it has to be added here, by somebody who
has asked what it can do."""


def test_the_list_has_no_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    found: set[str] = set()

    def parts(known: Mapping[str, Any], **options: Any) -> Any:
        found.update(known)
        return made(known, **options)

    made = _vega_kinds.parts
    monkeypatch.setattr(_vega_kinds, "parts", parts)
    again = importlib.util.spec_from_file_location("_vega_again", _vega.__file__)
    assert again is not None
    assert again.loader is not None
    again.loader.exec_module(importlib.util.module_from_spec(again))
    assert found - {"$schema"} == ALL_NAMES
