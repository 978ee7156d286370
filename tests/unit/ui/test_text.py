"""A tree as plain text."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import ui


def test_an_outline_shows_every_element() -> None:
    tree = ui.column(
        ui.heading("Vendas"),
        ui.row(ui.metric("Receita", Decimal("2328.60"), format="currency", currency="BRL"), ui.badge("novo")),
        ui.card(ui.text("dentro"), title="Cartão"),
        ui.tabs(ui.tab("Um", "1"), ui.tab("Dois", "2"), selected=1),
        ui.list("a", "b", ordered=True),
        ui.progress(0.5, label="Carga"),
        ui.form(
            ui.text_field("nome", required=True),
            ui.select_field("pais", [("BR", "Brasil")], value="BR"),
            ui.checkbox_field("ok", value=True),
            on_submit="save",
        ),
        ui.button("Atualizar"),
    )
    assert ui.render_text(tree, 60).splitlines() == [
        "# Vendas",
        "Receita: 2,328.60 BRL   <novo>",
        "+ Cartão",
        "| dentro",
        "- Um",
        "  1",
        "* Dois",
        "  2",
        "1. a",
        "2. b",
        "Carga [##########..........] 50%",
        "nome*: []",
        "pais: [Brasil v]",
        "[x] ok",
        "[ OK ]",
        "[ Atualizar ]",
    ]


def test_a_table_has_a_head_and_aligned_columns() -> None:
    rows = [{"pais": "Brasil", "total": 190}, {"pais": "EUA", "total": 5}]
    assert ui.render_text(ui.table(rows)).splitlines() == [
        "pais    total",
        "------  -----",
        "Brasil    190",
        "EUA         5",
    ]


def test_rows_left_out_are_counted() -> None:
    text = ui.render_text(ui.table([{"a": n} for n in range(25)]))
    assert text.endswith("… 5 more rows")


def test_an_empty_table_says_so() -> None:
    assert ui.render_text(ui.table([], empty="Nada")) == "Nada"


def test_a_chart_is_bars_with_figures() -> None:
    assert ui.render_text(ui.chart({"jan": 10, "fev": 20}, title="Mês"), 30).splitlines() == [
        "Mês",
        "jan  10  ##########",
        "fev  20  #####################",
    ]


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in ui.render_text(ui.text_field("p", kind="password", value="s3cret"))


@pytest.mark.parametrize(
    ("value", "format_", "shown"),
    [
        (1234.5, "currency", "1,234.50"),
        (0.125, "percent", "12.5%"),
        (1234567, None, "1,234,567"),
        (Decimal("1E+3"), None, "1,000"),
        (1234, "text", "1234"),
        (None, None, "-"),
        (True, None, "yes"),
        (datetime.date(2024, 1, 31), "date", "2024-01-31"),
        (datetime.datetime(2024, 1, 31, 8, 5), None, "2024-01-31 08:05:00"),  # noqa: DTZ001
        (datetime.datetime(2024, 1, 31, 8, 5), "date", "2024-01-31"),  # noqa: DTZ001
    ],
)
def test_values_are_written_neutrally(value: object, format_: str | None, shown: str) -> None:
    assert ui.render_text(ui.text(value, format=format_)) == shown  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x07", "\u202egnp.exe", "\x9b31m", "\r", "\u2066"],
    ids=["escape", "bell", "right-to-left", "c1", "return", "isolate"],
)
def test_nothing_that_a_terminal_would_obey_is_printed(hostile: str) -> None:
    """Source: CVE-2021-42574 (Trojan Source), CWE-150 (escape sequences)."""
    tree = ui.column(
        ui.heading(hostile),
        ui.text(hostile),
        ui.card(title=hostile),
        ui.table([{hostile: hostile}], title=hostile),
        ui.chart({hostile: 1}, title=hostile, alt=hostile),
        ui.alert(hostile, title=hostile),
        ui.select_field("s", [hostile], value=hostile),
        ui.tabs(ui.tab(hostile)),
        ui.image("https://example.com/", alt=hostile),
    )
    assert all(char.isprintable() or char == "\n" for char in ui.render_text(tree))


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcdefgh"), st.text(max_size=30) | st.integers(), min_size=1), max_size=5
    ),
    st.integers(20, 100),
)
def test_lines_keep_to_the_width(rows: list[dict[str, str | int]], width: int) -> None:
    tree = ui.column(ui.card(ui.table(rows), "word " * 30), ui.row("x" * 15, "y" * 15))
    assert all(len(line) <= width for line in ui.render_text(tree, width).splitlines())
