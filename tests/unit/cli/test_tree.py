"""A window in a terminal."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from plataforma_sdk import ui
from plataforma_sdk.cli._tree import _DRAWERS, draw
from plataforma_sdk.ui import CATALOGUE

CONTAINERS = {"column", "tabs"}


def drawn(element: ui.Element, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(draw(ui.to_data(element)))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_every_element_of_the_catalogue_is_known() -> None:
    assert set(_DRAWERS) | CONTAINERS == set(CATALOGUE)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (ui.text("hello"), "hello"),
        (ui.heading("Vendas"), "Vendas"),
        (ui.metric("Receita", Decimal("3.5"), format="currency", currency="BRL"), "3.50 BRL"),
        (ui.button("Go"), "[ Go ]"),
        (ui.badge("new"), "new"),
        (ui.alert("careful"), "careful"),
        (ui.image("https://example.com/a.png", alt="a cat"), "a cat"),
        (ui.divider("more"), "more"),
        (ui.progress(1, maximum=4, label="loading"), "loading 25%"),
        (ui.card("inside", title="Card"), "Card"),
        (ui.row("left", "right"), "right"),
        (ui.list("a", "b", ordered=True), "2. b"),
        (ui.tabs(ui.tab("One", "first"), ui.tab("Two", "second")), "second"),
        (ui.select_field("country", [("br", "Brasil")], label="Country", value="br"), "Country: [Brasil]"),
        (ui.select_field("many", ["a", "b"], multiple=True, value=["a", "b"]), "many: [a, b]"),
        (ui.text_field("name", value="Ana"), "name: [Ana]"),
        (ui.element("vendor.gauge", "fallback", value=3), "fallback"),
    ],
    ids=lambda value: value.type if isinstance(value, ui.Element) else "",
)
def test_element_is_drawn(element: ui.Element, expected: str) -> None:
    assert expected in drawn(element)


def test_a_table_shows_its_first_rows_and_counts_the_rest() -> None:
    text = drawn(ui.table([{"n": number} for number in range(1_000, 1_025)], title="Rows"))
    assert "1,009" in text
    assert "1,010" not in text
    assert "15 more rows" in text


def test_a_bar_is_as_long_as_its_share() -> None:
    lines = drawn(ui.chart({"a": 1, "b": 2, "c": None})).splitlines()
    assert [line.count("█") for line in lines[:3]] == [15, 30, 0]


def test_a_line_chart_shows_the_newest_points() -> None:
    text = drawn(ui.chart({f"m{number:02}": number for number in range(20)}, kind="line", title="Months"))
    assert "m19" in text
    assert "m07" not in text
    assert "8 earlier" in text


def test_markup_of_a_module_stays_text() -> None:
    assert "[red]danger[/red]" in drawn(ui.column(ui.text("[red]danger[/red]"), ui.card("x", title="[bold]t[/bold]")))


def test_escape_sequences_of_a_module_do_not_reach_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07"
    tree = ui.column(
        ui.text(hostile),
        ui.card(title=hostile),
        ui.button(hostile),
        ui.table([{"a": hostile}], title=hostile),
        ui.chart({hostile: 1}, title=hostile),
        ui.divider(hostile),
    )
    assert "\x1b" not in drawn(tree)
