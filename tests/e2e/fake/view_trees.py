"""Trees that the fake host shows, made by the real builders."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from plataforma_sdk import ui

__all__ = ["TREES", "Shown"]

Shown = tuple[ui.Element, dict[str, dict[str, Any]]]
"""A tree, and the charts that were drawn for it."""

_NAMES = ("Ana Júlia", "Bruno", "Célia", "Davi", "Élton", "Fátima", "Gonçalo", "Helena", "Ícaro", "João")
_CITIES = (("São Paulo", "Brasil"), ("Lisboa", "Portugal"), ("Berlim", "Alemanha"), ("Montréal", "Canadá"))
_COUNTRIES = ("Alemanha", "Argentina", "Austrália", "Áustria", "Bélgica", "Brasil", "Canadá", "Chile", "Dinamarca")
_COUNTRIES += ("Espanha", "EUA", "Finlândia", "França", "Hungria", "Índia", "Irlanda", "Itália", "Noruega", "Portugal")
_PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def rows(count: int) -> list[dict[str, Any]]:
    """Make sales."""
    start = datetime.date(2024, 1, 1)
    return [
        {
            "id": place + 1,
            "data": start + datetime.timedelta(days=place % 700),
            "cliente": f"{_NAMES[place % 10]} {'Souza' if place % 3 else 'de Araújo'} {place}",
            "pais": _CITIES[place % 4][1],
            "total": Decimal(place * 7919 % 100_000) / 100 if place % 17 else None,
        }
        for place in range(count)
    ]


COLUMNS = [
    ui.Column("id", "Nº"),
    ui.Column("data", "Data", format="date"),
    ui.Column("cliente", "Cliente"),
    ui.Column("pais", "País"),
    ui.Column("total", "Total", format="currency", currency="BRL"),
]


def vendas() -> Shown:
    """The window of the example `vendas`, as it stands there."""
    months = {f"2024-{month:02}": Decimal(month * 7 % 13 + 30) for month in range(1, 13)}
    tree = ui.column(
        ui.row(
            ui.heading("Vendas"),
            ui.text("Olá, Ana"),
            ui.select_field(
                "pais", [("", "Todos os países"), *_COUNTRIES], label="País", value="", on_change="filtrar_pais"
            ),
            ui.button("Recarregar", on_press="recarregar", icon="refresh"),
        ),
        ui.row(
            ui.metric("Receita", Decimal("2328.60"), format="currency", currency="USD", change=0.124),
            ui.metric("Ticket médio", Decimal("5.65"), format="currency", currency="USD", change=-0.031),
            ui.metric("Vendas", 412, format="number"),
            ui.metric("Clientes", 59, format="number"),
            ui.metric("Produtos", 3503, format="number"),
        ),
        ui.tabs(
            ui.tab("Por mês", ui.chart(months, kind="line", x="mês", y="receita", title="Receita por mês", key="mes")),
            ui.tab("Por país", ui.chart({"Brasil": 7, "Portugal": 5}, x="país", y="receita", format="currency")),
            ui.tab("Clientes", ui.table(rows(12), COLUMNS), icon="users"),
        ),
        ui.table(
            rows(412),
            COLUMNS,
            title="Vendas mais recentes",
            row_key="id",
            filterable=True,
            page_size=20,
            on_select="escolher_venda",
            key="vendas",
        ),
    )
    chart = {"digest": "0123abcd", "alt": "Receita por mês: de 30 a 42 mil", "width": 720, "height": 280}
    return tree, {"0.2.0.mes": chart}


def gallery() -> Shown:
    """Every element of the catalogue, with most of their properties."""
    tree = ui.column(
        ui.heading("Galeria", key="h1"),
        ui.row(*(ui.heading(f"Nível {level}", level) for level in range(1, 7))),
        _texts(),
        _notices(),
        _figures(),
        ui.divider("Campos"),
        _form(),
        ui.divider(),
        _containers(),
        ui.table(rows(30), COLUMNS, title="Poucas linhas", row_key="id", filterable=True, on_select="escolher"),
        ui.table([], ["a"], title="Vazia", empty="Nenhum cliente"),
        ui.row(
            ui.chart({"jan": 10, "fev": Decimal("20.5")}, x="mês", y="receita", title="Sem desenho", on_select="ponto"),
            ui.chart({"jan": 3, "fev": 4}, title="Outro", kind="pie"),
        ),
    )
    return tree, {}


def _texts() -> ui.Element:
    return ui.card(
        ui.row(
            ui.text("simples"),
            ui.text("pequeno", size="small"),
            ui.text("grande", size="large"),
            ui.text("negrito", weight="bold"),
            ui.text("itálico", style="italic"),
            ui.text("codigo()", style="code"),
            *(ui.text(tone, tone=tone) for tone in ("neutral", "primary", "info", "success", "warning", "danger")),
        ),
        ui.row(
            ui.text(Decimal("12345678901234567890.10"), format="currency", currency="BRL"),
            ui.text(0.125, format="percent"),
            ui.text(datetime.date(2024, 1, 31)),
            ui.text(datetime.datetime(2024, 1, 31, 10, 20, tzinfo=datetime.UTC)),
            ui.text(None),
            ui.text(True),
            ui.text(2024),
            ui.text(1234567, format="number"),
        ),
        title="Textos",
        subtitle="valores crus, mostrados para o leitor",
        icon="file",
    )


def _notices() -> ui.Element:
    tones = ("neutral", "primary", "info", "success", "warning", "danger")
    return ui.column(
        ui.row(*(ui.badge(tone, tone=tone, icon="tag") for tone in tones), ui.badge("sem tom")),
        ui.row(*(ui.button(tone, tone=tone, on_press=ui.action("apertar", tone)) for tone in tones)),
        ui.row(
            ui.button("Simples", on_press="apertar"),
            ui.button("Desativado", on_press="apertar", disabled=True),
            ui.button("Com ícone", icon="plus", on_press="apertar"),
            *(ui.icon(name, size=size) for name, size in (("star", "small"), ("truck", "medium"), ("home", "large"))),
            ui.icon("alert-triangle", tone="warning", label="Atenção"),
        ),
        ui.alert("Há 3 vendas sem cliente.", tone="warning", title="Confira", on_close="fechar"),
        ui.alert("Tudo salvo.", tone="success"),
        ui.alert("O servidor não respondeu.\nTente novamente.", tone="danger"),
        ui.alert("Uma nota."),
    )


def _figures() -> ui.Element:
    return ui.row(
        ui.metric("Receita", Decimal("1234567.89"), format="currency", currency="BRL", change=0.12, icon="dollar"),
        ui.metric("Erros", 3, tone="danger", change=-0.5),
        ui.column(
            ui.progress(0.42, label="Importação"), ui.progress(label="Sem fim conhecido"), ui.progress(7, maximum=9)
        ),
        ui.image(_PIXEL, alt="Um ponto", width=64, height=64),
    )


def _form() -> ui.Element:
    return ui.form(
        ui.row(
            ui.text_field("nome", label="Nome", required=True, max_length=20, placeholder="Ana", help="Como na nota"),
            ui.text_field("email", label="E-mail", kind="email", on_change="mudar"),
            ui.text_field("senha", label="Senha", kind="password", value="segredo"),
        ),
        ui.row(
            ui.number_field(
                "preco", label="Preço", value=Decimal("10.50"), minimum=Decimal("0.01"), step=Decimal("0.50")
            ),
            ui.number_field("quantidade", label="Quantidade", integer=True, minimum=1, maximum=10, required=True),
            ui.date_field("entrega", label="Entrega", value=datetime.date(2024, 2, 29)),
        ),
        ui.row(
            ui.select_field("genero", ["Rock", "Jazz", "Samba"], label="Gênero", value="Samba"),
            ui.select_field("pais", _COUNTRIES, label="País", placeholder="Escolha um país"),
            ui.select_field("paises", _COUNTRIES, label="Vários países", multiple=True, value=["Brasil", "Chile"]),
        ),
        ui.select_field("dias", ["Segunda", "Terça", "Quarta"], label="Dias", multiple=True, value=["Terça"]),
        ui.text_field("notas", label="Notas", multiline=True, value="uma\nduas"),
        ui.checkbox_field("termos", label="Aceito os termos", required=True),
        ui.text_field("fixo", label="Fixo", value="não muda", disabled=True),
        on_submit="salvar",
        submit_label="Salvar venda",
        key="form",
    )


def _containers() -> ui.Element:
    return ui.row(
        ui.window(ui.text("dentro da área"), ui.button("Agir", on_press="agir"), title="Área", icon="grid"),
        ui.card(ui.text("aperte em qualquer lugar"), title="Cartão", on_press="abrir"),
        ui.list("um", ui.row(ui.text("dois"), ui.badge("novo", tone="info")), "três", ordered=True, on_select="item"),
        ui.tabs(ui.tab("Primeira", "uma página"), ui.tab("Segunda", "outra", icon="tag")),
        ui.element("acme.medidor", ui.text("filho do plugin"), valor=3),
    )


def modal() -> Shown:
    """A dialog over a window."""
    form = ui.form(ui.text_field("nome", label="Nome", required=True), on_submit="salvar")
    body = ui.modal(form, title="Nova venda", size="small", on_close="fechar", key="modal")
    return ui.column(ui.heading("Vendas"), ui.button("Abrir", on_press="abrir", key="abrir"), body), {}


def big_table() -> Shown:
    """Ten thousand rows and more."""
    table = ui.table(rows(12_000), COLUMNS, title="Vendas", row_key="id", filterable=True, on_select="linha", key="t")
    return ui.column(ui.text("acima"), table), {}


def five_thousand() -> Shown:
    """A tree of 5,000 elements, of many kinds."""
    cards = [
        ui.card(
            ui.row(ui.badge("novo", tone="info"), ui.text(Decimal(place) / 7, format="currency"), ui.icon("tag")),
            ui.text(f"Cliente {place}", weight="bold"),
            ui.progress(place % 10, maximum=10),
            ui.button("Abrir", on_press=ui.action("abrir", place)),
            title=f"Cartão {place}",
            key=place,
        )
        for place in range(624)
    ]
    return ui.column(cards, ui.table(rows(500), COLUMNS, row_key="id", key="t"), *["texto"] * 5), {}


TREES: dict[str, Callable[[], Shown]] = {
    tree.__name__: tree for tree in (vendas, gallery, modal, big_table, five_thousand)
}
