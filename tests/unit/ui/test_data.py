"""Tables and charts: what of the author's data enters the tree, and in which shape."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import RenderError


def test_columns_are_the_keys_of_all_rows_in_order() -> None:
    table = ui.table([{"a": 1}, {"b": 2, "a": 3}])
    assert table.props["columns"] == [{"name": "a"}, {"name": "b"}]


def test_values_stay_raw() -> None:
    row = {"d": datetime.date(2024, 1, 31), "m": Decimal("1.50"), "n": None, "b": True}
    assert ui.table([row]).props["rows"] == [row]


def test_only_the_columns_and_the_row_key_leave_the_module() -> None:
    table = ui.table([{"id": 1, "nome": "Ana", "cpf": "123"}], ["nome"], row_key="id")
    assert table.props["rows"] == [{"id": 1, "nome": "Ana"}]


def test_a_column_says_how_it_is_shown() -> None:
    table = ui.table([], [ui.Column("t", "Total", format="currency", currency="BRL", align="end")])
    expected = {"name": "t", "label": "Total", "format": "currency", "currency": "BRL", "align": "end"}
    assert table.props["columns"] == [expected]


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        ("rows", {}),
        ([1], {}),
        ([{"a": [1]}], {}),
        ([{1: "a"}], {}),
        ([{"a": float("nan")}], {}),
        ([{"a": 1}] * 50_001, {}),
        ([{"a": 1}], {"columns": ["a", "a"]}),
        ([{"a": 1}], {"columns": [{"nome": "a"}]}),
        ([{"a": 1}], {"columns": [ui.Column("a", format="money")]}),  # type: ignore[arg-type]
        ([{"a": 1}], {"row_key": "id"}),
        ([{"id": 1}, {"id": 1}], {"row_key": "id"}),
        ([{"a": 1}], {"page_size": 0}),
    ],
)
def test_a_table_refuses_what_it_cannot_show(rows: Any, options: dict[str, Any]) -> None:
    with pytest.raises(RenderError, match=r"ui\.table"):
        ui.table(rows, **options)


@pytest.mark.parametrize(
    "data",
    [
        [("jan", 10), ("fev", 20)],
        {"jan": 10, "fev": 20},
        [{"mes": "jan", "receita": 10}, {"mes": "fev", "receita": 20}],
    ],
    ids=["pairs", "mapping", "rows"],
)
def test_points_become_rows(data: Any) -> None:
    chart = ui.chart(data, x="mes", y="receita")
    assert chart.props["data"] == [{"mes": "jan", "receita": 10}, {"mes": "fev", "receita": 20}]


def test_x_is_the_first_name_and_y_every_other_with_numbers() -> None:
    points: list[dict[str, Any]] = [
        {"mes": "jan", "nota": "x", "a": 1, "b": None},
        {"mes": "fev", "nota": "y", "a": 2, "b": 3},
    ]
    chart = ui.chart(points)
    assert (chart.props["x"], chart.props["y"]) == ("mes", ["a", "b"])
    assert "nota" not in chart.props["data"][0]


def test_rows_named_x_and_y_may_be_drawn_the_other_way_round() -> None:
    chart = ui.chart([{"x": 1, "y": 2}], x="y", y="x")
    assert chart.props["data"] == [{"y": 2, "x": 1}]


def test_a_chart_may_be_empty() -> None:
    assert ui.chart([]).props["data"] == []


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ([("jan", "ten")], {}),
        ([("jan", 1, 2)], {}),
        ([{"mes": "jan", "v": "ten"}], {"y": "v"}),
        ([{"mes": "jan", "v": 1}], {"x": "m"}),
        ([{"mes": "jan", "a": 1, "b": 2}], {"kind": "pie"}),
        ([{"mes": "jan", "a": 1}], {"kind": "donut"}),
        ([{"mes": "jan", "a": 1}], {"y": []}),
        ([("jan", True)], {}),
        ([(str(n), n) for n in range(10_001)], {}),
    ],
)
def test_a_chart_refuses_what_it_cannot_draw(data: Any, options: dict[str, Any]) -> None:
    with pytest.raises(RenderError, match=r"ui\.chart"):
        ui.chart(data, **options)


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        ([{f"c{number}": 1 for number in range(50_000)}, *({} for _ in range(9_999))], {}, "say in y which"),
        ([{f"c{n}": 1 for n in range(200)}, *({} for _ in range(9_999))], {"y": ["c1"], "x": "c0"}, None),
        ([{f"c{n}": 1 for n in range(200)}, *({} for _ in range(9_999))], {}, "draw sums of them"),
    ],
    ids=["columns", "two of them", "cells"],
)
def test_a_small_tree_does_not_become_a_large_chart(points: Any, options: dict[str, Any], message: str | None) -> None:
    """A guest may send it as it is: a point that lacks a column gets it in the host."""
    node = {"type": "chart", "key": "0", "props": {"data": points, "kind": "bar", **options}, "children": []}
    if message is None:
        assert ui.validate_tree(node)["props"]["data"][-1] == {"c0": None, "c1": None}
    else:
        with pytest.raises(RenderError, match=message):
            ui.validate_tree(node)


def test_options_are_values_pairs_or_dicts() -> None:
    field = ui.select_field("x", ["a", (2, "Two"), {"value": "c", "disabled": True}])
    assert field.props["options"] == [
        {"value": "a", "label": "a"},
        {"value": 2, "label": "Two"},
        {"value": "c", "disabled": True, "label": "c"},
    ]
