"""The example's sums, without any host."""

from __future__ import annotations

from decimal import Decimal

import pytest

from vendas.calculos import Venda, do_cliente, do_pais, por_genero, por_mes, por_pais, receita, ticket_medio


def venda(number: int, day: str, country: str, **genres: str) -> Venda:
    amounts = {name: Decimal(amount) for name, amount in genres.items()}
    return Venda(number, day, number % 2, country, sum(amounts.values(), Decimal("0.00")), amounts)


VENDAS = [
    venda(1, "2025-02-03", "Chile", rock="1.10"),
    venda(2, "2025-01-31", "Brasil", rock="2.20", samba="3.30"),
    venda(3, "2025-02-01", "Brasil", samba="0.10"),
]


def test_revenue_is_exact() -> None:
    assert receita(VENDAS) == Decimal("6.70")
    assert str(receita([])) == "0.00"


def test_mean_is_rounded_to_cents() -> None:
    assert str(ticket_medio(VENDAS)) == "2.23"
    assert str(ticket_medio([])) == "0.00"


def test_months_come_oldest_first() -> None:
    assert por_mes(VENDAS) == {"2025-01": Decimal("5.50"), "2025-02": Decimal("1.20")}
    assert list(por_mes(VENDAS)) == ["2025-01", "2025-02"]


def test_countries_come_largest_first() -> None:
    assert list(por_pais(VENDAS).items()) == [("Brasil", Decimal("5.60")), ("Chile", Decimal("1.10"))]


def test_genres_are_summed_over_the_parts_of_each_sale() -> None:
    assert list(por_genero(VENDAS).items()) == [("samba", Decimal("3.40")), ("rock", Decimal("3.30"))]


@pytest.mark.parametrize(("country", "numbers"), [("Brasil", [2, 3]), ("", [1, 2, 3]), ("Peru", [])])
def test_country_filter(country: str, numbers: list[int]) -> None:
    assert [one.id for one in do_pais(VENDAS, country)] == numbers


def test_client_filter() -> None:
    assert [one.id for one in do_cliente(VENDAS, 1)] == [1, 3]
