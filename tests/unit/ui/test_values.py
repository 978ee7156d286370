"""Does a value fit the element it is said to come from?"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import ui
from plataforma_sdk.errors import UnknownHandlerError

DAY = datetime.date(2024, 1, 31)


def check(element: ui.Element, value: Any) -> Any:
    return ui.check_value(ui.to_data(element), value)


OPTIONS: list[Any] = ["a", 1, {"value": "off", "disabled": True}]
TABLE = [{"id": "x"}, {"id": "y"}]

FITS: list[tuple[ui.Element, Any, Any]] = [
    (ui.button("x"), None, None),
    (ui.modal(title="x"), None, None),
    (ui.text_field("f"), "text", "text"),
    (ui.text_field("f"), None, ""),
    (ui.text_field("f", max_length=3), "abc", "abc"),
    (ui.text_field("f", multiline=True), "a\nb", "a\nb"),
    (ui.number_field("f"), 1.5, 1.5),
    (ui.number_field("f"), Decimal("1.50"), Decimal("1.50")),
    (ui.number_field("f"), None, None),
    (ui.number_field("f", integer=True), 2.0, 2),
    (ui.number_field("f", minimum=1, maximum=2), 1, 1),
    (ui.checkbox_field("f"), True, True),
    (ui.checkbox_field("f"), None, False),
    (ui.checkbox_field("f", required=True), True, True),
    (ui.date_field("f"), DAY, DAY),
    (ui.date_field("f"), "2024-01-31", DAY),
    (ui.date_field("f"), None, None),
    (ui.select_field("f", OPTIONS), "a", "a"),
    (ui.select_field("f", OPTIONS), None, None),
    (ui.select_field("f", OPTIONS, multiple=True), [1, "a"], [1, "a"]),
    (ui.select_field("f", OPTIONS, multiple=True), None, []),
    (ui.table(TABLE), 1, 1),
    (ui.table(TABLE, row_key="id"), "y", "y"),
    (ui.chart({"jan": 1}), 0, 0),
    (ui.tabs(ui.tab("a"), ui.tab("b")), 1, 1),
    (ui.list("a"), 0, 0),
    (ui.element("acme.x"), {"any": [1]}, {"any": [1]}),
]


@pytest.mark.parametrize(("element", "value", "expected"), FITS)
def test_a_value_that_fits_is_returned_as_handlers_get_it(element: ui.Element, value: Any, expected: Any) -> None:
    result = check(element, value)
    assert result == expected
    assert type(result) is type(expected)


UNFIT: list[tuple[ui.Element, Any]] = [
    (ui.button("x"), 1),
    (ui.button("x", disabled=True), None),
    (ui.text_field("f", disabled=True), "x"),
    (ui.text_field("f"), 1),
    (ui.text_field("f"), "a\nb"),
    (ui.text_field("f"), "\ud800"),
    (ui.text_field("f"), "x" * 100_001),
    (ui.text_field("f", max_length=3), "abcd"),
    (ui.text_field("f", required=True), " "),
    (ui.text_field("f", required=True), None),
    (ui.number_field("f"), "1"),
    (ui.number_field("f"), True),
    (ui.number_field("f"), float("nan")),
    (ui.number_field("f"), float("inf")),
    (ui.number_field("f", integer=True), 1.5),
    (ui.number_field("f", integer=True), Decimal("1e999999999")),
    (ui.number_field("f", minimum=1), 0),
    (ui.number_field("f", maximum=Decimal("1.5")), 1.6),
    (ui.number_field("f", required=True), None),
    (ui.checkbox_field("f"), 1),
    (ui.checkbox_field("f", required=True), False),
    (ui.date_field("f"), "31/01/2024"),
    (ui.date_field("f"), 20240131),
    (ui.date_field("f"), datetime.datetime(2024, 1, 31)),  # noqa: DTZ001
    (ui.date_field("f", minimum=DAY), "2024-01-30"),
    (ui.date_field("f", maximum=DAY), "2024-02-01"),
    (ui.select_field("f", OPTIONS), "b"),
    (ui.select_field("f", OPTIONS), True),
    (ui.select_field("f", OPTIONS), "1"),
    (ui.select_field("f", OPTIONS), "off"),
    (ui.select_field("f", OPTIONS), ["a"]),
    (ui.select_field("f", OPTIONS, required=True), None),
    (ui.select_field("f", OPTIONS, multiple=True), "a"),
    (ui.select_field("f", OPTIONS, multiple=True), ["a", "a"]),
    (ui.select_field("f", OPTIONS, multiple=True, required=True), []),
    (ui.table(TABLE), 2),
    (ui.table(TABLE), -1),
    (ui.table(TABLE), True),
    (ui.table(TABLE, row_key="id"), 1),
    (ui.table(TABLE, row_key="id"), "z"),
    (ui.chart({"jan": 1}), 1),
    (ui.tabs(ui.tab("a")), 1),
    (ui.list("a"), "0"),
    (ui.element("acme.x"), object()),
]


@pytest.mark.parametrize(("element", "value"), UNFIT)
def test_a_value_that_does_not_fit_is_refused(element: ui.Element, value: Any) -> None:
    with pytest.raises(UnknownHandlerError, match="does not fit"):
        check(element, value)


FORM = ui.form(
    ui.text_field("nome", required=True),
    ui.row(ui.number_field("idade", integer=True), ui.date_field("dia")),
    ui.text_field("fixo", value="x", disabled=True),
)


def test_a_form_collects_its_fields() -> None:
    assert check(FORM, {"nome": "Ana", "dia": "2024-01-31"}) == {"nome": "Ana", "idade": None, "dia": DAY, "fixo": "x"}


@pytest.mark.parametrize(
    "value", [None, [], {}, {"nome": ""}, {"nome": "Ana", "idade": "x"}, {"nome": "Ana", "admin": True}]
)
def test_a_form_refuses_what_its_fields_refuse(value: Any) -> None:
    with pytest.raises(UnknownHandlerError, match="does not fit"):
        check(FORM, value)


def test_a_disabled_field_cannot_be_changed_through_its_form() -> None:
    assert check(FORM, {"nome": "Ana", "fixo": "changed"})["fixo"] == "x"


def test_the_error_names_the_element() -> None:
    with pytest.raises(UnknownHandlerError, match=r"ui\.text_field '0\.nome'"):
        ui.check_value(ui.to_data(ui.form(ui.text_field("nome", key="nome")))["children"][0], 1)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (ui.button("x"), False),
        (ui.card(), False),
        (ui.modal(title="x"), False),
        (ui.text_field("f"), True),
        (ui.form(), True),
        (ui.table([]), True),
        (ui.element("acme.x"), True),
    ],
)
def test_handlers_take_a_value_where_the_element_has_input(element: ui.Element, expected: bool) -> None:
    assert ui.takes_value(ui.to_data(element)) is expected


not_numbers = st.sampled_from([Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), True, "1", float("nan"), []])


@given(st.integers() | st.floats(allow_nan=False) | st.decimals(-100, 100))
def test_a_number_field_accepts_exactly_its_range(value: Any) -> None:
    field = ui.to_data(ui.number_field("f", minimum=-10, maximum=10))
    try:
        accepted = ui.check_value(field, value) == value
    except UnknownHandlerError:
        accepted = False
    assert accepted is (-10 <= value <= 10)


@given(not_numbers)
def test_a_number_field_accepts_nothing_but_numbers(value: Any) -> None:
    with pytest.raises(UnknownHandlerError):
        ui.check_value(ui.to_data(ui.number_field("f")), value)
