"""Builders of what shows many values: tables and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from plataforma_sdk.ui._action import Handler
from plataforma_sdk.ui._data_kinds import Column, Format
from plataforma_sdk.ui._element import Element, build

__all__ = ["chart", "table"]

Points: TypeAlias = (
    Sequence[Mapping[str, Any]] | Sequence[tuple[Any, float | Decimal | None]] | Mapping[Any, float | Decimal | None]
)


def table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str | Column] | None = None,
    *,
    filterable: bool | None = None,
    page_size: int | None = None,
    title: str | None = None,
    empty: str | None = None,
    row_key: str | None = None,
    on_select: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Show rows in columns. Values go raw; only those of the columns leave the module.

    Args:
        rows: dicts of single values, at most 50,000.
        columns: names, or `Column` with label and format; every key of the rows where None.
        filterable: whether the viewer lets the person search and sort.
        page_size: rows shown at once, 1 to 1,000.
        title: a heading.
        empty: what to say where there are no rows.
        row_key: column whose value tells rows apart, such as an id.
        on_select: called with ``value=`` the row's `row_key`, or its index where there is none.
        key: what tells this element from its siblings.

    >>> table([{"pais": "Brasil", "total": 7}]).props["columns"]
    [{'name': 'pais'}, {'name': 'total'}]
    """
    return build(
        "table",
        (),
        key,
        rows=rows,
        columns=columns,
        filterable=filterable,
        page_size=page_size,
        title=title,
        empty=empty,
        row_key=row_key,
        on_select=on_select,
    )


def chart(
    data: Points,
    *,
    kind: Literal["bar", "line", "pie", "area"] = "bar",
    x: str | None = None,
    y: str | Sequence[str] | None = None,
    title: str | None = None,
    format: Format | None = None,  # noqa: A002 - the word of the wire
    currency: str | None = None,
    stacked: bool | None = None,
    vega: Mapping[str, Any] | None = None,
    alt: str | None = None,
    on_select: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Draw numbers.

    Args:
        data: dicts, pairs ``(label, number)``, or a dict label -> number; at most 10,000 points.
        kind: how they are drawn.
        x: what names the points; the first key where None. For pairs, the name to give it.
        y: what is measured, one name or several; every other key that holds numbers where None.
        title: a heading.
        format: how the numbers are shown.
        currency: ISO 4217 code for ``format="currency"``.
        stacked: whether several measures stand on each other.
        vega: how to draw the points, in a part of Vega-Lite: mark or layer, encoding, title, height and resolve.
            Viewers that do not draw it take `kind`, `x` and `y`, which are fields that it names unless they are given.
        alt: what the chart says, in a sentence, for those who cannot see it; viewers fall back on the numbers.
        on_select: called with ``value=`` the index of the point chosen.
        key: what tells this element from its siblings.

    >>> chart({"jan": 10, "fev": 20}, x="mês", y="receita").props["data"][0]
    {'mês': 'jan', 'receita': 10}
    >>> dots = {"mark": "point", "encoding": {"x": {"field": "idade"}, "y": {"field": "total"}}}
    >>> chart([{"nome": "Ana", "idade": 40, "total": 7}], vega=dots).props["data"]
    [{'idade': 40, 'total': 7}]
    """
    return build(
        "chart",
        (),
        key,
        data=data,
        kind=kind,
        x=x,
        y=y,
        title=title,
        format=format,
        currency=currency,
        stacked=stacked,
        vega=vega,
        alt=alt,
        on_select=on_select,
    )
