"""The sales module with a host in memory."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from plataforma_sdk import Event, ModuleContext, ui
from vendas.vendas import VendasModule

PERMISSIONS = ["api.vendas[GET]", "window.create", "events.subscribe", "events.emit"]
API = {
    "/vendas/clientes": [
        {"id": 1, "nome": "Ana", "cidade": "Recife", "pais": "Brasil"},
        {"id": 2, "nome": "Rui", "cidade": "Porto", "pais": "Portugal"},
    ],
    "/vendas/produtos": [{"id": 1, "nome": "Faixa", "genero": "Samba", "preco": "0.99"}],
    "/vendas/vendas": [
        {"id": 1, "data": "2025-01-31", "cliente": 1, "pais": "Brasil", "total": "1.10", "generos": {"Samba": "1.10"}},
        {"id": 2, "data": "2025-02-01", "cliente": 2, "pais": "Portugal", "total": "2.20", "generos": {"Fado": "2.20"}},
    ],
}


class Loaded:
    """A module that has loaded, and the fake host behind it."""

    def __init__(self, run: Callable[..., Any], *, linhas: int = 200) -> None:
        config = {"moeda": "USD", "linhas": linhas}
        self.context = ModuleContext.fake(id="vendas", permissions=PERMISSIONS, api=API, config=config)
        self.module = VendasModule(self.context)
        self.run = run
        run(self.module.on_load())

    @property
    def bridge(self) -> Any:
        return self.context.bridge

    def tree(self) -> dict[str, Any]:
        return ui.to_data(self.module.render())

    def find(self, kind: str) -> list[dict[str, Any]]:
        found, waiting = [], [self.tree()]
        while waiting:
            node = waiting.pop(0)
            waiting[:0] = node["children"]
            if node["type"] == kind:
                found.append(node["props"])
        return found


@pytest.fixture
def vendas(run: Callable[..., Any]) -> Loaded:
    return Loaded(run)


def test_load_reads_subscribes_registers_and_opens_a_window(vendas: Loaded) -> None:
    methods = [method for method, _ in vendas.bridge.calls]
    assert methods.count("api.call") == 3
    assert methods.count("events.subscribe") == 2
    assert "api.register" in methods
    assert list(vendas.bridge.windows) == ["main"]


def test_what_was_not_declared_is_refused_noted_and_survived(vendas: Loaded) -> None:
    assert vendas.module.resumo()["recusadas"] == ["system.clipboard"]


def test_summary_counts_and_sums_exactly(vendas: Loaded) -> None:
    resumo = vendas.module.resumo()
    assert {name: resumo[name] for name in ("clientes", "produtos", "vendas")} == {
        "clientes": 2,
        "produtos": 1,
        "vendas": 2,
    }
    assert str(resumo["receita"]) == "3.30"
    assert str(resumo["ticket_medio"]) == "1.65"


def test_window_shows_metrics_charts_and_table(vendas: Loaded) -> None:
    assert [metric["label"] for metric in vendas.find("metric")] == [
        "Receita",
        "Ticket médio",
        "Vendas",
        "Clientes",
        "Produtos",
    ]
    assert [chart["x"] for chart in vendas.find("chart")] == ["mês", "país", "gênero"]
    assert [row["id"] for row in vendas.find("table")[-1]["rows"]] == [2, 1]


def test_country_filter_narrows_the_window_and_is_told(vendas: Loaded) -> None:
    vendas.module.filtrar_pais(value="Brasil")
    assert vendas.find("metric")[0]["value"] == Decimal("1.10")
    assert [row["pais"] for row in vendas.find("table")[-1]["rows"]] == ["Brasil"]
    assert vendas.bridge.events == [("module.vendas.filtrada", {"pais": "Brasil"})]
    assert vendas.module.resumo()["vendas"] == 2


def test_every_country_stays_on_offer_while_one_is_chosen(vendas: Loaded) -> None:
    vendas.module.filtrar_pais(value="Brasil")
    assert [option["value"] for option in vendas.find("select_field")[0]["options"]] == ["", "Brasil", "Portugal"]


@pytest.mark.parametrize(("handler", "value"), [("escolher_venda", 2), ("escolher_cliente", 2)])
def test_choosing_shows_the_client_and_only_their_sales(vendas: Loaded, handler: str, value: int) -> None:
    getattr(vendas.module, handler)(value=value)
    assert vendas.find("card")[0]["title"] == "Rui"
    assert [row["id"] for row in vendas.find("table")[-1]["rows"]] == [2]


def test_closing_the_client_goes_back_to_all(vendas: Loaded) -> None:
    vendas.module.escolher_cliente(value=1)
    vendas.module.fechar_cliente()
    assert vendas.find("card") == []


def test_login_is_greeted(vendas: Loaded) -> None:
    vendas.run(vendas.module.ao_entrar(Event("user.login", {"nome": "Ana"})))
    assert "Olá, Ana" in [text["value"] for text in vendas.find("text")]


def test_changed_sales_are_read_again(vendas: Loaded) -> None:
    vendas.bridge.api["/vendas/vendas"] = API["/vendas/vendas"][:1]
    vendas.run(vendas.module.ao_atualizar(Event("data.vendas.updated")))
    assert vendas.module.resumo()["vendas"] == 1


def test_notification_is_sent_only_where_it_was_granted(vendas: Loaded) -> None:
    vendas.run(vendas.module.ao_atualizar(Event("data.vendas.updated")))
    vendas.bridge.permissions.grant("system.notifications")
    vendas.run(vendas.module.ao_atualizar(Event("data.vendas.updated")))
    assert vendas.bridge.notifications == [("Vendas", "2 vendas relidas")]


def test_table_holds_as_many_rows_as_configured(run: Callable[..., Any]) -> None:
    assert len(Loaded(run, linhas=1).find("table")[-1]["rows"]) == 1


def test_reload_reads_everything_again(vendas: Loaded) -> None:
    before = len(vendas.bridge.calls)
    vendas.run(vendas.module.recarregar())
    assert [method for method, _ in vendas.bridge.calls[before:]] == ["api.call"] * 3
