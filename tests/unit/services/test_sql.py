"""Reading a statement before SQLite does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.services._sql import expanded_size, has_named_placeholder, statement_kind


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1", "SELECT"),
        ("  \n\tSELECT 1", "SELECT"),
        ("-- drop\nselect 1", "SELECT"),
        ("/* drop */select 1", "SELECT"),
        ("/* unterminated select 1", ""),
        ("--", ""),
        ("", ""),
        (";select 1", ""),
        ("'select' 1", ""),
        ("\xa0select 1", ""),
        ("s\u0435lect 1", ""),
        ("select1", "SELECT1"),
        ("(select 1)", ""),
    ],
)
def test_kind_is_the_first_word(sql: str, kind: str) -> None:
    assert statement_kind(sql) == kind


@pytest.mark.parametrize(
    ("sql", "factor"),
    [
        ("select a from t", 1),
        ("with x as (select 1) select * from x", 2),
        ("with x(a, b) as (select 1, 2) select * from x", 2),
        ("with x as materialized (select 1) select * from x", 2),
        ('with x as not materialized (select 1) select * from X, "x", [x], `x`', 5),
        ("with x as (select 1), y as (select * from x, x) select * from y, y", 9),
        ("select cast(a as text), b as c from t", 1),
        ("select 'x as (' from t", 1),
        ('select 1 as "as" from t', 1),
    ],
)
def test_expansion_multiplies_the_references(sql: str, factor: int) -> None:
    assert expanded_size(sql) == factor * len(sql)


@given(st.text(max_size=200) | st.text(alphabet="as ()',\"[]`xWITH-/*\n", max_size=80))
def test_no_text_breaks_the_reader(sql: str) -> None:
    statement_kind(sql)
    has_named_placeholder(sql)
    assert expanded_size(sql) >= len(sql)
