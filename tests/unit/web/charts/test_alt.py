"""What a chart says to those who cannot see it, in the language of the person."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from plataforma_sdk.web.charts._alt import alt_text
from plataforma_sdk.web.charts._locales import locale_of

from .chart_kit import props_of

MONEY = {"format": "currency", "currency": "BRL"}
POINTS = {"jan": Decimal("1200.5"), "fev": 300, "mar": 2100}
_BRAZILIAN = (
    'Gráfico de linhas "Receita", receita por mês: 3 pontos; de R$ 1.200,50 (jan) a R$ 2.100,00 (mar); '
    "mínimo R$ 300,00 (fev), máximo R$ 2.100,00 (mar)."
)
_ENGLISH = (
    'Line chart "Receita", receita by mês: 3 points; from R$1,200.50 (jan) to R$2,100.00 (mar); '
    "lowest R$300.00 (fev), highest R$2,100.00 (mar)."
)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("pt-BR", _BRAZILIAN),
        ("en-GB", _ENGLISH),
    ],
)
def test_it_tells_the_course_and_the_ends(locale, text):
    props = props_of(POINTS, kind="line", x="mês", y="receita", title="Receita", **MONEY)
    assert alt_text(props, locale_of(locale)).replace("\xa0", " ") == text


def test_several_measures_are_named():
    props = props_of([{"ano": 2023, "a": 1, "b": None}, {"ano": 2024, "a": 3, "b": 4}])
    assert alt_text(props, locale_of("pt")) == (
        "Gráfico de barras, a, b por ano: 2 pontos; a: mínimo 1 (2023), máximo 3 (2024); b: mínimo 4 (2024),"
        " máximo 4 (2024)."
    )


@pytest.mark.parametrize(
    ("data", "options", "text"),
    [
        ([], {}, "Bar chart, y by x: no data."),
        ({"a": 1}, {"kind": "pie"}, "Pie chart, y by x: 1 point; lowest 1 (a), highest 1 (a)."),
        ([("a", None)], {}, "Bar chart, y by x: 1 point."),
        ({"a": 1}, {"alt": "Sales grow."}, "Sales grow."),
        (
            {"a\u202e\x00": 0.125},
            {"format": "percent"},
            "Bar chart, y by x: 1 point; lowest 12.5% (a��), highest 12.5% (a��).",
        ),
        ([{"a": "x"}], {"vega": {"mark": "bar", "encoding": {"x": {"field": "a"}}}}, "Chart: 1 point."),
    ],
)
def test_it_says_what_there_is(data, options, text):
    assert alt_text(props_of(data, **options), locale_of("en")) == text


@pytest.mark.parametrize(
    ("value", "options", "pt", "en"),
    [
        (1234567, (), "1.234.567", "1,234,567"),
        (Decimal("-0.5"), (), "-0,5", "-0.5"),
        (-5, ("currency", "EUR"), "-€ 5,00", "-€5.00"),
        (5, ("currency", "CHF"), "CHF 5,00", "CHF 5.00"),
        (5, ("currency", None), "5,00", "5.00"),
        (1e30, (), "1e+30", "1e+30"),
        (0.00123456, (), "0,00123", "0.00123"),
        (2024, ("text",), "2024", "2024"),
        (None, (), "–", "–"),
        (True, (), "sim", "yes"),
        (datetime.date(2024, 1, 31), (), "31/01/2024", "31 Jan 2024"),
        (datetime.datetime.fromisoformat("2024-01-31T09:05"), (), "31/01/2024 09:05", "31 Jan 2024 09:05"),
        (datetime.datetime.fromisoformat("2024-01-31T09:05"), ("date",), "31/01/2024", "31 Jan 2024"),
    ],
)
def test_values_are_written_as_the_language_does(value, options, pt, en):
    written = [locale_of(tag).text(value, *options).replace("\xa0", " ") for tag in ("pt-BR", "en", "fr")]
    assert written == [pt, en, en]
