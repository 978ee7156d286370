"""The sales API, with rows that are few enough to know by heart."""

import pytest

from plataforma_sdk.testing import FakeApi


def venda(id: int, data: str, cliente: int, pais: str, **generos: str) -> dict[str, object]:
    """Write one row of ``/vendas/vendas``; the genres make up the total."""
    cents = sum(int(valor.replace(".", "")) for valor in generos.values())
    total = f"{cents // 100}.{cents % 100:02}"
    return {"id": id, "data": data, "cliente": cliente, "pais": pais, "total": total, "generos": generos}


CLIENTES = [
    {"id": 1, "nome": "Ana Souza", "cidade": "Recife", "pais": "Brasil"},
    {"id": 2, "nome": "Rui Costa", "cidade": "Porto", "pais": "Portugal"},
    {"id": 3, "nome": "Lia Prado", "cidade": "Olinda", "pais": "Brasil"},
]
PRODUTOS = [
    {"id": 1, "nome": "Faixa um", "genero": "Samba", "preco": "0.99"},
    {"id": 2, "nome": "Faixa dois", "genero": "Fado", "preco": "1.99"},
]
VENDAS = [
    venda(1, "2025-01-31", 1, "Brasil", Samba="1.10", Fado="0.90"),
    venda(2, "2025-02-01", 2, "Portugal", Fado="5.00"),
    venda(3, "2025-02-14", 3, "Brasil", Samba="3.00"),
    venda(4, "2025-03-02", 9, "Chile", Rock="0.05"),
]


@pytest.fixture
def plataforma_api(plataforma_api: FakeApi) -> FakeApi:
    """Answer what the module reads; a test replaces what it wants otherwise."""
    plataforma_api.answer("GET /vendas/clientes", CLIENTES)
    plataforma_api.answer("GET /vendas/produtos", PRODUTOS)
    plataforma_api.answer("GET /vendas/vendas", VENDAS)
    return plataforma_api


@pytest.fixture
def nova_venda() -> dict[str, object]:
    """A fifth sale."""
    return venda(5, "2025-03-09", 1, "Brasil", Samba="10.00")
