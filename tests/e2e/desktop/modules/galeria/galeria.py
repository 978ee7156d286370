"""Every element of the catalogue, and what arrived from each."""

import datetime
from decimal import Decimal
from typing import Any

from plataforma_sdk import ModuleFramework, ui

PONTO = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LINHAS = [{"id": numero, "nome": nome} for numero, nome in ((7, "Ana"), (8, "Bruno"), (9, "Célia"))]


class Galeria(ModuleFramework):
    """One window; `recebido` says what the last handler was given."""

    async def on_load(self) -> None:
        self.recebido = "nada"
        self.aberto = False
        self.create_window(title="Galeria", width=1100, height=700)

    def receber(self, nome: str, value: Any = None) -> None:
        """Take whatever an element sends."""
        self.recebido = f"{nome} = {type(value).__name__} {value}"

    def abrir(self) -> None:
        self.aberto = True

    def fechar(self) -> None:
        self.aberto = False
        self.recebido = "modal fechado"

    def render(self) -> ui.Element:
        return ui.column(
            ui.text(self.recebido, key="recebido", style="code"),
            ui.row(
                ui.button("Apertar", on_press=ui.action("receber", "botão")),
                ui.button("Abrir modal", on_press=self.abrir),
                ui.button("Desativado", on_press=ui.action("receber", "nunca"), disabled=True),
            ),
            self._campos(),
            self._escolhas(),
            self._figuras(),
            ui.modal(ui.text("dentro do modal"), title="Um modal", on_close=self.fechar) if self.aberto else None,
        )

    def _campos(self) -> ui.Element:
        return ui.row(
            ui.text_field("texto", label="Texto", on_change=ui.action("receber", "texto")),
            ui.number_field("preco", label="Preço", step=Decimal("0.01"), on_change=ui.action("receber", "número")),
            ui.select_field("pais", ["Brasil", "Chile"], label="País", on_change=ui.action("receber", "país")),
            ui.checkbox_field("aceito", label="Aceito", on_change=ui.action("receber", "marca")),
            ui.date_field("dia", label="Dia", on_change=ui.action("receber", "dia")),
            wrap=True,
        )

    def _escolhas(self) -> ui.Element:
        return ui.column(
            ui.card(ui.text("um cartão"), title="Cartão", on_press=ui.action("receber", "cartão")),
            ui.tabs(
                ui.tab("Primeira", "uma página"),
                ui.tab("Segunda", "outra página"),
                on_select=ui.action("receber", "aba"),
            ),
            ui.list("um item", "outro item", on_select=ui.action("receber", "item")),
            ui.table(LINHAS, ["id", "nome"], title="Pessoas", row_key="id", on_select=ui.action("receber", "linha")),
            ui.alert("Pode ser fechado.", title="Aviso", tone="warning", on_close=ui.action("receber", "aviso")),
            ui.chart({"jan": 3, "fev": Decimal("4.5")}, x="mês", y="receita", title="Receita"),
        )

    def _figuras(self) -> ui.Element:
        return ui.column(
            ui.heading("Figuras", 2),
            ui.divider("divisor"),
            ui.row(
                ui.badge("selo", tone="info"), ui.icon("star", label="Estrela"), ui.progress(0.4, label="Progresso")
            ),
            ui.metric("Métrica", Decimal("1234.5"), format="currency", currency="BRL"),
            ui.image(PONTO, alt="Um ponto", width=32, height=32),
            ui.text(datetime.date(2024, 2, 29)),
        )
