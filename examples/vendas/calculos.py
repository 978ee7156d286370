"""Sums over sales; money is Decimal from the first digit to the last."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ZERO = Decimal("0.00")


@dataclass
class Venda:
    """One sale, its revenue also split by genre."""

    id: int
    data: str
    cliente: int
    pais: str
    total: Decimal
    generos: dict[str, Decimal]

    @staticmethod
    def da_api(linha: dict[str, Any]) -> "Venda":
        """Read one row of ``/vendas/vendas``, where money is text."""
        generos = {genero: Decimal(total) for genero, total in linha["generos"].items()}
        return Venda(linha["id"], linha["data"], linha["cliente"], linha["pais"], Decimal(linha["total"]), generos)

    @property
    def mes(self) -> str:
        """Return the month, ``"2025-12"``."""
        return self.data[:7]


def receita(vendas: list[Venda]) -> Decimal:
    """Sum the totals."""
    return sum((venda.total for venda in vendas), ZERO)


def ticket_medio(vendas: list[Venda]) -> Decimal:
    """Return the mean of the totals, in cents; 0 where there are none."""
    return (receita(vendas) / len(vendas)).quantize(ZERO) if vendas else ZERO


def do_pais(vendas: list[Venda], pais: str) -> list[Venda]:
    """Keep the sales of one country; an empty name keeps all."""
    return [venda for venda in vendas if venda.pais == pais] if pais else vendas


def do_cliente(vendas: list[Venda], cliente: int) -> list[Venda]:
    """Keep the sales of one client."""
    return [venda for venda in vendas if venda.cliente == cliente]


def por_mes(vendas: list[Venda]) -> dict[str, Decimal]:
    """Sum by month, oldest first."""
    somas: dict[str, Decimal] = {}
    for venda in vendas:
        somas[venda.mes] = somas.get(venda.mes, ZERO) + venda.total
    return dict(sorted(somas.items()))


def por_pais(vendas: list[Venda]) -> dict[str, Decimal]:
    """Sum by country, largest first."""
    somas: dict[str, Decimal] = {}
    for venda in vendas:
        somas[venda.pais] = somas.get(venda.pais, ZERO) + venda.total
    return _maiores_primeiro(somas)


def por_genero(vendas: list[Venda]) -> dict[str, Decimal]:
    """Sum by genre, largest first."""
    somas: dict[str, Decimal] = {}
    for venda in vendas:
        for genero, total in venda.generos.items():
            somas[genero] = somas.get(genero, ZERO) + total
    return _maiores_primeiro(somas)


def _maiores_primeiro(somas: dict[str, Decimal]) -> dict[str, Decimal]:
    return dict(sorted(somas.items(), key=lambda par: (-par[1], par[0])))
