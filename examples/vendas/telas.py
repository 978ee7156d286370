"""The window of the sales module: state in, elements out."""

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from plataforma_sdk import ui

from .calculos import Venda, por_genero, por_mes, por_pais, receita, ticket_medio

if TYPE_CHECKING:
    from .vendas import VendasModule


def painel(modulo: "VendasModule") -> ui.Element:
    """Draw the whole window."""
    visiveis = modulo.vendas_visiveis()
    moeda = str(modulo.config["moeda"])
    return ui.column(
        _cabecalho(modulo),
        _indicadores(modulo, visiveis, moeda),
        _cliente(modulo),
        ui.tabs(
            ui.tab("Por mês", _grafico("Receita por mês", "mês", por_mes(visiveis), moeda, kind="line")),
            ui.tab("Por país", _grafico("Receita por país", "país", por_pais(visiveis), moeda)),
            ui.tab("Por gênero", _grafico("Receita por gênero", "gênero", por_genero(visiveis), moeda)),
            ui.tab("Clientes", _clientes(modulo)),
        ),
        _tabela(modulo, visiveis, moeda),
    )


def _grafico(
    titulo: str, eixo: str, somas: dict[str, Decimal], moeda: str, kind: Literal["bar", "line"] = "bar"
) -> ui.Element:
    return ui.chart(somas, kind=kind, x=eixo, y="receita", title=titulo, format="currency", currency=moeda)


def _cabecalho(modulo: "VendasModule") -> ui.Element:
    saudacao = f"Olá, {modulo.usuario}" if modulo.usuario else "Olá"
    paises = [("", "Todos os países"), *((pais, pais) for pais in sorted(por_pais(modulo.vendas)))]
    return ui.row(
        ui.heading("Vendas"),
        ui.text(saudacao),
        ui.select_field("pais", paises, label="País", value=modulo.pais, on_change=modulo.filtrar_pais),
        ui.button("Recarregar", on_press=modulo.recarregar),
    )


def _indicadores(modulo: "VendasModule", visiveis: list[Venda], moeda: str) -> ui.Element:
    return ui.row(
        ui.metric("Receita", receita(visiveis), format="currency", currency=moeda),
        ui.metric("Ticket médio", ticket_medio(visiveis), format="currency", currency=moeda),
        ui.metric("Vendas", len(visiveis), format="number"),
        ui.metric("Clientes", len(modulo.clientes), format="number"),
        ui.metric("Produtos", len(modulo.produtos), format="number"),
    )


def _clientes(modulo: "VendasModule") -> ui.Element:
    colunas = [ui.Column("nome", "Nome"), ui.Column("cidade", "Cidade"), ui.Column("pais", "País")]
    return ui.table(
        modulo.clientes,
        colunas,
        row_key="id",
        filterable=True,
        page_size=20,
        empty="Nenhum cliente",
        on_select=modulo.escolher_cliente,
    )


def _cliente(modulo: "VendasModule") -> ui.Element | None:
    cliente = modulo.cliente
    if cliente is None:
        return None
    return ui.card(
        ui.button("Todos os clientes", on_press=modulo.fechar_cliente),
        title=cliente["nome"],
        subtitle=f"{cliente['cidade']}, {cliente['pais']}",
    )


def _tabela(modulo: "VendasModule", visiveis: list[Venda], moeda: str) -> ui.Element:
    """Show the newest sales, as many as the configuration says: the rest is one filter away."""
    nomes = {cliente["id"]: cliente["nome"] for cliente in modulo.clientes}
    recentes = sorted(visiveis, key=lambda venda: (venda.data, venda.id), reverse=True)[: modulo.config["linhas"]]
    linhas = [
        {
            "id": venda.id,
            "data": venda.data,
            "cliente": nomes.get(venda.cliente, "Desconhecido"),
            "pais": venda.pais,
            "total": venda.total,
        }
        for venda in recentes
    ]
    colunas = [
        ui.Column("id", "Nº"),
        ui.Column("data", "Data", format="date"),
        ui.Column("cliente", "Cliente"),
        ui.Column("pais", "País"),
        ui.Column("total", "Total", format="currency", currency=moeda),
    ]
    return ui.table(
        linhas,
        colunas,
        title="Vendas mais recentes",
        row_key="id",
        filterable=True,
        page_size=20,
        empty="Nenhuma venda",
        on_select=modulo.escolher_venda,
    )
