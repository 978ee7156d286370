"""What is drawn of a chart: its numbers, bounded, with the formats of the locale, and no text where a path could be."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import ui
from plataforma_sdk.web.charts._alt import alt_text
from plataforma_sdk.web.charts._locales import locale_of
from plataforma_sdk.web.charts._spec import drawn_size, request_of, vega_lite
from plataforma_sdk.web.charts._themes import THEMES

from .chart_kit import props_of

PT = locale_of("pt-BR")
EN = locale_of("en")
DAYS = [(datetime.date(2024, 1, day), day) for day in range(1, 21)]
SALES = [
    {"país": "Brasil", "quando": datetime.date(2024, 1, 31), "total": Decimal("10.5"), "novo": True},
    {"país": "Chile", "quando": datetime.date(2024, 2, 29), "total": Decimal(7), "novo": False},
]


def spec_of(props, locale=PT, width=480):
    return vega_lite(props, locale, width, "light")


def rows_of(props, **options):
    return spec_of(props, **options)["data"]["values"]


def places(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == name:
                yield item
            yield from places(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from places(item, name)


SCALARS = (
    st.none()
    | st.booleans()
    | st.text(max_size=200)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC))
)
NUMBERS = (
    st.none()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number.adjusted()) <= 1_000)
)


@given(
    points=st.lists(st.tuples(SCALARS | NUMBERS, NUMBERS), min_size=1, max_size=12),
    kind=st.sampled_from(["bar", "line", "area", "pie"]),
    form=st.sampled_from([None, "currency", "percent", "number", "date"]),
    has_vega=st.booleans(),
)
def test_whatever_a_chart_may_hold_is_written_and_told(points, kind, form, has_vega):
    vega = {"mark": "point", "encoding": {"x": {"field": "x"}, "y": {"field": "y"}, "text": {"field": "x"}}}
    props = props_of([{"x": x, "y": y} for x, y in points], kind=kind, format=form, vega=vega if has_vega else None)
    for locale in (PT, EN):
        spec = json.loads(request_of(props, locale, 480, "dark"))["spec"]
        assert spec["width"] == drawn_size(props, locale, 480).width
        assert alt_text(props, locale)


def test_points_become_long_rows():
    props = props_of([{"mês": "jan", "a": 1, "b": Decimal("2.5")}, {"mês": "fev", "a": None, "b": 3}])
    assert rows_of(props) == [
        {"x": "jan", "s": "a", "y": 1},
        {"x": "jan", "s": "b", "y": 2.5},
        {"x": "fev", "s": "a", "y": None},
        {"x": "fev", "s": "b", "y": 3},
    ]


@pytest.mark.parametrize(
    ("value", "drawn"),
    [(Decimal("1e999"), None), (10**400, None), (2**60, float(2**60)), (Decimal("0.10"), 0.1), (-3, -3)],
)
def test_numbers_are_those_of_javascript(value, drawn):
    assert rows_of(props_of([("a", value)]))[0]["y"] == drawn


def test_texts_are_cut_and_hold_no_controls():
    (row,) = rows_of(props_of([("a\x00b\u202e\n" + "x" * 1_000, 1)]))
    assert len(row["x"]) == 120
    assert row["x"].startswith("a\ufffdb\ufffd x")


@pytest.mark.parametrize(
    ("data", "kind", "measure"),
    [
        ({"jan": 1}, "line", "nominal"),
        (DAYS, "line", "temporal"),
        (DAYS, "bar", "nominal"),
        ({"2024-01": 1, "2024-02": 2}, "line", "temporal"),
        ({"2024-01-31": 1, "2024-02-29": 2}, "area", "temporal"),
        ({"2024-01-31": 1, "2024-02-30": 2}, "line", "nominal"),
        ({"2024-01": 1, "total": 2}, "line", "nominal"),
        ([{"ano": 2009, "v": 1}, {"ano": 2010, "v": 2}], "area", "quantitative"),
        ([{"ano": 2009, "v": 1}, {"ano": "2010", "v": 2}], "line", "nominal"),
    ],
)
def test_x_is_measured_by_what_it_holds(data, kind, measure):
    assert spec_of(props_of(data, kind=kind))["encoding"]["x"]["type"] == measure


def test_every_bar_has_its_label_where_there_is_room():
    for number, has_all in ((31, True), (200, False)):
        axis = spec_of(props_of([(f"produto {place}", place) for place in range(number)]), width=800)["encoding"]["x"][
            "axis"
        ]
        assert (axis.get("labelOverlap") is False) is has_all


def test_dates_are_utc_and_written_as_the_locale_does():
    assert rows_of(props_of(DAYS, kind="line"))[0]["x"] == 1_704_067_200_000
    moment = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=-3)))
    assert rows_of(props_of([(moment, 1)], kind="line"))[0]["x"] == 1_704_067_200_000 + 15 * 3_600_000
    assert rows_of(props_of(DAYS))[0]["x"] == "01/01/2024"
    assert rows_of(props_of(DAYS), locale=EN)[0]["x"] == "01 Jan 2024"


@pytest.mark.parametrize(
    ("days", "form"), [(0.5, "%H:%M"), (20, "%d/%m"), (365, "%b %Y"), (365 * 9, "%Y")], ids=lambda value: str(value)
)
def test_an_axis_of_times_is_labelled_by_its_span(days, form):
    start = datetime.datetime.fromisoformat("2020-01-01")
    props = props_of([(start, 1), (start + datetime.timedelta(days=days), 2)], kind="line")
    assert spec_of(props)["encoding"]["x"]["axis"]["format"] == form


def test_money_is_written_in_its_currency_whatever_the_locale():
    props = props_of({"jan": 1}, format="currency", currency="USD")
    assert spec_of(props)["encoding"]["y"]["axis"]["format"] == "$,f"
    numbers = {locale.name: json.loads(request_of(props, locale, 480, "light"))["numbers"] for locale in (PT, EN)}
    assert numbers["pt-BR"] == {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["US$ ", ""]}
    assert numbers["en"] == {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""]}


def test_bars_lie_down_where_their_labels_have_no_room():
    short, long = (
        props_of({"a": 1, "b": 2}),
        props_of(
            {"uma categoria comprida": 1, "outra bem comprida também": 2} | dict(zip("cdef", range(4), strict=True))
        ),
    )
    assert spec_of(short)["encoding"]["x"]["field"] == "x"
    assert spec_of(long)["encoding"]["y"]["field"] == "x"
    dates = spec_of(props_of(DAYS))  # time goes from left to right
    assert (dates["encoding"]["x"]["field"], dates["encoding"]["x"]["axis"]["labelAngle"]) == ("x", -40)
    many = spec_of(props_of([(f"produto {number}", number) for number in range(40)]))
    assert many["encoding"]["x"]["axis"]["labelAngle"] == -40


@pytest.mark.parametrize(
    ("options", "stack", "has_offset"),
    [({}, None, True), ({"stacked": True}, "zero", False)],
    ids=["beside", "stacked"],
)
def test_several_bars_stand_beside_or_on_each_other(options, stack, has_offset):
    encoding = spec_of(props_of([{"m": "jan", "a": 1, "b": 2}], **options))["encoding"]
    assert encoding["y"]["stack"] == stack
    assert ("xOffset" in encoding) is has_offset
    assert encoding["color"]["legend"]["orient"] == "top"


def test_a_pie_shows_the_largest_slices_with_their_shares():
    rows = rows_of(props_of([(f"s{number}", number) for number in range(-1, 20)], kind="pie"))
    assert len(rows) == 10
    assert (rows[0]["x"], rows[-1]["x"]) == ("s19 · 10%", "Outros · 28,9%")
    assert sum(row["y"] for row in rows) == sum(range(20))


@pytest.mark.parametrize(
    ("kind", "series", "drawn", "note"),
    [
        ("bar", 1, 1_000, "1.000 de 10.000 pontos mostrados"),
        ("line", 1, 10_000, None),
        ("line", 4, 10_000, "2.500 de 10.000 pontos mostrados"),
        ("line", 30, 9_984, "416 de 10.000 pontos mostrados; 24 de 30 séries mostradas"),
    ],
)
def test_what_is_drawn_has_an_end_and_says_so(kind, series, drawn, note):
    data = [{"x": number} | {f"s{index}": 1 for index in range(series)} for number in range(10_000)]
    spec = spec_of(props_of(data, kind=kind, x="x"))
    assert len(spec["data"]["values"]) == drawn
    assert spec.get("title", {}).get("text") == note


def test_the_themes_have_the_same_names_and_other_colours():
    light, dark = THEMES["light"].config(), THEMES["dark"].config()
    assert light.keys() == dark.keys()
    assert not set(light["range"]["category"]) & set(dark["range"]["category"])


# --- charts that bring their own specification ----------------------------------------------------------------------

AUTHORED: dict[str, dict[str, Any]] = {
    "bars": {"mark": "bar", "encoding": {"x": {"field": "país", "sort": "-y"}, "y": {"field": "total"}}},
    "sums": {"mark": "bar", "encoding": {"x": {"field": "país"}, "y": {"field": "total", "aggregate": "sum"}}},
    "months": {
        "mark": "line",
        "encoding": {"x": {"field": "quando", "timeUnit": "yearmonth"}, "y": {"field": "total"}},
    },
    "layers": {
        "layer": [{"mark": "point"}, {"mark": "rule", "encoding": {"y": {"datum": 8}}}],
        "encoding": {"x": {"field": "quando"}, "y": {"field": "total"}},
    },
    "facets": {"mark": "point", "encoding": {"x": {"field": "total"}, "facet": {"field": "país"}}},
    "details": {
        "mark": "line",
        "encoding": {"x": {"field": "total"}, "detail": [{"field": "país"}, {"field": "novo"}]},
    },
    "a domain": {
        "mark": "point",
        "encoding": {
            "x": {"field": "quando", "scale": {"domain": [datetime.date(2024, 1, 1), datetime.date(2025, 1, 1)]}}
        },
    },
    "an order": {"mark": "bar", "encoding": {"x": {"field": "país", "sort": ["Chile", "Brasil"]}}},
    "by another": {"mark": "bar", "encoding": {"x": {"field": "país", "sort": {"field": "total", "op": "sum"}}}},
}


@pytest.mark.parametrize("vega", AUTHORED.values(), ids=AUTHORED)
def test_no_text_of_the_module_stands_where_a_field_does(vega):
    spec = spec_of(props_of(SALES, vega=vega))
    assert all(field in {"c0", "c1", "c2", "c3"} for field in places(spec, "field"))
    assert all(set(row) <= {"c0", "c1", "c2", "c3"} for row in spec["data"]["values"])
    for forbidden in ("expr", "signal", "url", "href", "transform", "params"):
        assert list(places(spec, forbidden)) == []


def test_a_field_is_measured_by_the_data_where_its_type_is_not_given():
    vega = {
        "mark": "point",
        "encoding": {"x": {"field": "quando"}, "y": {"field": "total"}, "color": {"field": "país"}},
    }
    encoding = spec_of(props_of(SALES, vega=vega))["encoding"]
    assert [encoding[channel]["type"] for channel in ("x", "y", "color")] == ["temporal", "quantitative", "nominal"]


@pytest.mark.parametrize(
    ("axis", "shown"),
    [
        ({}, {"labelAngle": -40, "labelOverlap": False}),
        ({"labelAngle": 90}, {"labelAngle": 90, "labelOverlap": False}),
        (None, None),
    ],
)
def test_names_that_have_no_room_are_turned_unless_the_author_says_how(axis, shown):
    rows = [{"n": f"um nome comprido {number}", "v": number} for number in range(12)]
    vega = {"mark": "bar", "encoding": {"x": {"field": "n", "axis": axis}, "y": {"field": "v"}}}
    assert spec_of(props_of(rows, vega=vega))["encoding"]["x"]["axis"] == shown


def test_a_date_that_is_a_name_is_written_as_one():
    vega = {"mark": "bar", "encoding": {"x": {"field": "quando", "type": "ordinal"}, "y": {"field": "quando"}}}
    spec = spec_of(props_of(SALES, vega=vega))
    assert spec["data"]["values"][0] == {"c0": "31/01/2024", "c1": 1_706_659_200_000}


@pytest.mark.parametrize(
    ("channel", "title"),
    [
        ({"field": "total"}, "total"),
        ({"field": "total", "aggregate": "mean"}, "Média de total"),
        ({"aggregate": "count"}, "Contagem"),
        ({"field": "total", "title": "Reais"}, "Reais"),
        ({"field": "total", "title": None}, None),
    ],
)
def test_titles_are_of_the_locale(channel, title):
    spec = spec_of(props_of(SALES, vega={"mark": "bar", "encoding": {"x": {"field": "país"}, "y": channel}}))
    assert spec["encoding"]["y"]["title"] == title


@pytest.mark.parametrize(
    ("form", "axis"),
    [
        ("currency", {"format": "$,f"}),
        ("percent", {"format": "%"}),
        ("number", {"format": ",.2~f"}),
        ("date", {"format": "%d/%m/%Y", "formatType": "time"}),
        (".1f", {"format": ".1f"}),
    ],
)
def test_formats_are_those_of_the_catalogue_or_of_vega_lite(form, axis):
    vega = {"mark": "bar", "encoding": {"y": {"field": "total", "axis": {"format": form}}}}
    assert spec_of(props_of(SALES, vega=vega))["encoding"]["y"]["axis"] == axis


def test_rows_and_panels_have_an_end_and_say_so():
    rows = [{"p": number % 30, "v": number} for number in range(9_000)]
    facets = {"mark": "point", "encoding": {"x": {"field": "v"}, "facet": {"field": "p", "columns": 6}}}
    spec = spec_of(props_of(rows, vega=facets))
    assert len(spec["data"]["values"]) == 5_000
    assert spec["title"]["text"] == "5.000 de 9.000 pontos mostrados; 24 de 30 painéis mostrados"
    assert (spec["encoding"]["facet"]["columns"], spec["width"]) == (2, 184)


@pytest.mark.parametrize("vega", [None, *AUTHORED.values()], ids=["a kind", *AUTHORED])
def test_the_size_is_known_before_the_drawing(vega):
    props = ui.chart(SALES, vega=vega).props if vega else props_of({"jan": 1})
    spec, size = spec_of(props), drawn_size(props, PT, 480)
    assert size.width == 480
    if "facet" not in spec["encoding"]:
        assert (spec["width"], spec["height"]) == (size.width, size.height)
