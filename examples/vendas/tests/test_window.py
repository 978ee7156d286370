"""What the window shows, and what a person does in it."""

from decimal import Decimal

import pytest

from plataforma_sdk.errors import TreeLimitError
from plataforma_sdk.testing import NodeNotFoundError

pytestmark = pytest.mark.plataforma(tier="all")


def metrics(pilot):
    return {node.props["label"]: node.props["value"] for node in pilot.find_all("metric")}


def sales(pilot):
    return [row["id"] for row in pilot.find("table", "Vendas mais recentes").props["rows"]]


async def test_whole_window(plataforma_environment, plataforma_snapshot):
    async with plataforma_environment as vendas:
        plataforma_snapshot(vendas.pilot.tree)


async def test_window_of_one_country(plataforma_environment, plataforma_snapshot):
    async with plataforma_environment as vendas:
        await vendas.pilot.select("País", "Portugal")
        plataforma_snapshot(vendas.pilot.tree)


async def test_window_without_sales(plataforma_environment, plataforma_api, plataforma_snapshot):
    plataforma_api.answer("GET /vendas/vendas", [])
    async with plataforma_environment as vendas:
        plataforma_snapshot(vendas.pilot.tree)


async def test_money_is_exact(plataforma_environment):
    async with plataforma_environment as vendas:
        assert metrics(vendas.pilot) == {
            "Receita": Decimal("10.05"),
            "Ticket médio": Decimal("2.51"),
            "Vendas": 4,
            "Clientes": 3,
            "Produtos": 2,
        }


async def test_newest_sales_come_first(plataforma_environment):
    async with plataforma_environment as vendas:
        assert sales(vendas.pilot) == [4, 3, 2, 1]


async def test_a_client_who_is_gone_is_shown_as_unknown(plataforma_environment):
    async with plataforma_environment as vendas:
        rows = vendas.pilot.find("table", "Vendas mais recentes").props["rows"]
        assert [row["cliente"] for row in rows] == ["Desconhecido", "Lia Prado", "Rui Costa", "Ana Souza"]


async def test_tabs_lead_to_three_charts_and_the_clients(plataforma_environment):
    async with plataforma_environment as vendas:
        assert [node.props["label"] for node in vendas.pilot.find_all("tab")] == [
            "Por mês",
            "Por país",
            "Por gênero",
            "Clientes",
        ]
        assert [node.props["kind"] for node in vendas.pilot.find_all("chart")] == ["line", "bar", "bar"]


async def test_every_country_is_on_offer_in_alphabetical_order(plataforma_environment):
    async with plataforma_environment as vendas:
        options = vendas.pilot.find("select_field").props["options"]
        assert [option["value"] for option in options] == ["", "Brasil", "Chile", "Portugal"]


async def test_a_country_narrows_the_window(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select("País", "Brasil")
        assert sales(vendas.pilot) == [3, 1]
        assert metrics(vendas.pilot)["Receita"] == Decimal("5.00")


async def test_all_countries_bring_everything_back(plataforma_environment):
    async with plataforma_environment as vendas:
        before = vendas.pilot.tree
        await vendas.pilot.select("País", "Chile")
        await vendas.pilot.select("País", "Todos os países")
        assert vendas.pilot.tree == before


async def test_the_summary_is_of_all_countries_whatever_the_window_shows(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select("País", "Chile")
        assert (await vendas.pilot.call("resumo"))["vendas"] == 4


async def test_choosing_a_sale_shows_its_client(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select_row(2, title="Vendas mais recentes")
        card = vendas.pilot.find("card")
        assert (card.props["title"], card.props["subtitle"]) == ("Rui Costa", "Porto, Portugal")
        assert sales(vendas.pilot) == [2]


async def test_choosing_the_sale_of_an_unknown_client_shows_nobody(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select_row(4, title="Vendas mais recentes")
        assert vendas.pilot.find_all("card") == []


async def test_choosing_a_client_shows_their_sales(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select_row(3, empty="Nenhum cliente")
        assert sales(vendas.pilot) == [3]


async def test_closing_the_client_goes_back(plataforma_environment):
    async with plataforma_environment as vendas:
        before = vendas.pilot.tree
        await vendas.pilot.select_row(1, empty="Nenhum cliente")
        await vendas.pilot.press("Todos os clientes")
        assert vendas.pilot.tree == before


async def test_a_country_lets_go_of_the_client(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select_row(1, empty="Nenhum cliente")
        await vendas.pilot.select("País", "Brasil")
        assert vendas.pilot.find_all("card") == []


async def test_reloading_reads_everything_again(plataforma_environment, plataforma_api, nova_venda):
    async with plataforma_environment as vendas:
        plataforma_api.answer("GET /vendas/vendas", [nova_venda])
        await vendas.pilot.press("Recarregar")
        assert sales(vendas.pilot) == [5]
        assert len(vendas.api.requests) == 6


@pytest.mark.plataforma(config={"linhas": 2})
async def test_shows_as_many_sales_as_configured(plataforma_environment):
    async with plataforma_environment as vendas:
        assert sales(vendas.pilot) == [4, 3]
        assert metrics(vendas.pilot)["Vendas"] == 4


@pytest.mark.plataforma(config={"moeda": "BRL"})
async def test_money_is_in_the_configured_currency(plataforma_environment):
    async with plataforma_environment as vendas:
        assert {node.props["currency"] for node in vendas.pilot.find_all(format="currency")} == {"BRL"}


@pytest.mark.plataforma(locale="pt-BR")
async def test_the_tree_carries_raw_values_whatever_the_language(plataforma_environment):
    async with plataforma_environment as vendas:
        receita = vendas.pilot.find("metric", "Receita")
        assert (receita.props["value"], receita.props["format"]) == (Decimal("10.05"), "currency")


async def test_a_closed_window_shows_nothing_and_the_module_goes_on(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.close()
        with pytest.raises(NodeNotFoundError, match="no window 'main'"):
            vendas.pilot.find("heading")
        assert (await vendas.pilot.call("resumo"))["vendas"] == 4


@pytest.mark.plataforma(limits={"max_tree_nodes": 10})
async def test_a_window_beyond_the_limit_is_refused(plataforma_environment):
    with pytest.raises(TreeLimitError, match="vendas"):
        await plataforma_environment.__aenter__()
